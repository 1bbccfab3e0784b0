"""Where a command writes what came of it, and the status that it ends with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from scripts.load.errors import LoadError
from tap.native import CORE

GOOD, LEAKING, IMPOSSIBLE, FAILING, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit status; a usage error is 2 as well."""
STANDARD = Path("-")


class Output(NamedTuple):
    """What the options ask for."""

    json_file: Path | None = None
    """`-`: standard output, which then has nothing else."""
    picture: Path | None = None

    def say(self, text: str) -> None:
        """Print for a person, unless a program reads."""
        if self.json_file != STANDARD:
            click.echo(text)

    def write(self, text: str) -> None:
        """Write JSON where it belongs."""
        if self.json_file == STANDARD:
            click.echo(text)
        elif self.json_file:
            self.json_file.write_text(text + "\n")


def status(*, leaking: bool, failing: bool) -> int:
    """Return the exit status."""
    return LEAKING if leaking else FAILING if failing else GOOD


@contextmanager
def explained() -> Iterator[None]:
    """Say which core will run, and in one sentence why a block could not go on; then end the program."""
    click.echo(f"core: {CORE}", err=True)
    try:
        yield
    except LoadError as error:
        click.echo(f"loadtest: {error}", err=True)
        sys.exit(IMPOSSIBLE)
    except KeyboardInterrupt:
        click.echo("loadtest: interrupted", err=True)
        sys.exit(INTERRUPTED)
