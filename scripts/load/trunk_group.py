"""Load on a group of three trunks, one of which is killed and one begins to swallow all, until both are back.

    callers ──> proxy ──┬── first     killed at a fifth of the time, there again at three fifths
                        ├── second    swallows everything from two fifths to three fifths
                        └── third     answers all the time

Each call is followed by itself. What rang, or was up, at a trunk in the moment in which that went is told apart: nobody
can take such a call elsewhere.
"""

from __future__ import annotations

import select
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from scripts.load import figures
from scripts.load.account import Account, account
from scripts.load.accounts import REALM
from scripts.load.addresses import PHONE, PHONES, PROXY, TRUNK, Address, free, phones
from scripts.load.alarm import Alarms
from scripts.load.cores import Cores, pinned
from scripts.load.group_calls import Call, GroupCalls
from scripts.load.group_trunk import GroupTrunk
from scripts.load.proxy import Proxy, sipveil
from scripts.load.series import Sample

TEXT = """\
state_dir = "state"
realms = ["{realm}"]

[[listeners]]
name = "access"
address = "{proxy[0]}"
port = {proxy[1]}

[access]
networks = ["{phones}"]
listener = "access"
{trunks}
[[groups]]
name = "carriers"
failover = {failover}
members = [{{ trunk = "first" }}, {{ trunk = "second" }}, {{ trunk = "third" }}]

[[routes]]
source = "access"
to = ["carriers"]

[limits]
transactions = 1000000

[metrics]
port = 0
"""
ONE = """
[[trunks]]
name = "{name}"
hosts = ["{address[0]}:{address[1]}"]
listener = "access"
health = {{ options = {options} }}
"""
NAMES = ("first", "second", "third")
SOURCES = 16
MARGIN = 1.0
"""Seconds above the failover time that a call may take: a machine that is busy is no fault of the group's."""
PATIENCE = 5.0
"""Seconds beyond two failovers after which a caller gives up."""
LOOK = 1.0
TURN = 0.005
SETTLE = 15.0
"""Seconds after the last call in which callers give up or get their answers."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """What is offered to the proxy, and what happens meanwhile."""

    rate: float = 250.0
    """New calls a second."""
    seconds: float = 90.0
    failover: float = 5.0
    """`groups.failover`."""
    options: float = 0.0
    """`trunks.health.options`; 0: only calls find out."""
    ring: int = 20
    """Milliseconds from 180 to 200."""
    talk: int = 500
    """Milliseconds from ACK to BYE."""
    cores: Cores = field(default_factory=Cores)

    @property
    def killed_at(self) -> float:
        """Return after how many seconds the first trunk is killed."""
        return self.seconds * 0.2

    @property
    def swallows_at(self) -> float:
        """Return after how many the second one begins to swallow."""
        return self.seconds * 0.4

    @property
    def back_at(self) -> float:
        """Return after how many both are back."""
        return self.seconds * 0.6


class Snapshot(NamedTuple):
    """How far a run is."""

    at: float
    """Seconds since it began."""
    begun: int
    done: int
    waiting: int
    """Calls that have neither an answer nor an end."""
    cpu: float
    """Microseconds that the proxy has used since then."""


Watch = Callable[[Snapshot], None]


class Failed(NamedTuple):
    """A call that was not answered, or whose end was not."""

    call: int
    at: float
    """When it began, seconds since the run did."""
    state: str
    """`called`, `rang`, `up`."""
    status: int
    """Of its last answer; 408: none came."""
    took: float
    """Seconds from its beginning to its last word, or to the moment in which the caller gave up."""
    trunks: tuple[str, ...]
    """Where its INVITE was seen."""
    unavoidable: bool
    """Whether it rang or was up at a trunk when that went."""


@dataclass(frozen=True, kw_only=True)
class Grouped:
    """What a run has shown."""

    load: Group
    calls: int
    answered: int
    ended: int
    by_trunk: dict[str, int]
    failures: list[Failed]
    normal_ms: dict[str, float | None]
    """Set-up times before anything happened."""
    all_ms: dict[str, float | None]
    delayed: int
    """Calls that were set up, and took half of the failover time or more."""
    longest_beyond: float
    """Seconds that the longest set-up took beyond the median before anything happened, of calls that could be moved."""
    detection: dict[str, float | None]
    """Trunk → seconds from its end to the beginning of the last call of the first wave that had to wait for it."""
    back: dict[str, float | None]
    """Trunk → seconds from its return to the first call that it answered."""
    probes: int
    """Delayed calls behind that wave: the one in half a minute that finds out."""
    leaks: int
    cpu_us_per_call: float | None
    samples: tuple[Sample, ...]

    @property
    def lost(self) -> list[Failed]:
        """Return the calls that another trunk could have taken."""
        return [each for each in self.failures if not each.unavoidable and each.status != 503]

    @property
    def refused(self) -> int:
        """Return the calls that got 503: of the proxy, which had too much to do, for no trunk here says it."""
        return sum(1 for each in self.failures if each.status == 503)

    @property
    def leaking(self) -> bool:
        """Tell whether a trunk saw a caller's number."""
        return self.leaks > 0

    @property
    def failing(self) -> bool:
        """Tell whether a call was lost, or took longer than the failover time allows."""
        return bool(self.lost) or self.longest_beyond > self.load.failover + MARGIN

    def text(self) -> str:
        """Return it for a person."""
        load = self.load
        kinds = Counter((each.state, each.status) for each in self.failures if each.unavoidable)
        gone = ", ".join(f"{state} {number}" for (state, _), number in kinds.items())
        rows = {
            "calls": f"{self.calls}, answered {self.answered}, ended by BYE {self.ended}",
            "by trunk": ", ".join(f"{name} {number}" for name, number in self.by_trunk.items()),
            "lost": str(len(self.lost)),
            "refused (503)": str(self.refused),
            "went with a trunk": f"{sum(kinds.values())}" + (f" ({gone})" if gone else ""),
            "set-up before, ms": figures.words(self.normal_ms),
            "set-up in all, ms": figures.words(self.all_ms),
            "delayed": f"{self.delayed}, of which {self.probes} later found out whether a trunk is back",
            "longest beyond": f"{self.longest_beyond:.2f} s (failover {load.failover:g} s)",
            "detection, s": _seconds(self.detection),
            "back in use, s": _seconds(self.back),
            "CPU of the proxy": "-" if self.cpu_us_per_call is None else f"{self.cpu_us_per_call:.0f} µs a call",
        }
        head = (
            f"trunk-group: {load.rate:g} calls/s for {load.seconds:g} s, first killed at {load.killed_at:g} s, second "
            f"swallows from {load.swallows_at:g} s, both back at {load.back_at:g} s"
        )
        told = [
            f"    call {each.call} at {each.at:.2f} s: {each.state}, {each.status}, after {each.took:.2f} s, seen at "
            f"{', '.join(each.trunks) or 'no trunk'}{' (went with it)' if each.unavoidable else ''}"
            for each in [each for each in self.failures if each.status != 503][:20]
        ]
        leak = f"  LEAKS: {self.leaks} messages had a caller's number" if self.leaks else "  no leaks"
        return "\n".join([head, *(f"  {name:<18}  {value}" for name, value in rows.items()), *told, leak])

    def as_json(self) -> dict[str, Any]:
        """Return what json.dumps takes."""
        found = asdict(self)
        found["failures"] = [each._asdict() for each in self.failures]
        found["samples"] = [{"at": sample.at, **sample.values} for sample in self.samples]
        return {
            "scenario": "trunk-group",
            **found.pop("load"),
            **found,
            "lost": len(self.lost),
            "refused": self.refused,
        }


def _seconds(times: dict[str, float | None]) -> str:
    return ", ".join(f"{name} {'-' if at is None else f'{at:.2f}'}" for name, at in times.items())


def run(load: Group, folder: Path, watch: Watch = lambda _: None) -> Grouped:
    """Start a Sipveil in folder, play calls while trunks go and come back, stop it.

    Raises LoadError where that cannot be.
    """
    proxy, trunks = free(PROXY), {name: free(TRUNK) for name in NAMES}
    config = folder / "sipveil.toml"
    tables = "".join(ONE.format(name=name, address=at, options=load.options) for name, at in trunks.items())
    config.write_text(TEXT.format(realm=REALM, proxy=proxy, phones=PHONES, trunks=tables, failover=load.failover))
    with (
        Proxy(sipveil(config), proxy, folder, cores=load.cores.proxy, probe_from=PHONE) as running,
        pinned(load.cores.load),
    ):
        play = _Play(load, running, trunks, watch)
        try:
            play.go()
        finally:
            play.close()
        running.check()
        return play.result()


class _Play:
    """Callers, trunks and what happens to them, in one thread."""

    def __init__(self, load: Group, proxy: Proxy, trunks: dict[str, Address], watch: Watch) -> None:
        self._load, self._proxy, self._watch = load, proxy, watch
        self._alarms = Alarms()
        hosts = [free(host) for host in phones(SOURCES)]
        patience = 2 * load.failover + PATIENCE
        self.calls = GroupCalls(hosts, proxy.address, load.talk / 1000, patience, self._alarms)
        self.trunks = {
            name: GroupTrunk(name, at, load.ring / 1000, self._alarms, self.calls.seen) for name, at in trunks.items()
        }
        self._poll = select.epoll()
        for sock in [*self.calls.socks, *(each.sock for each in self.trunks.values() if each.sock)]:
            self._poll.register(sock.fileno(), select.EPOLLIN)
        self._before: Account = account(proxy.pid)
        self._used = 0.0
        self.samples: list[Sample] = []

    def go(self) -> None:
        """Play to the end."""
        load, alarms = self._load, self._alarms
        self.began = began = time.monotonic()
        first, second = self.trunks["first"], self.trunks["second"]
        alarms.at(began + load.killed_at, lambda _: first.kill())
        alarms.at(began + load.swallows_at, lambda _: setattr(second, "swallows", True))
        alarms.at(began + load.back_at, self._back)
        alarms.at(began + LOOK, lambda now: self._look(now, Snapshot(0.0, 0, 0, 0, 0.0)))
        total, patience = round(load.rate * load.seconds), 2 * load.failover + SETTLE
        while True:
            now = time.monotonic()
            while len(self.calls.calls) < min(total, (now - began) * load.rate):
                self.calls.begin(now)
            if self.calls.done >= total or now > began + load.seconds + patience:
                break
            self._poll.poll(TURN)
            now = time.monotonic()
            self.calls.turn(now)
            for trunk in self.trunks.values():
                trunk.turn(now)
            alarms.ring(now)
        self._used = account(self._proxy.pid).since(self._before).total

    def close(self) -> None:
        self.calls.close()
        for trunk in self.trunks.values():
            trunk.kill()
        self._poll.close()

    def _back(self, _now: float) -> None:
        self._poll.register(self.trunks["first"].begin().fileno(), select.EPOLLIN)
        self.trunks["second"].swallows = False

    def _look(self, now: float, last: Snapshot) -> None:
        calls = self.calls.calls
        waiting = sum(1 for call in calls if not call.answered and not call.status)
        used = account(self._proxy.pid).since(self._before).total
        seen = Snapshot(now - self.began, len(calls), self.calls.done, waiting, used)
        span = max(0.001, seen.at - last.at)
        recent = [call.set_up for call in calls if call.answered > now - span]
        self.samples.append(Sample(seen.at, {
            "calls/s set up": len(recent) / span, "longest set-up, s": max(recent, default=0.0),
            "calls without an answer yet": waiting, "proxy's CPU, % of a core": (used - last.cpu) / span / 1e4,
        }))  # fmt: skip
        self._watch(seen)
        self._alarms.at(now + LOOK, lambda at: self._look(at, seen))

    def result(self) -> Grouped:
        load, calls = self._load, self.calls.calls
        answered = [call for call in calls if call.answered]
        before = [call.set_up for call in answered if call.began < self.began + load.killed_at - MARGIN]
        usual = figures.percentile(sorted(before), 0.5) or 0.0
        free_to_move = [call for call in answered if not self._went_with_its_trunk(call)]
        delayed = [call for call in free_to_move if call.set_up >= load.failover / 2]
        events = {"first": load.killed_at, "second": load.swallows_at}
        waves = {name: self._wave(delayed, at) for name, at in events.items()}
        return Grouped(
            load=load, calls=len(calls), answered=len(answered), ended=sum(1 for call in calls if call.ended),
            by_trunk={name: sum(1 for call in answered if _trunk_of(call) == name) for name in NAMES},
            failures=[self._failed(call) for call in calls if not call.answered or not call.ended],
            normal_ms=figures.percentiles([each * 1000 for each in before]),
            all_ms=figures.percentiles([call.set_up * 1000 for call in answered]),
            delayed=len(delayed), longest_beyond=max((call.set_up for call in free_to_move), default=0.0) - usual,
            detection={name: self._since(wave, events[name]) for name, wave in waves.items()},
            back={name: self._first_after(answered, name) for name in events},
            probes=len(delayed) - len({call.number for wave in waves.values() for call in wave}),
            leaks=sum(trunk.leaks for trunk in self.trunks.values()),
            cpu_us_per_call=self._used / len(answered) if answered else None, samples=tuple(self.samples),
        )  # fmt: skip

    def _wave(self, delayed: list[Call], event: float) -> list[Call]:
        """Return the delayed calls that began within a failover time and some of an event."""
        begin = self.began + event
        return [call for call in delayed if begin - MARGIN <= call.began <= begin + self._load.failover + MARGIN]

    def _since(self, wave: list[Call], event: float) -> float | None:
        return max(call.began for call in wave) - self.began - event if wave else None

    def _first_after(self, answered: list[Call], name: str) -> float | None:
        back = self.began + self._load.back_at
        times = [call.answered for call in answered if call.began > back and _trunk_of(call) == name]
        return min(times) - back if times else None

    def _failed(self, call: Call) -> Failed:
        last = max(call.began, call.rang, call.answered, call.left, *(at for _, at in call.seen))
        return Failed(call.number, call.began - self.began, call.state, call.status or 408, last - call.began,
                      tuple(name for name, _ in call.seen), self._went_with_its_trunk(call))  # fmt: skip

    def _went_with_its_trunk(self, call: Call) -> bool:
        """Tell whether a call had rung at a trunk, or was up there, when that went."""
        if not call.seen:
            return False
        trunk, seen = call.seen[-1]
        went = {"first": self._load.killed_at, "second": self._load.swallows_at}
        return trunk in went and seen <= self.began + went[trunk] < (call.ended or float("inf"))


def _trunk_of(call: Call) -> str:
    """Return where a call was last, as far as any trunk has seen it."""
    return call.seen[-1][0] if call.seen else ""
