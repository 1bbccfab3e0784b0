"""A trunk's form of numbers needs a dial plan to tell numbers by."""

from __future__ import annotations

from collections.abc import Iterator

from config.draft import EACH, Draft, tables
from config.problem import Mistake


def numbering_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Yield each trunk that wants numbers in a form while nothing says how they are dialled."""
    if "numbering" in draft:
        return
    for path, _ in tables(draft, "trunks", EACH, "numbers"):
        yield Mistake(path, "wants numbers in a form, and there is no section [numbering]", "add it, with `home`")
