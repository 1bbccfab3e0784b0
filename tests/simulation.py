"""A simulated hour in seconds: callers, a kernel queue, one reader and overload control, in virtual time.

Only the costs are assumed; the controller is the real one. The reader takes 64 datagrams a wake-up and reports
as `proxy.transport` does. A call is the seven messages that cross the proxy; its set-up ends with the 200.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter, deque
from dataclasses import dataclass, field

from config.settings import Overload as OverloadSettings
from proxy.overload import Overload

COSTS = {"INVITE": 110e-6, "180": 40e-6, "200": 45e-6, "ACK": 30e-6, "BYE": 45e-6, "200 BYE": 30e-6}
"""Seconds of CPU for each message of a call that is taken, with what it makes us send: 300 µs a call."""
CAPACITY = 1 / sum(COSTS.values())
"""Calls a second that one core carries."""
REFUSED, ABSORBED, REPEATED = 25e-6, 8e-6, 12e-6
"""Seconds for an INVITE that is refused, the ACK of the refusal, and the repetition of an INVITE."""
T1 = 0.5
ROOM = 1900
"""Datagrams of 2 KB that a receive buffer of 4 MB holds."""
BATCH = 64
TICK = 0.05
HOLD = 2.0
"""Seconds that a call lasts."""


@dataclass
class Call:
    """What the caller knows."""

    number: int
    began: float
    taken: bool = False
    answered: bool = False
    wait: float = T1


@dataclass
class Simulation:
    """One run; `calls` counts what became of the calls, `setups` has (beginning, seconds until the 200)."""

    control: bool = True
    room: int = ROOM
    seed: int = 1
    settings: OverloadSettings = field(default_factory=OverloadSettings)

    def __post_init__(self) -> None:
        self.states: list[tuple[float, bool]] = []
        self.calls: Counter[str] = Counter()
        self.completed: list[float] = []
        self.setups: list[tuple[float, float]] = []
        self.now = 0.0
        self.lost = 0
        settings = self.settings.model_copy(update={"enabled": self.control})
        self.overload = Overload(settings, lambda begins: self.states.append((self.now, begins)))
        self._random = random.Random(self.seed)
        self._order = itertools.count()
        self._events: list[tuple[float, int, str, Call]] = []
        self._queue: deque[tuple[float, str, Call]] = deque()
        self._numbers = itertools.count()

    def offer(self, rate: float, begin: float, end: float) -> None:
        """Let calls arrive at random, `rate` a second."""
        at = begin
        while (at := at + self._random.expovariate(rate)) < end:
            self.arrive(at)

    def arrive(self, at: float) -> None:
        """Let one call arrive."""
        call = Call(next(self._numbers), at)
        self._at(at, "INVITE", call)
        self._at(at + T1, "timer A", call)

    def run(self, until: float) -> Simulation:
        """Let the reader work until then."""
        behind, tick = False, 0.0
        while self.now < until:
            self._deliver()
            if self.now >= tick:
                self.overload.tick(self.now)
                tick = self.now + TICK
            if not self._queue:
                self._sleep(behind)
                behind = False
                continue
            behind = self._wake_up(behind)
        return self

    def goodput(self, begin: float, end: float) -> float:
        """Return completed calls a second."""
        return sum(begin <= at < end for at in self.completed) / (end - begin)

    def p99(self, begin: float = 0.0) -> float:
        """Return the 99th percentile of set-up time in seconds, of the calls from begin on."""
        times = sorted(seconds for at, seconds in self.setups if at >= begin)
        return times[int(len(times) * 0.99)]

    def _at(self, when: float, what: str, call: Call) -> None:
        heapq.heappush(self._events, (when, next(self._order), what, call))

    def _sleep(self, behind: bool) -> None:
        if behind:
            self.overload.measured("main", 0.0, 0.0, self.now)
        self.now = self._events[0][0] if self._events else self.now + TICK

    def _wake_up(self, behind: bool) -> bool:
        """Read a batch; return whether there is more."""
        for number in range(BATCH):
            if not self._queue:
                if behind:
                    self.overload.measured("main", 0.0, 0.0, self.now)
                return False
            came, what, call = self._queue.popleft()
            if behind and number == 0:
                self.overload.measured("main", self.now - came, len(self._queue) / self.room, self.now)
            self.now += self._handle(what, call)
            self._deliver()
        return True

    def _deliver(self) -> None:
        """Put into the queue what has arrived by now."""
        while self._events and self._events[0][0] <= self.now:
            when, _, what, call = heapq.heappop(self._events)
            if what == "timer A":
                if call.taken or call.wait > 32 * T1:
                    continue
                call.wait *= 2
                self._at(when + call.wait, "timer A", call)
                what = "INVITE"
            if len(self._queue) < self.room:
                self._queue.append((when, what, call))
            else:
                self._lose(what, call, when)

    def _lose(self, what: str, call: Call, when: float) -> None:
        """Lose a datagram; what is retransmitted comes back, an INVITE by its own timer."""
        self.lost += 1
        if what in ("200", "BYE", "200 BYE"):
            self._at(when + T1, what, call)

    def _handle(self, what: str, call: Call) -> float:
        """Let the proxy handle a message, and its ends react; return its cost."""
        soon = self.now + 0.002
        if what == "INVITE":
            return self._invite(call, soon)
        if what == "refused":
            return ABSORBED
        if what == "200" and not call.answered:
            call.answered = True
            self.setups.append((call.began, self.now - call.began))
            self._at(soon, "ACK", call)
            self._at(self.now + HOLD, "BYE", call)
        elif what == "BYE":
            self._at(soon, "200 BYE", call)
        elif what == "200 BYE":
            self.completed.append(self.now)
        return COSTS[what]

    def _invite(self, call: Call, soon: float) -> float:
        if call.taken:
            return REPEATED
        call.taken = True  # or refused: the caller's timer stops either way
        if self.overload.active and not self.overload.takes(b"%d" % (call.number * 7919 + self.seed)):
            self.calls["refused"] += 1
            self._at(soon, "refused", call)
            return REFUSED
        self.calls["taken"] += 1
        self._at(soon, "180", call)
        self._at(soon, "200", call)
        return COSTS["INVITE"]
