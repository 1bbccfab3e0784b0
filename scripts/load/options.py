"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

ring = click.option(
    "--ring", default=20, type=click.IntRange(0), show_default=True, help="Milliseconds from 180 to 200."
)
workers = click.option("--workers", default=1, type=click.IntRange(1), show_default=True, help="Workers of the proxy.")
port = click.option("--port", default=0, type=click.IntRange(0, 65535), help="The proxy's port; default: any free one.")
pin = click.option(
    "--pin/--no-pin",
    default=True,
    show_default=True,
    help="The proxy on cores of its own, where there are two or more.",
)
json_file = click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write the results here as JSON; - for standard output, which then has nothing else.",
)


def plot(words: str) -> Callable[[Function], Function]:
    """Return an option for a picture; words: what is drawn."""
    kind = click.Path(dir_okay=False, path_type=Path)
    return click.option("--plot", "picture", type=kind, help=f"Draw {words} into this file (.svg, .png, .pdf).")


def talk(default: int) -> Callable[[Function], Function]:
    """Return an option with so many milliseconds as its default."""
    return click.option(
        "--talk", default=default, type=click.IntRange(0), show_default=True, help="Milliseconds of a call."
    )
