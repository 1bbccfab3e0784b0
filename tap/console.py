"""Standard output as a console, coloured and as wide as asked for, and the options that ask."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

COLOR = click.option(
    "--color/--no-color", default=None, help="Colour even where the output is no terminal, or never."
)  # fmt: skip
WIDTH = click.option(
    "--width", type=click.IntRange(60, 400), default=None, help="Columns to use; default: the terminal's."
)  # fmt: skip


def console(color: bool | None, width: int | None) -> Console:
    """Return the console for standard output.

    color: None lets the terminal decide; width: columns, None for the terminal's, or 150 where there is none.
    """
    from rich.console import Console  # noqa: PLC0415 - what takes these options alone need not read it

    if not sys.stdout.isatty() and width is None:
        width = 150
    return Console(
        width=width, force_terminal=color, no_color=color is False, color_system=None if color is False else "auto",
        highlight=False,
    )  # fmt: skip
