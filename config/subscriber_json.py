"""Subscribers as JSON: an array of objects, or an object a line (https://jsonlines.org).

    {"subscriber": "alice@example.net", "name": "hide", "number@carrier": "show", "reject_anonymous": true}

A key that is not there leaves what it names as it is; null unsets it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from config.subscriber import Subscriber
from config.subscriber_change import COLUMN, Wrong, keys, of
from config.subscriber_rows import Cells, FileError

_BLANK = re.compile(r"[ \t\r\n]*")
_RIGHT = "write an array of objects, or an object a line"


class _TwiceError(ValueError):
    """A key that stands twice in an object, where one of them would win by chance."""


def read_json(text: str) -> Iterator[Cells]:
    """Yield the objects of a file.

    Raises:
        FileError: from here on it cannot be read.
    """
    at = _skip(text, 0)
    array = text.startswith("[", at)
    lines = _Lines(text)
    at = _skip(text, at + 1) if array else at
    if not array and at == len(text):
        raise FileError(1, "is empty", _RIGHT)
    closed = not array
    while at < len(text):
        if array and text[at] == "]":
            closed = True
            at = _skip(text, at + 1)
            break
        line = lines.of(at)
        value, at = _value(text, at, line)
        yield _cells(line, value)
        at = _skip(text, at)
        if array and text.startswith(",", at):
            at = _skip(text, at + 1)
        elif array and not text.startswith("]", at):
            break
    if at < len(text) or not closed:
        raise FileError(lines.of(at), "is not JSON", _RIGHT)


def _value(text: str, at: int, line: int) -> tuple[object, int]:
    """Return the value that stands at a place, and the place behind it."""
    try:
        return _DECODER.raw_decode(text, at)
    except _TwiceError:
        raise FileError(line, "has a key twice", "write each key once") from None
    except (ValueError, RecursionError) as error:
        where = line + text.count("\n", at, error.pos) if isinstance(error, json.JSONDecodeError) else line
    raise FileError(where, "is not JSON", _RIGHT)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object whose keys stand in it once."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwiceError
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_once)


def _cells(line: int, value: object) -> Cells:
    """Return an object by its keys."""
    if not isinstance(value, dict):
        return Cells(line, {}, (Wrong("", "is no object", _RIGHT),))
    return Cells(line, value)


def _skip(text: str, at: int) -> int:
    """Return where the next character stands that is no space."""
    match = _BLANK.match(text, at)
    return match.end() if match else at


class _Lines:
    """Tells lines of places that only go forward, counting each newline once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = 1
        self._counted = 0

    def of(self, at: int) -> int:
        self._line += self._text.count("\n", self._counted, at)
        self._counted = at
        return self._line


def write_json(subscribers: Iterable[Subscriber]) -> Iterator[str]:
    """Yield the lines of an array, a subscriber a line: every word of each, said or null."""
    between = "[\n"
    for subscriber in subscribers:
        change = of(subscriber)
        yield between + json.dumps({COLUMN: change.address, **keys(change), **change.flags})
        between = ",\n"
    yield "\n]\n" if between == ",\n" else "[]\n"
