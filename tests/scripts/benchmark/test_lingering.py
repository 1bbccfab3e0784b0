"""What lingers, counted; never how much it keeps."""

from __future__ import annotations

import pytest

from scripts.benchmark.errors import BenchError
from scripts.benchmark.lingering import Kept, measure, measure_apart


@pytest.mark.parametrize(("kind", "each"), [("D", 1), ("L, M", 2), ("J, L, M", 3)])
def test_what_lingers(kind: str, each: int) -> None:
    """Transactions for each call: those of timers I and K have ended."""
    assert measure(kind, 100).transactions == 100 * each


def test_apart() -> None:
    assert measure_apart("D", 50).transactions == 50


def test_apart_and_broken() -> None:
    with pytest.raises(BenchError, match="KeyError"):
        measure_apart("Z", 50)


def test_each() -> None:
    assert Kept(4, 4096).each == 1024
    assert Kept(0, 4096).each == 4096
