"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner

from scripts.load import options


@click.command()
@options.ring
@options.talk(7)
@options.workers
@options.port
@options.pin
@options.json_file
@options.plot("a bell")
def command(**found: Any) -> None:
    """Say what was read."""
    click.echo(repr(sorted(found.items())))


def read(*words: str) -> str:
    return CliRunner().invoke(command, words).stdout.strip()


def test_defaults() -> None:
    found = {"ring": 20, "talk": 7, "workers": 1, "port": 0, "pin": True, "json_file": None, "picture": None}
    assert read() == repr(sorted(found.items()))


def test_given() -> None:
    words = "--ring 1 --talk 2 --workers 3 --port 4 --no-pin --json - --plot a.svg"
    found = {"ring": 1, "talk": 2, "workers": 3, "port": 4, "pin": False, "json_file": Path("-")}
    assert read(*words.split()) == repr(sorted({**found, "picture": Path("a.svg")}.items()))


def test_help() -> None:
    """Says what the picture is of."""
    assert "Draw a bell into this file" in read("--help")
