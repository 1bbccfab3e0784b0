"""Which core does what: the proxy has its own, so that its CPU is its own and not SIPp's cache misses."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple


class Cores(NamedTuple):
    """Cores for the proxy and cores for all that loads it; empty: wherever the kernel likes."""

    proxy: tuple[int, ...] = ()
    load: tuple[int, ...] = ()


def share(available: Sequence[int], workers: int = 1) -> Cores:
    """Return a core for each worker, from the end, and the others for the load, which always gets one.

    With a single core there is nothing to share.
    """
    ordered = sorted(available)
    if len(ordered) < 2:
        return Cores()
    wanted = min(workers, len(ordered) - 1)
    return Cores(tuple(ordered[-wanted:]), tuple(ordered[:-wanted]))


def available() -> tuple[int, ...]:
    """Return the cores that this process may use."""
    return tuple(sorted(os.sched_getaffinity(0)))


@contextmanager
def pinned(cores: Sequence[int]) -> Iterator[None]:
    """Run the block, and with it all processes that it starts, on these cores; on any where there are none.

    A child inherits the mask of the thread that forks it, so nothing runs elsewhere first.
    """
    before = os.sched_getaffinity(0)
    if cores:
        os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
