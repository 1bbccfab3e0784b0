"""OPTIONS to trunks that the configuration has asked about: what is silent is found out before a call is.

Each address gets one every `health.options` seconds, and the answer goes into the memory of failures
(`proxy/outages.py`): any answer but 503 says that it is there (RFC 3261 §11: whoever is asked must answer), a challenge
too, which is answered where we have a password; silence for 8*T1 says that it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from config.vocabulary import Zone
from proxy.authorised import Authorised
from proxy.hop import Hop
from proxy.location import MAX_TARGETS
from proxy.message import Message
from proxy.originate import Ask, fresh_id, hops_of, locate
from proxy.party import Party

if TYPE_CHECKING:
    from proxy.core import Core

PATIENCE = 8
"""Times T1 without an answer after which an address is out: when an INVITE's target would be in doubt."""
FIRST_AFTER = 1.0
"""Seconds from a start or reload to the first ones."""


class Probes:
    """All probes of one core."""

    __slots__ = ("_core", "_running", "stale")

    def __init__(self, core: Core) -> None:
        """Begin with none; `begin` starts those of the running settings."""
        self._core = core
        self._running: dict[str, float] = {}
        """Trunk → seconds between its probes."""
        self.stale = True
        """Whether the settings are other ones than at the last `begin`."""

    def begin(self, now: float) -> None:
        """Start the probes that the settings want and that do not run; the others end by themselves."""
        self.stale = False
        for trunk in self._core.generation.network.trunks:
            if trunk.health.options and trunk.name not in self._running:
                self._running[trunk.name] = trunk.health.options
                self._core.wheel.start(now, min(FIRST_AFTER, trunk.health.options), self, trunk.name)

    def fire(self, name: str, now: float) -> None:
        """Probe a trunk, and again after its interval; `name` is the trunk's."""
        network = self._core.generation.network
        trunk = next((each for each in network.trunks if each.name == name), None)
        if trunk is None or not trunk.health.options:
            del self._running[name]
            return
        self._running[name] = trunk.health.options
        self._core.wheel.start(now, trunk.health.options, self, name)
        party = Party(Zone.TRUNK, trunk)
        for hop in hops_of(self._core, party):
            locate(self._core, hop, self._found, now)

    def _found(self, hops: Sequence[Hop], now: float) -> None:
        """Ask the addresses that a host of a trunk leads to."""
        for hop in hops[:MAX_TARGETS]:
            _probe(self._core, hop, now)


def _probe(core: Core, hop: Hop, now: float) -> None:
    """Ask one address what it can do (§11.1); it need not tell, only answer."""
    generation = core.generation
    here, there = generation.origin(hop.party), generation.domain(hop.party)
    what = Ask(
        b"OPTIONS", b"sip:" + there, b"<sip:%b>" % here, b"<sip:%b>" % there, fresh_id(),
        extra=(b"Contact: <sip:%b>" % here, b"Accept: application/sdp"),
    )  # fmt: skip
    answer = _Answer(core)
    answer.asked = Authorised(core, hop, what, answer, PATIENCE * core.timers.t1)
    answer.asked.begin(now)


class _Answer:
    """Writes down what an OPTIONS found out."""

    __slots__ = ("_core", "asked")

    def __init__(self, core: Core) -> None:
        self._core = core
        self.asked: Authorised | None = None

    def answered(self, status: int, response: Message | None, now: float) -> None:
        core, asked = self._core, self.asked
        self.asked = None
        client = asked.client if asked is not None else None
        if asked is None or client is None:
            return
        if response is None and not asked.challenged:
            core.counters.add("probes", "silent" if status == 408 else "unreachable")
            core.responses.unheard(client, now)
        elif status == 503 and response is not None:
            core.counters.add("probes", "refused")
            core.responses.busy(client, response, now)
        else:
            core.counters.add("probes", "answered")
            core.outages.probed(client.flow.peer, now)
