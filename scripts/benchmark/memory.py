"""What calls keep resident, in a real process: while they ring, and after very many of them."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from scripts.benchmark.contenders import Contender, ends
from scripts.benchmark.errors import BenchError
from scripts.benchmark.generator import Generator, Load, Played, read
from scripts.benchmark.resident import proportional
from scripts.load.cores import Cores

WARM_CALLS = 500
SETTLING = 90.0
"""Seconds after which memory should grow no more: the first calls' transactions are gone (timers J, L, M: 32 s), and
the tables that they leave and enter have been made anew once at their size (a dictionary keeps room for what has left
until it is full)."""


class Ringing(NamedTuple):
    """What held calls keep."""

    idle: int
    """Bytes of the process after its first calls."""
    held: int
    """Bytes while all calls ring."""
    calls: int

    @property
    def each(self) -> float:
        """Return bytes per ringing call."""
        return (self.held - self.idle) / self.calls


class Flatness(NamedTuple):
    """Memory over very many calls."""

    samples: Sequence[tuple[float, int]]
    """(Seconds since the first call, bytes), once a second."""
    played: Played

    @property
    def settled(self) -> Sequence[tuple[float, int]]:
        """Return the samples in which as many transactions end as begin."""
        return [each for each in self.samples if each[0] >= SETTLING]

    @property
    def growth(self) -> float | None:
        """Return bytes per call from the moment when nothing should grow; None where that never came."""
        if len(self.settled) < 4:
            return None
        times, sizes = zip(*self.settled, strict=True)
        slope = statistics.linear_regression(times, sizes).slope
        return float(slope) / self.played.rate


def ringing(contender: Contender, folder: Path, cores: Cores, calls: int, rate: int) -> Ringing:
    """Hold calls ringing and see what they keep.

    Raises BenchError when not all of them come to ring.
    """
    where = ends()
    generator = Generator(folder, where.caller, where.trunk, cores.load)
    with contender.start(folder, where, cores.proxy) as proxy:
        generator.play(proxy.address, Load(calls=WARM_CALLS, rate=rate))
        idle = proportional(proxy.pid)
        patience = calls / rate + 60
        process = generator.start(proxy.address, Load(calls=calls, rate=rate, ring=int(patience * 1000)))
        try:
            first = process.stdout.readline() if process.stdout else ""
            held = proportional(proxy.pid)
        finally:
            process.terminate()
            rest, _ = process.communicate()
    if first.strip() != "ringing":
        raise BenchError(f"{contender.name} does not hold {calls} calls at {rate} calls/s: {read(first + rest)}")
    return Ringing(idle, held, calls)


def flat(
    contender: Contender, folder: Path, cores: Cores, load: Load, progress: Callable[[int], None]
) -> Flatness:  # fmt: skip
    """Play very many calls at a steady rate, and watch memory.

    A closed loop is no measure: as many transactions linger as calls were made within 32 s, so what a faster minute
    adds would look like growth.
    """
    where = ends()
    generator = Generator(folder, where.caller, where.trunk, cores.load)
    samples: list[tuple[float, int]] = []
    with contender.start(folder, where, cores.proxy) as proxy:
        began = time.monotonic()
        process = generator.start(proxy.address, load)
        try:
            while process.poll() is None:
                size = proportional(proxy.pid)
                samples.append((time.monotonic() - began, size))
                progress(size)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(1.0)
        finally:
            process.terminate()
            output, _ = process.communicate()
    return Flatness(samples, read(output))
