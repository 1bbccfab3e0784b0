"""How results are laid out: rows below a heading for a person, one object for a program."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

VERSION = 1
"""Of the JSON: raised when a key changes its meaning or goes."""


def text(head: str, rows: Mapping[str, str], notes: Iterable[str] = ()) -> str:
    """Return a heading, what the rows say by their names, and notes below."""
    width = max(map(len, rows), default=0)
    return "\n".join([head, *(f"  {name:<{width}}  {value}" for name, value in rows.items()), *notes])


def as_json(runs: Sequence[Mapping[str, Any]], *, leaking: bool) -> str:
    """Return all runs as one JSON object."""
    return json.dumps({"version": VERSION, "leaking": leaking, "runs": runs}, indent=1)
