"""Each stage does work, and not always on the same message."""

from __future__ import annotations

import pytest

from scripts.benchmark.stages import STAGES, VARIANTS, Turns
from scripts.benchmark.world import World


@pytest.mark.parametrize("name", STAGES)
def test_works(name: str) -> None:
    work = STAGES[name](World())
    for _ in range(2):
        work()


def test_turns() -> None:
    seen: list[int] = []
    turns = Turns(seen.append)
    for _ in range(VARIANTS + 1):
        turns()
    assert set(seen) == set(range(VARIANTS))
