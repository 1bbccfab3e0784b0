"""Multipart bodies (RFC 2046 §5.1): where their parts are, and what a part's head says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from filters.forms import FormError

MAX_DEPTH = 8
"""Multiparts within multiparts: real ones nest two or three deep, and reading them recurses."""
MAX_PARTS = 64
"""Parts of one multipart: real ones have two or three; the rest is room for somebody else's work."""

# RFC 3261 §25.1's token, as RFC 2045 §5.1 has it
WORD = r"[A-Za-z0-9.!%*_+`'~#$&^{}|-]+"
# RFC 2046 §5.1.1: boundary := 0*69<bchars> bcharsnospace
BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
FOLD = re.compile(rb"\r?\n[ \t]+")
# A line end that is none of a fold
_END_OF_FIELD = re.compile(rb"\r?\n(?![ \t])")
_HEADER_NAME = re.compile(WORD.encode())


class Field(NamedTuple):
    """A header line of a part."""

    name: bytes
    """As it is written."""
    value: bytes
    """Unfolded."""
    raw: bytes
    """The line as it came, folds in it, without its end."""


def spans(body: bytes, boundary: bytes) -> Sequence[tuple[int, int]]:
    """Return where the raw parts begin and end. §5.1.1: a line that begins with the boundary is one, whatever follows.

    Raises:
        FormError: it is no multipart with this boundary.
    """
    if not BOUNDARY.fullmatch(boundary):
        raise FormError("a multipart has no boundary")
    text, delimiter = b"\n" + body, b"\n--" + boundary
    chunks = []
    at = text.find(delimiter)
    while at >= 0:
        start = at + len(delimiter)
        at = text.find(delimiter, start)
        chunks.append((start, at if at >= 0 else len(text)))
        if len(chunks) > MAX_PARTS + 1:
            raise FormError(f"a multipart has more than {MAX_PARTS} parts")
    if chunks and text.startswith(b"--", chunks[-1][0]):
        chunks.pop()
    # Some leave the last delimiter out; where the body ends, Content-Length has said (RFC 3261 §18.3).
    if not chunks:
        raise FormError("a multipart has no part")
    if len(chunks) > MAX_PARTS:
        raise FormError(f"a multipart has more than {MAX_PARTS} parts")
    return [_without_line_end(text, start, end) for start, end in chunks]


def _without_line_end(text: bytes, start: int, end: int) -> tuple[int, int]:
    """Return the place in the body without the rest of the delimiter's line, and without the CR before the next one."""
    newline = text.find(b"\n", start, end)
    if newline < 0 or text[start:newline].strip(b" \t\r"):
        raise FormError("a line begins with the boundary but is none")
    if end > newline + 1 and text.startswith(b"\r", end - 1):
        end -= 1
    return newline, end - 1  # text has one octet more in front than the body


def head_of(raw: bytes) -> tuple[int, int]:
    """Return how long a part's head is, and where its body begins.

    Raises:
        FormError: there is no blank line between.
    """
    if raw[:1] == b"\n" or raw[:2] == b"\r\n":
        return 0, raw.index(b"\n") + 1
    found = END_OF_HEAD.search(raw)
    if not found:
        raise FormError("a part has no blank line behind its headers")
    return found.start(), found.end()


def fields(head: bytes) -> Iterator[Field]:
    """Yield the header lines of a part's head.

    Raises:
        FormError: a line is none.
    """
    if not head:
        return
    for raw in _END_OF_FIELD.split(head):
        name, colon, value = FOLD.sub(b" ", raw).partition(b":")
        name = name.rstrip(b" \t")
        if not colon or not _HEADER_NAME.fullmatch(name) or b"\r" in value or b"\n" in value:
            raise FormError("a line of a part's head is no header")
        yield Field(name, value.strip(b" \t"), raw)
