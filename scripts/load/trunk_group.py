"""Load on a group of three trunks, one of which is killed and one begins to swallow all, until both are back.

    callers ──> proxy ──┬── first     killed at a fifth of the time, there again at three fifths
                        ├── second    swallows everything from two fifths to three fifths
                        └── third     answers all the time

Each call is followed by itself. What rang, or was up, at a trunk in the moment in which that went is told apart: nobody
can take such a call elsewhere.
"""

from __future__ import annotations

import math
import select
import time
from collections.abc import Mapping
from pathlib import Path

from scripts.load import figures
from scripts.load.addresses import TRUNK, free, phones
from scripts.load.alarm import Alarms
from scripts.load.config import MANY_CALLS, METRICS, access, document, listener, route, table, trunk
from scripts.load.group_calls import Call, GroupCalls
from scripts.load.group_trunk import GroupTrunk
from scripts.load.looks import CPU, Look, Looks
from scripts.load.proxy import Proxy
from scripts.load.trial import Trial
from scripts.load.trunk_group_result import MARGIN, Failed, Group, Grouped

NAMES = MEMBERS = ("first", "second", "third")
SOURCES = 16
PATIENCE = 5.0
"""Seconds beyond two failovers after which a caller gives up."""
TURN = 0.005
SETTLE = 15.0
"""Seconds after the last call in which callers give up or get their answers."""


class GroupTrial(Trial[Group, Grouped]):
    """Callers, trunks and what happens to them, in one thread."""

    def __init__(self, load: Group, folder: Path) -> None:
        """Bind callers and trunks."""
        super().__init__(load, folder)
        self._alarms = Alarms()
        patience = 2 * load.failover + PATIENCE
        own = [free(host) for host in phones(SOURCES)]
        self._calls = GroupCalls(own, self.proxy, load.talk / 1000, patience, self._alarms)
        self._trunks = {
            name: GroupTrunk(name, free(TRUNK), load.ring / 1000, self._alarms, self._calls.seen) for name in NAMES
        }
        self._poll = select.epoll()
        for sock in [*self._calls.socks, *(each.sock for each in self._trunks.values() if each.sock)]:
            self._poll.register(sock.fileno(), select.EPOLLIN)
        self._began = 0.0

    def configuration(self) -> str:
        """Return a group whose members have the same rank."""
        health = table("trunks.health", options=self.load.options)
        trunks = (trunk(name, each.address, "access") + health for name, each in self._trunks.items())
        members = (table("[groups.members]", trunk=name) for name in MEMBERS)
        return document(
            listener("access", self.proxy), access("access"), *trunks,
            table("[groups]", name="carriers", failover=self.load.failover), *members,
            route("access", "carriers"), MANY_CALLS, METRICS,
        )  # fmt: skip

    def play(self, proxy: Proxy, looks: Looks) -> Grouped:
        """Begin calls at their times until all have ended, or nobody waits any longer."""
        load, calls = self.load, self._calls
        began = self._began = looks.meter.began
        self._plan_events()
        total, patience = round(load.rate * load.seconds), 2 * load.failover + SETTLE
        while True:
            now = time.monotonic()
            while len(calls.calls) < min(total, (now - began) * load.rate):
                calls.begin(now)
            if calls.done >= total or now > began + load.seconds + patience:
                break
            self._poll.poll(TURN)
            self._turn(time.monotonic())
            looks.look()
        return self._result(looks)

    def close(self) -> None:
        """Close all sockets."""
        self._calls.close()
        for each in self._trunks.values():
            each.close()
        self._poll.close()

    def counted(self) -> Mapping[str, float]:
        """Return how many calls have begun, ended, and wait."""
        calls = self._calls.calls
        waiting = sum(1 for call in calls if not call.answered and not call.status)
        return {"begun": len(calls), "done": self._calls.done, "waiting": waiting}

    def panels(self, last: Look, now: Look) -> Mapping[str, float]:
        """Return what is drawn."""
        since, span = self._began + last.moment.at, max(0.001, now.moment.at - last.moment.at)
        recent = [call.set_up for call in self._calls.calls if call.answered > since]
        return {
            "calls/s set up": len(recent) / span, "longest set-up, s": max(recent, default=0.0),
            "calls without an answer yet": now.counted["waiting"], CPU: now.moment.cpu_percent(last.moment),
        }  # fmt: skip

    def words(self, now: Look) -> str:
        """Return how far it is."""
        done, begun, waiting = (now.counted[each] for each in ("done", "begun", "waiting"))
        return f"{done}/{begun} ended, {waiting} without an answer yet"

    def _plan_events(self) -> None:
        began, load, alarms = self._began, self.load, self._alarms
        first, second = self._trunks["first"], self._trunks["second"]
        alarms.at(began + load.killed_at, first.kill)
        alarms.at(began + load.swallows_at, second.swallow)
        alarms.at(began + load.back_at, self._back)

    def _back(self, _now: float) -> None:
        self._poll.register(self._trunks["first"].begin().fileno(), select.EPOLLIN)
        self._trunks["second"].swallows = False

    def _turn(self, now: float) -> None:
        self._calls.turn(now)
        for each in self._trunks.values():
            each.turn(now)
        self._alarms.ring(now)

    def _result(self, looks: Looks) -> Grouped:
        load, calls, used = self.load, self._calls.calls, looks.meter.now().used.total
        answered = [call for call in calls if call.answered]
        before = [call.set_up for call in answered if call.began < self._began + load.killed_at - MARGIN]
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
            leaks=sum(each.leaks for each in self._trunks.values()),
            cpu_us_per_call=used / len(answered) if answered else None, samples=tuple(looks.samples),
        )  # fmt: skip

    def _wave(self, delayed: list[Call], event: float) -> list[Call]:
        """Return the delayed calls that began within a failover time and some of an event."""
        begin = self._began + event
        return [call for call in delayed if begin - MARGIN <= call.began <= begin + self.load.failover + MARGIN]

    def _since(self, wave: list[Call], event: float) -> float | None:
        return max(call.began for call in wave) - self._began - event if wave else None

    def _first_after(self, answered: list[Call], name: str) -> float | None:
        back = self._began + self.load.back_at
        times = [call.answered for call in answered if call.began > back and _trunk_of(call) == name]
        return min(times) - back if times else None

    def _failed(self, call: Call) -> Failed:
        last = max(call.began, call.rang, call.answered, call.left, *(at for _, at in call.seen))
        return Failed(call.number, call.began - self._began, call.state, call.status or 408, last - call.began,
                      tuple(name for name, _ in call.seen), self._went_with_its_trunk(call))  # fmt: skip

    def _went_with_its_trunk(self, call: Call) -> bool:
        """Tell whether a call had rung at a trunk, or was up there, when that went."""
        if not call.seen:
            return False
        name, seen = call.seen[-1]
        return seen <= self._trunks[name].went < (call.ended or math.inf)


def _trunk_of(call: Call) -> str:
    """Return where a call was last, as far as any trunk has seen it."""
    return call.seen[-1][0] if call.seen else ""
