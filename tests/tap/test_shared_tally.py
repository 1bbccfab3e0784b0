"""Counts of connections that several processes have in common."""

from __future__ import annotations

import os
import random

import pytest

from tap.shared_tally import SharedTally

WORKERS = 3


def in_a_child(tally: SharedTally, worker: int, *steps: tuple[str, int]) -> None:
    """Let a worker count in a process of its own, which ends."""
    pid = os.fork()
    if not pid:
        try:
            tally.begin(worker)
            for source, number in steps:
                tally.add(source, number)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def test_all_workers_are_counted_together() -> None:
    tally = SharedTally(WORKERS)
    for worker in range(WORKERS):
        in_a_child(tally, worker, ("10.1.1.23", 1), ("10.1.1.23", worker), ("10.1.1.24", 1), ("10.1.1.24", -1))
    assert [tally.total(each) for each in ("10.1.1.23", "10.1.1.24", "10.1.1.25")] == [6, 0, 0]


def test_the_connections_of_a_worker_that_died_are_gone() -> None:
    """Those of the others are not."""
    tally = SharedTally(WORKERS)
    for worker in range(WORKERS):
        in_a_child(tally, worker, ("10.1.1.23", 2))
    in_a_child(tally, 1)
    assert tally.total("10.1.1.23") == 4


@pytest.mark.parametrize("rows", [1, 2, 64])
def test_it_never_counts_too_few(rows: int) -> None:
    """However many share a row; and who is gone leaves nothing behind."""
    tally, drawn = SharedTally(WORKERS, rows), random.Random(7)
    held: dict[str, int] = {}
    for _ in range(2000):
        tally._worker = drawn.randrange(WORKERS)
        source = f"10.1.1.{drawn.randrange(50)}"
        tally.add(source, 1)
        held[source] = held.get(source, 0) + 1
        assert tally.total(source) >= held[source]
    for worker in range(WORKERS):
        tally.begin(worker)
    assert all(tally.total(source) == 0 for source in held)


def test_few_share_all_their_rows() -> None:
    """Of 10,000 sources nearly all are counted as they are."""
    tally = SharedTally(1)
    for number in range(10_000):
        tally.add(f"10.1.{number // 256}.{number % 256}", 1)
    wrong = sum(tally.total(f"10.1.{number // 256}.{number % 256}") != 1 for number in range(10_000))
    assert wrong < 1000
