"""The command line of scripts/compile."""

from __future__ import annotations

import sys
import time

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from scripts.native.build import build
from scripts.native.errors import CompileError
from tap.native import ROOT


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--force", is_flag=True, help="Compile although there is a compiled core of these sources.")
def main(*, force: bool) -> None:
    """Compile the core (proxy/ and filters/) into .native/; scripts/run uses it as long as no source changes."""
    began = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=None)
            twin = build(
                lambda what, done, of: bar.update(task, description=what, completed=done, total=of or None), force=force
            )
    except CompileError as error:
        click.echo(f"scripts/compile: {error}", err=True)
        sys.exit(1)
    click.echo(f"the compiled core is {twin.relative_to(ROOT)} ({time.monotonic() - began:.0f} s)")


if __name__ == "__main__":
    main(prog_name="scripts/compile")
