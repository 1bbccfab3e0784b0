"""Documents that commands print."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from tap.printed import Form, printed


def words(console: Console, document: dict[str, str]) -> None:
    console.print(f"a word is [bold]{document['word']}[/bold]", width=console.width)


@click.command()
@click.option("--word", default="größer")
@printed
def command(form: Form, word: str) -> None:
    """Print a word."""
    form.show({"word": word}, words)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ("", "a word is größer\n"),
        ("--json", '{\n  "word": "größer"\n}\n'),
        ("--json --word x", '{\n  "word": "x"\n}\n'),
        ("--color", "a word is \x1b[1mgrößer\x1b[0m\n"),
        ("--no-color --width 60", "a word is größer\n"),
    ],
)
def test_as_it_is_wanted(arguments: str, shown: str) -> None:
    """For a program, or for a person; the command's own options arrive beside."""
    assert CliRunner().invoke(command, arguments.split()).output == shown


def test_width() -> None:
    """So many columns, whatever the terminal has."""
    lines = CliRunner().invoke(command, ["--width", "60", "--word", "x" * 70]).output.splitlines()
    assert max(map(len, lines)) == 60


def test_help() -> None:
    found = CliRunner().invoke(command, ["--help"]).output
    assert all(option in found for option in ("--json", "--color / --no-color", "--width", "--word"))
