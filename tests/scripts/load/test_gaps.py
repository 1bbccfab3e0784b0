"""Pauses between messages."""

from __future__ import annotations

import pytest

from scripts.load.gaps import LEAST, Gaps


def always(_began: float, _ended: float) -> bool:
    return True


def test_the_longest() -> None:
    """Of those that are asked for; before the first message there is none."""
    gaps = Gaps()
    for at in (100.0, 100.01, 100.2, 100.25):
        gaps.message(at)
    assert gaps.longest(always) == pytest.approx(190)
    assert gaps.longest(lambda began, _ended: began > 100.1) == pytest.approx(50)
    assert gaps.longest(lambda _began, ended: ended > 101) == 0


@pytest.mark.parametrize("times", [[], [1.0], [1.0, 1.0 + LEAST / 2]])
def test_none(times: list[float]) -> None:
    """No message, one, or one after the other."""
    gaps = Gaps()
    for at in times:
        gaps.message(at)
    assert gaps.longest(always) == 0
