"""Who gets which core."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from scripts.load.cores import Cores, available, pinned, share


@pytest.mark.parametrize(
    ("cores", "workers", "expected"),
    [
        ((0,), 1, Cores()),
        ((0, 1), 1, Cores((1,), (0,))),
        ((0, 1), 2, Cores((1,), (0,))),
        ((3, 5, 4, 2), 2, Cores((4, 5), (2, 3))),
        ((0, 1, 2, 3), 8, Cores((1, 2, 3), (0,))),
    ],
)
def test_shares(cores: tuple[int, ...], workers: int, expected: Cores) -> None:
    """The load always has one."""
    assert share(cores, workers) == expected


def test_children_inherit_the_pin() -> None:
    """And the caller is free again afterwards."""
    before = available()
    code = "import os; print(*os.sched_getaffinity(0))"
    with pinned(before[-1:]):
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == [str(before[-1])]
    assert os.sched_getaffinity(0) == set(before)


def test_no_pin() -> None:
    """Without cores nothing changes."""
    before = available()
    with pinned(()):
        assert available() == before
