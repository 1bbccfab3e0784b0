"""Remembered results of pure functions: the same From, Via and URI cross seven times in one call.

Replaces reading the same bytes anew for each message and stage. Only functions whose result follows from their
arguments alone, and whose results nobody changes, may be remembered; what they raise is not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

REMEMBERED = 4096
"""Results kept for each function: those of the calls being set up within a second or two. One counts at most a
header line (`limits.line`), so that lines made to fill this up stay within some 30 MB for each function."""

F = TypeVar("F", bound=Callable[..., object])


def remembered(function: F) -> F:
    """Return function with its latest REMEMBERED results kept; arguments must be hashable and positional."""
    return cast(F, lru_cache(maxsize=REMEMBERED)(function))


def forget(function: Callable[..., object]) -> None:
    """Let go of what a remembered function remembers."""
    cast(Any, function).cache_clear()


K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A bounded dictionary whose entries can be put in, which `lru_cache` does not allow.

    Two halves: when the young one is full it becomes the old one, and what stood there before is forgotten. What
    is asked for moves back to the young half.
    """

    __slots__ = ("_half", "_old", "_young")

    def __init__(self, size: int = REMEMBERED) -> None:
        """Keep between size / 2 and size entries."""
        self._half = size // 2
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """Return what was put under key, None for what is forgotten or was never there."""
        value = self._young.get(key)
        if value is None:
            value = self._old.get(key)
            if value is not None:
                self.put(key, value)
        return value

    def put(self, key: K, value: V) -> None:
        """Keep value under key for a while."""
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def __len__(self) -> int:
        """Return how many entries there are, those that stand in both halves twice."""
        return len(self._young) + len(self._old)
