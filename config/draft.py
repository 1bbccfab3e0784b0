"""Looking things up in a configuration that may still be wrong.

The cross-checks run on what tomllib read, not on `Settings`: so a file with a mistyped number still
hears of its missing trunks in the same breath. What has the wrong type is passed over in silence
here; the schema has said so already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from config.lines import Path

Draft = Mapping[str, object]
"""What tomllib read, before any check."""

EACH = "*"
"""In a pattern: each element of an array."""

T = TypeVar("T")


def find(draft: object, *pattern: str) -> Iterator[tuple[Path, object]]:
    """Yield path and value of everything that the pattern leads to, such as `"trunks", EACH, "name"`."""
    if not pattern:
        yield (), draft
        return
    for part, inner in _step(draft, pattern[0]):
        for path, value in find(inner, *pattern[1:]):
            yield (part, *path), value


def _step(value: object, part: str) -> Iterator[tuple[str | int, object]]:
    """Go one step of a pattern, as far as the value lets us."""
    if part == EACH:
        yield from enumerate(value) if isinstance(value, list) else ()
    elif isinstance(value, dict) and part in value:
        yield part, value[part]


def texts(draft: Draft, *pattern: str) -> list[tuple[Path, str]]:
    """Return the texts that the pattern leads to."""
    return [(path, value) for path, value in find(draft, *pattern) if isinstance(value, str)]


def tables(draft: Draft, *pattern: str) -> list[tuple[Path, Draft]]:
    """Return the tables that the pattern leads to."""
    return [(path, value) for path, value in find(draft, *pattern) if isinstance(value, dict)]


def parsed(parse: Callable[[object], T], draft: Draft, *pattern: str) -> list[tuple[Path, T]]:
    """Return what parse makes of the texts that the pattern leads to, without those that it refuses."""
    return [(path, value) for path, text in texts(draft, *pattern) for value in _attempt(parse, text)]


def _attempt(parse: Callable[[object], T], text: str) -> Iterator[T]:
    """Yield what parse returns, or nothing."""
    try:
        yield parse(text)
    except ValueError:
        return
