"""Few numbers from a machine that drifts: least, median, greatest, and what may be concluded from them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple

NOISE = 0.15
"""Differences under 15 % mean nothing on a shared machine, where one program measured twice differs by as much."""


class Spread(NamedTuple):
    """What several rounds gave."""

    least: float
    median: float
    greatest: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Return the spread of values, of which there is at least one."""
        ordered = sorted(values)
        return cls(ordered[0], statistics.median(ordered), ordered[-1])

    def __str__(self) -> str:
        """Return least, median and greatest, with as many digits as mean something."""
        return " / ".join(map(figure, self))


def figure(value: float) -> str:
    """Return three digits of a number or all before the point: 0.123, 1.23, 12.3, 1234."""
    digits = 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:,.{digits}f}"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread | None:
    """Return the spread of ours / theirs, round by round; None where no round has both."""
    both = [one / other for one, other in zip(ours, theirs, strict=True) if one > 0 and other > 0]
    return Spread.of(both) if both else None


def verdict(ratio: Spread, us: str, them: str) -> str:
    """Return a sentence; no round may contradict it, and what is within the noise is no difference."""
    if ratio.least > 1 + NOISE:
        return f"{us} costs {figure(ratio.median)} times {them}"
    if ratio.greatest < 1 - NOISE:
        return f"{us} costs {figure(ratio.median)} of {them}"
    return f"no conclusion about {us} and {them}: not every round differs by {NOISE:.0%} the same way"
