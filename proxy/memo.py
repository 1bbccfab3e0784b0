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
K = TypeVar("K")
V = TypeVar("V")


class _Answers(dict[K, V]):
    """Results by argument; a dictionary that asks its function for what it does not hold."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[K], V]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, argument: K) -> V:
        answer = self._function(argument)
        if len(self) >= REMEMBERED:
            self.clear()
        self[argument] = answer
        return answer


def remembered(function: Callable[[K], V]) -> Callable[[K], V]:
    """Return a function of one hashable argument with up to REMEMBERED of its results kept.

    They are forgotten together, and those in use are soon back. To find one is a look into a dictionary, a third of
    what `lru_cache` takes with its order of uses and its tuples of arguments.
    """
    return _Answers(function).__getitem__


def remembered_by_all(function: F) -> F:
    """Return a function of several arguments with its latest REMEMBERED results kept; all are positional."""
    return cast(F, lru_cache(maxsize=REMEMBERED)(function))


def forget(function: Callable[..., object]) -> None:
    """Let go of what a function remembers, whichever of the two made it."""
    answers = getattr(function, "__self__", None)
    if isinstance(answers, _Answers):
        answers.clear()
    else:
        cast(Any, function).cache_clear()


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
