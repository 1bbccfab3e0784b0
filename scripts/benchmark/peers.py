"""The whole proxy per call beside its peers: same calls, same core, in turn, so that drift hits all alike.

All contenders run all the time, each idle while another is measured: an idle one costs its own timers only,
which are its own account.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from scripts.benchmark.calibration import machine
from scripts.benchmark.contenders import Contender, Ends, ends
from scripts.benchmark.errors import BenchError
from scripts.benchmark.generator import Generator, Load, Played
from scripts.benchmark.resident import proportional
from scripts.load.account import account
from scripts.load.cores import Cores
from scripts.load.proxy import Proxy

WARM = Load(seconds=3)
"""Calls that fill caches and touch memory before anything counts: first use of a page is no cost of a call."""

QUIET = 0.1
"""Share of a core that all idle contenders together may take: their timers, and what still lingers."""
QUIET_AFTER = 0.25
"""Seconds over which that is looked at."""


class Turn(NamedTuple):
    """One contender, one load, once."""

    contender: str
    load: str
    round: int
    played: Played
    cpu: float
    """Microseconds of CPU per completed call."""
    resident: int
    """Bytes after the turn; pages that processes share count once."""
    busy: float
    """Share of its core's time that the contender had."""
    others: float
    """Share that somebody else had on the proxy's core: a noisy measurement."""
    calibration: float
    """Microseconds of a fixed piece of work, just before."""

    @property
    def failed(self) -> float:
        """Return the share of calls that did not complete."""
        return self.played.failed / max(1, self.played.created)


class Plan(NamedTuple):
    """What to compare, and how."""

    contenders: Sequence[Contender]
    loads: Mapping[str, Load]
    rounds: int
    cores: Cores


def loads(rate: int, seconds: int, *, saturated: bool = True) -> dict[str, Load]:
    """Return the two loads: a fixed rate (wake-ups weigh) and saturation (the code's own cost)."""
    found = {f"{rate:,} calls/s": Load(seconds=seconds, rate=rate, ring=20, hold=200)} if rate else {}
    if saturated:
        found["saturated"] = Load(seconds=seconds, window=50)
    return found


def compare(plan: Plan, folder: Path, done: Callable[[Turn], None]) -> list[Turn]:
    """Measure all contenders under all loads, round after round.

    Raises BenchError where a contender does not start or lets through what it should hide.
    """
    where = ends()
    generator = Generator(folder, where.caller, where.trunk, plan.cores.load)
    turns: list[Turn] = []
    with started(plan, folder, where) as proxies:
        for name, proxy in proxies.items():
            warm_up(name, proxy, generator)
        for number in range(plan.rounds):
            for load_name, load in plan.loads.items():
                # Every other round backwards: nobody is always measured just after the same neighbour.
                order = list(proxies) if number % 2 == 0 else list(reversed(proxies))
                for name in order:
                    settle(proxies)
                    turn = take_turn(name, proxies[name], generator, (load_name, load), number, plan.cores)
                    turns.append(turn)
                    done(turn)
    return turns


@contextmanager
def started(plan: Plan, folder: Path, where: Ends) -> Iterator[dict[str, Proxy]]:
    """Run every contender, by name, until the block ends."""
    with ExitStack() as stack:
        proxies = {}
        for contender in plan.contenders:
            own = folder / contender.name
            own.mkdir()
            proxies[contender.name] = stack.enter_context(contender.start(own, where, plan.cores.proxy))
        yield proxies


def warm_up(name: str, proxy: Proxy, generator: Generator) -> None:
    """Play some calls and see that the proxy does its job.

    Raises BenchError where none completes, or where the trunk sees what it should not.
    """
    played = generator.play(proxy.address, WARM)
    if not played.completed:
        raise BenchError(f"{name} completes no call: {played}")
    if name != "null" and played.leaks:
        raise BenchError(f"{name} lets the trunk see {played.leaked!r}: not the job that is compared")


def settle(proxies: Mapping[str, Proxy], patience: float = 60.0) -> None:
    """Wait until nobody is busy any more: one that was overloaded goes on with retransmissions for a while.

    Raises BenchError when that does not end.
    """
    for _ in range(int(patience / QUIET_AFTER)):
        before = account(*(proxy.pid for proxy in proxies.values()))
        time.sleep(QUIET_AFTER)
        after = account(*(proxy.pid for proxy in proxies.values()))
        if after.since(before).total < QUIET * QUIET_AFTER * 1e6:
            return
    raise BenchError(f"the proxies are still busy {patience:.0f} s after their calls")


def take_turn(name: str, proxy: Proxy, generator: Generator, load: tuple[str, Load], number: int, cores: Cores) -> Turn:
    """Measure one contender under one load."""
    calibration = machine(cores.proxy)
    proxy.check()
    before, busy_before = account(proxy.pid), busy(cores.proxy)
    played = generator.play(proxy.address, load[1])
    after, busy_after = account(proxy.pid), busy(cores.proxy)
    used = after.since(before).total
    elapsed = max(1.0, played.elapsed * 1e6 * max(1, len(cores.proxy)))
    others = max(0.0, busy_after - busy_before - used) / elapsed if cores.proxy else 0.0
    return Turn(
        name, load[0], number, played, used / max(1, played.completed), proportional(proxy.pid), used / elapsed, others,
        calibration,
    )  # fmt: skip


def busy(cores: Sequence[int]) -> float:
    """Return the microseconds for which cores have been busy since the start, whoever it was (ticks of 10 ms)."""
    total = 0
    for line in Path("/proc/stat").read_text().splitlines():
        words = line.split()
        if words and words[0] in {f"cpu{core}" for core in cores}:
            user, nice, system, _idle, _wait, irq, softirq, steal = map(int, words[1:9])
            total += user + nice + system + irq + softirq + steal
    return total * 10_000
