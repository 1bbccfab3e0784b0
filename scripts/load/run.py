"""One run: a scenario at a rate through a proxy."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol

from scripts.load import figures
from scripts.load.account import Account
from scripts.load.addresses import PHONE, PROXY, TRUNK, Address, dropped, free, phones
from scripts.load.canaries import CANARIES, DIALLED
from scripts.load.config import RELOADED, STATE, configuration
from scripts.load.cores import pinned
from scripts.load.errors import LoadError
from scripts.load.gaps import Gaps
from scripts.load.meter import START, Meter, Moment
from scripts.load.offered import OfferedCalls
from scripts.load.proxy import Proxy, sipveil
from scripts.load.reloads import Reloads
from scripts.load.result import Leak, Reloading, Result
from scripts.load.scenario import Scenario
from scripts.load.search import Search
from scripts.load.sipp import Sipp, options, program
from scripts.load.tape import Tape

PATIENCE = 10_000
"""Milliseconds that a caller waits for a message besides ringing and talking: five copies of an INVITE."""
STUCK = 60.0
"""Seconds without a call that ends, after which nothing will come any more (timer B and F are 32 s)."""
SETTLE = 0.3
"""Seconds after the last call in which the proxy finishes what it has in hand."""
OWN_SOCKETS = 1
"""Sockets that SIPp counts against -max_socket and does not call from, with -t un."""
LOOK = 0.25
"""Seconds between two looks at the counters."""


@dataclass(frozen=True, kw_only=True)
class Load(OfferedCalls):
    """What is offered to the proxy."""

    rate: float = 100.0
    """New calls a second."""
    calls: int = 1000
    limit: int = 0
    """Most calls in flight; 0: no limit, so that the rate stays what it is whatever the proxy does."""
    sources: int = 1
    """Addresses that the calls come from, in turn, a port on each: other phones."""
    ports: int = 1
    """Ports of one address that the calls come from, so many at a time: phones behind one NAT. Not with sources."""
    workers: int = 1
    keep: tuple[str, ...] = ()
    """Categories of data that the proxy is told to let pass, to see that the search finds them."""
    reload_every: float | None = None
    """Seconds from one reload of the proxy's configuration to the next; None: it is left alone."""
    port: int = 0
    """The proxy's port; 0: any."""


class Target(Protocol):
    """The proxy under test."""

    @property
    def address(self) -> Address:
        """Return where it listens."""

    @property
    def pid(self) -> int:
        """Return the process whose tree is accounted."""

    def check(self) -> None:
        """Raise LoadError if it runs no more."""


class Snapshot(NamedTuple):
    """How far a run is."""

    seconds: float
    """Since the first call."""
    callers: figures.Counts
    trunk: figures.Counts
    cpu: float
    """Microseconds that the proxy has used since the first call."""
    leaks: int
    """Kinds of leaks so far."""


Watch = Callable[[Snapshot], None]


def run(scenario: Scenario, load: Load, folder: Path, watch: Watch = lambda _: None) -> Result:
    """Start a Sipveil in folder, drive it, stop it."""
    program()  # say what is not installed before anything is started
    address, trunk = free(PROXY, load.port), free(TRUNK)
    config = folder / "sipveil.toml"
    texts = [
        configuration(address, trunk, workers=load.workers, contract=contract, keep=load.keep)
        for contract in (scenario.contract, f"{scenario.contract}\n{RELOADED}")
    ]
    config.write_text(texts[0])
    reloads = load.reload_every and Reloads(load.reload_every, config, folder / STATE, texts[::-1])
    with Proxy(sipveil(config), address, folder, cores=load.cores.proxy, probe_from=PHONE) as proxy:
        return drive(scenario, load, proxy, trunk, folder, watch, reloads or None)


def drive(
    scenario: Scenario, load: Load, proxy: Target, trunk: Address, folder: Path, watch: Watch = lambda _: None,
    reloads: Reloads | None = None,
) -> Result:  # fmt: skip
    """Play a scenario between callers and a trunk at this address, through a proxy that sends calls there."""
    search, gaps = Search(CANARIES, time.monotonic), Gaps()

    def take(message: bytes, at: float) -> None:
        gaps.message(at)
        search.message(message)

    with ExitStack() as stack:
        stack.enter_context(pinned(load.cores.load))
        tape = stack.enter_context(Tape(folder / "trunk.trace", take))
        callee = stack.enter_context(Sipp(_trunk(scenario, load, trunk, tape.path), trunk, folder))
        local = free(PHONE)
        meter = Meter(proxy.pid)
        caller = stack.enter_context(Sipp(_caller(scenario, load, local, proxy.address, folder), local, folder))

        def look() -> Snapshot:
            now = meter.now()
            return Snapshot(now.at, caller.counts, callee.counts, now.used.total, len(search.leaks))

        with reloads or nullcontext():
            _wait(caller, proxy, look, watch)
        seconds = meter.seconds
        time.sleep(SETTLE)
        proxy.check()
        used, lost = meter.now().used, dropped(proxy.address)
    set_ups = [call for path in folder.glob("caller_*_rtt.csv") for call in figures.set_ups(path)]
    result = _result(scenario, load, _Ends(caller, callee, search, set_ups, lost), meter.before, Moment(seconds, used))
    return result if reloads is None else replace(result, reloads=_reloading(reloads, gaps))


def _reloading(reloads: Reloads, gaps: Gaps) -> Reloading:
    """Put together what came of reloads, once all messages at the trunk are known."""
    return Reloading(
        made=len(reloads.done),
        refused=reloads.refused,
        longest_ms=max(((span.ended - span.began) * 1000 for span in reloads.done), default=0.0),
        gap_ms=gaps.longest(reloads.during),
        other_gap_ms=gaps.longest(lambda began, ended: not reloads.during(began, ended)),
    )


def _wait(caller: Sipp, proxy: Target, look: Callable[[], Snapshot], watch: Watch) -> None:
    """Return when the caller has ended its calls."""
    moved, ended = time.monotonic(), 0
    while caller.code is None:
        time.sleep(LOOK)
        proxy.check()
        snapshot = look()
        watch(snapshot)
        now_ended = snapshot.callers.succeeded + snapshot.callers.failed
        if now_ended != ended:
            moved, ended = time.monotonic(), now_ended
        elif time.monotonic() - moved > STUCK:
            raise LoadError(f"no call has ended for {STUCK:.0f} s, after {ended}")
    if caller.code not in (0, 1):  # 1: some calls failed
        raise LoadError(f"the callers' SIPp has ended with {caller.code}; the last it said: {caller.last_line()}")


def _trunk(scenario: Scenario, load: Load, local: Address, trace: Path) -> list[str]:
    return [*options(scenario.trunk_file, local, load.ring), "-trace_msg", "-message_file", str(trace)]


def _caller(scenario: Scenario, load: Load, local: Address, proxy: Address, folder: Path) -> list[str]:
    return [
        *options(scenario.caller_file, local, load.talk), *_sources(load, folder),
        "-r", str(max(1, round(load.rate * 10))), "-rp", "10000", "-m", str(load.calls), "-s", DIALLED,
        "-l", str(load.limit or load.calls + 1), "-recv_timeout", str(PATIENCE + load.ring + load.talk),
        "-trace_rtt", "-rtt_freq", "1", f"{proxy[0]}:{proxy[1]}",
    ]  # fmt: skip


def _sources(load: Load, folder: Path) -> list[str]:
    """Return what makes SIPp call from several addresses or ports.

    Addresses have one socket each (-t ui), for the whole run. Of ports SIPp can only take another for each call, and
    share them among calls where there are more (-t un): a repetition that comes after the call finds it gone.
    """
    if load.ports > 1:
        return ["-t", "un", "-max_socket", str(load.ports + OWN_SOCKETS)]
    if load.sources == 1:
        return []
    file = folder / "sources.csv"
    file.write_text("SEQUENTIAL\n" + "".join(f"{phone};\n" for phone in phones(load.sources)))
    return ["-t", "ui", "-inf", str(file), "-max_socket", str(load.sources + 16)]


class _Ends(NamedTuple):
    """Those who know what happened, after it."""

    caller: Sipp
    callee: Sipp
    search: Search
    set_ups: list[figures.SetUp]
    lost: int


def _result(scenario: Scenario, load: Load, ends: _Ends, before: Account, end: Moment) -> Result:
    """Put a result together."""
    callers, search = ends.caller.counts, ends.search
    completed = callers.succeeded - callers.refused
    if search.messages < completed:
        raise LoadError(f"{completed} calls were completed, but only {search.messages} messages at the trunk were seen")
    return Result(
        scenario=scenario.name,
        rate=load.rate,
        limit=load.limit,
        sources=load.sources,
        ports=load.ports,
        workers=load.workers,
        calls=load.calls,
        completed=completed,
        refused=callers.refused,
        failed=load.calls - callers.succeeded,
        reasons=figures.why_failed(ends.caller.statistics),
        surprise=ends.caller.first_surprise or ends.callee.first_surprise,
        retransmissions=callers.retransmissions + ends.callee.counts.retransmissions,
        dropped=ends.lost,
        seconds=end.at,
        achieved=figures.steady_rate(ends.set_ups),
        ring_ms=load.ring if scenario.rings else 0,
        set_up_ms=figures.percentiles([call.took for call in ends.set_ups]),
        cpu_us_per_call=end.used.total / completed if completed else None,
        cpu_us_by_process=[round(each) for each in end.used.cpu.values()],
        cpu_percent=end.cpu_percent(START),
        resident_before=before.resident,
        resident_after=end.used.resident,
        searched=search.messages,
        searched_decoded=search.decoded,
        leaks=[Leak(place, message, times) for (place, message), times in sorted(search.leaks.items())],
    )
