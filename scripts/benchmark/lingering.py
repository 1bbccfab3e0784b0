"""What a transaction keeps that only waits for a timer of RFC 3261 table 4, or of RFC 6026, to end it.

python -m scripts.benchmark.lingering KIND CALLS

prints one JSON object. What counts is the growth of the resident process from CALLS calls to twice as many, all of
which still linger: the first half fills the memories of `proxy/memo.py`, which are bounded and belong to no
transaction. Nothing is freed in between whose room the second half could take, and every measurement has a process of
its own.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from scripts.benchmark.calls import Line, Step, copied, expect, lines, whole_calls
from scripts.benchmark.core import receive_all
from scripts.benchmark.errors import BenchError
from scripts.benchmark.messages import fill
from scripts.benchmark.world import CALLER, TRUNK, World
from scripts.load.proxy import ROOT

BATCH = 50
SHORT = 6.0
"""Simulated seconds after which timers I and K (5 s) have ended; all others take 32 s."""
SPAN = 9.0
"""Simulated seconds that each half takes: the first call must still linger when the last has ended."""
PAGE = os.sysconf("SC_PAGE_SIZE")


class Kept(NamedTuple):
    """What was measured for one kind: what the second half of all calls added."""

    transactions: int
    """Transactions that linger."""
    resident: int
    """Bytes that the process has resident for them."""

    @property
    def each(self) -> float:
        """Return bytes per lingering transaction."""
        return self.resident / max(1, self.transactions)


def answered(world: World, batch: Sequence[Line]) -> Iterator[Step]:
    """Yield the steps of calls up to the ACK: server and client linger in timers L and M."""
    for step in whole_calls(world, batch):
        if step.kind == "BYE":
            return
        yield step


def refused(world: World, batch: Sequence[Line]) -> Iterator[Step]:
    """Yield the steps of calls that the trunk refuses: the client lingers in timer D."""
    world.sent.clear()
    yield Step("INVITE", world, world.from_caller, [line.say("invite") for line in batch])
    outgoing = expect("INVITE", world.take(TRUNK), batch)
    busy = [fill("bye-ok", copied=copied(data, "leg")).replace(b"200 OK", b"486 Busy Here", 1) for data in outgoing]
    yield Step("486", world, world.from_trunk, busy)
    tags = [_to(data) for data in expect("486", world.take(CALLER), batch)]
    acks = [line.say("refused-ack", to=to) for line, to in zip(batch, tags, strict=True)]
    yield Step("ACK", world, world.from_caller, acks)


def _to(data: bytes) -> str:
    return next(line[3:].strip() for line in data.decode().split("\r\n") if line.startswith("To:"))


KINDS: Mapping[str, tuple[str, Callable[[World, Sequence[Line]], Iterator[Step]]]] = {
    "D": ("refused INVITE, client side", refused),
    "L, M": ("answered INVITE, both sides", answered),
    "J, L, M": ("whole call: INVITE on both sides, BYE on the server side", whole_calls),
}
"""Timers → what lingers in them, and the calls that bring it about."""


def measure(kind: str, calls: int) -> Kept:
    """Return what so many calls keep after as many others; in this process, which should be new."""
    world = World()
    count, before = _linger(world, kind, calls, 0)
    both, after = _linger(world, kind, calls, calls)
    return Kept(both - count, after - before)


def _linger(world: World, kind: str, calls: int, first: int) -> tuple[int, int]:
    """Play calls until they linger; return how many transactions there are, and the resident bytes."""
    play, batches = KINDS[kind][1], max(1, calls // BATCH)
    for number in range(batches):
        for step in play(world, lines("kept", BATCH, 1000, first + number * BATCH)):
            receive_all(step)
        world.wait(SPAN / batches)
        world.sent.clear()
    world.wait(SHORT)
    world.sent.clear()
    gc.collect()
    return transactions(world), resident()


def transactions(world: World) -> int:
    """Return how many transactions the core holds."""
    gauges = world.core.gauges()
    return int(gauges["sipveil_server_transactions"] + gauges["sipveil_client_transactions"])


def resident() -> int:
    """Return this process's resident bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def measure_apart(kind: str, calls: int) -> Kept:
    """Measure in a process of its own.

    Raises BenchError when that fails.
    """
    command = [sys.executable, "-m", "scripts.benchmark.lingering", kind, str(calls)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)  # noqa: S603
    if done.returncode:
        raise BenchError(f"what lingers in timer {kind} could not be measured:\n{done.stderr}")
    return Kept(**json.loads(done.stdout))


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))._asdict()))
