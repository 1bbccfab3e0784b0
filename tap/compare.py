"""Two messages side by side, line by line: what was kept, edited, taken out and put in, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

STYLE = {"same": "dim", "changed": "yellow", "removed": "red", "added": "green"}
"""How a row is coloured, by its kind."""
MARK = {"same": " ", "changed": "~", "removed": "-", "added": "+"}
"""What stands in front of it, for who sees no colour."""


class Row(NamedTuple):
    """One line of a message beside its counterpart."""

    kind: str
    """`same`, `changed`, `removed` or `added`."""
    left: str
    right: str
    field: str
    """Header's name in lower case, or `v=`, `a=candidate` for SDP; `start` for the first line."""


def compare(left: bytes, right: bytes) -> list[Row]:
    """Return the lines of two messages side by side.

    Lines that are equal on both sides anchor the rest; of the others, those about the same field are one
    edited line.
    """
    ours, theirs = fields(left), fields(right)
    left_keys = [_key(line, theirs) for line in ours]
    right_keys = [_key(line, ours) for line in theirs]
    rows: list[Row] = []
    for _, a, b, c, d in SequenceMatcher(None, left_keys, right_keys, autojunk=False).get_opcodes():
        if left_keys[a:b] == right_keys[c:d]:
            rows += [_pair(one, other) for one, other in zip(ours[a:b], theirs[c:d], strict=True)]
        else:
            rows += [Row("removed", line, "", name) for name, line in ours[a:b]]
            rows += [Row("added", "", line, name) for name, line in theirs[c:d]]
    return _likelier(rows)


def _likelier(rows: list[Row]) -> list[Row]:
    """Where one of two lines about a field was edited and the other removed, pair the one that is more alike."""
    for at, (one, other) in enumerate(pairwise(rows)):
        rivals = (one.kind, other.kind) == ("changed", "removed") and one.field == other.field
        if rivals and _likeness(other.left, one.right) > _likeness(one.left, one.right):
            rows[at] = Row("removed", one.left, "", one.field)
            rows[at + 1] = Row("changed", other.left, one.right, one.field)
    return rows


def _likeness(one: str, other: str) -> float:
    """Return how much two lines have in common, 0 to 1."""
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _pair(one: tuple[str, str], other: tuple[str, str]) -> Row:
    """Return the row of a line and its counterpart."""
    return Row("same" if one == other else "changed", one[1], other[1], one[0])


def _key(line: tuple[str, str], others: Sequence[tuple[str, str]]) -> str:
    """Return what a line is matched by: itself where the other side has it too, else its field."""
    return f"{line[0]}\n{line[1]}" if line in others else line[0]


def fields(message: bytes) -> list[tuple[str, str]]:
    """Return (field, text) of every line of a message; folded headers on one line, no blank lines."""
    head, _, body = message.partition(b"\r\n\r\n")
    headers = re.sub(rb"\r\n[ \t]+", b" ", head).decode("utf-8", "backslashreplace").split("\r\n")
    found = [("start", headers[0])] + [(line.partition(":")[0].strip().lower(), line) for line in headers[1:]]
    sdp = body.decode("utf-8", "backslashreplace").splitlines()
    found += [(_sdp_field(line), line) for line in sdp if line]
    return [(printable(field), printable(line)) for field, line in found]


def printable(text: str) -> str:
    """Return text with control characters written out: what a message holds shall not command the terminal."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


def _sdp_field(line: str) -> str:
    """Return `o=`, or `a=candidate` for attributes."""
    return line.partition(":")[0].lower() if line.startswith("a=") else line[:2].lower()
