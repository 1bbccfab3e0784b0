"""Documents that commands print: JSON for a program, or words for a person, coloured and as wide as asked for."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from tap.console import COLOR, WIDTH, console

if TYPE_CHECKING:
    from rich.console import Console

D = TypeVar("D")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


class Form(NamedTuple):
    """How a document is wanted."""

    as_json: bool
    color: bool | None
    """None lets the terminal decide."""
    width: int | None
    """Columns; None for the terminal's."""

    def show(self, document: D, for_a_person: Callable[[Console, D], None]) -> None:
        """Print it."""
        if self.as_json:
            click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        else:
            for_a_person(console(self.color, self.width), document)


def printed(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say how its document is wanted, and what they say as its first argument."""

    @functools.wraps(command)
    def whole(*, as_json: bool, color: bool | None, width: int | None, **own: Any) -> None:  # noqa: ANN401 - click's
        command(Form(as_json, color, width), **own)

    return _JSON(COLOR(WIDTH(whole)))
