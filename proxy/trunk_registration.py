"""One registration at a trunk: made, renewed, tried again, taken out (RFC 3261 §10.2, RFC 5626 §4).

    begin ─> REGISTER ─> 200 ─> waits for some 80 % of the time granted ─> REGISTER …
                │ 423: once more with its Min-Expires
                │ 503, another 5xx, silence, no way there: the next target, if there is one
                └ else, or no target left: waits (doubling, with jitter, Retry-After) ─> REGISTER …

A registration that could not be renewed holds until its time is over, for the trunk goes on sending calls until then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import inf
from secrets import randbelow
from typing import TYPE_CHECKING, Final

from proxy.authorised import ASKING, Authorised
from proxy.flow import Flow
from proxy.headers import delta_seconds
from proxy.hop import Hop
from proxy.location import MAX_TARGETS, is_address
from proxy.message import Message
from proxy.originate import fresh_id, hops_of, locate
from proxy.party import Party
from proxy.register_client import MAX_EXPIRES, Granted, Terms, granted, is_its_way, register, terms_of
from proxy.timers import Timer, cancel
from proxy.transports import DATAGRAM

if TYPE_CHECKING:
    from config.registration_section import Registration
    from proxy.core import Core

PATIENCE: Final = 16
"""Times T1 (8 s) without an answer after which the next target is tried."""
SOONEST: Final = 10.0
"""Seconds between two renewals at least, whatever a registrar grants."""
MOST_RETRY_AFTER: Final = 3600
"""Seconds that a Retry-After keeps us away at most: beyond, a mistake of the registrar's costs more than a question."""
KEEP_ALIVE: Final = 120
"""Most seconds between two keep-alives on a connection (RFC 5626 §4.4.1)."""
PING: Final = b"\r\n\r\n"
"""The keep-alive of streams (RFC 5626 §3.5.1)."""
STABLE: Final = 120.0
"""Seconds after which a connection that ends counts as one that has worked (RFC 5626 §4.5)."""
BACK_SOON: Final = 4.0
"""Most seconds until a registration is made anew whose connection has ended: some way apart from other proxies."""


def spread(seconds: float, least: float) -> float:
    """Return some time between `least` times seconds and seconds, so that nobody asks all at once."""
    return seconds * (least + (1 - least) * randbelow(1001) / 1000)


class TrunkRegistration:
    """The registration at one trunk."""

    __slots__ = (
        "_asking", "_call_id", "_core", "_cseq", "_expires", "_failures", "_hop", "_lapse", "_last", "_pending",
        "_raised", "_retry_after", "_round", "_since", "_terms", "_timer", "_tried", "is_up", "key", "party", "routes",
    )  # fmt: skip

    def __init__(self, core: Core, party: Party, key: tuple[object, ...]) -> None:
        """Begin unregistered; `key` is all of the settings that it hangs on."""
        self._core = core
        self.party = party
        self.key = key
        self.is_up = False
        """Whether the trunk has a binding of ours, as far as we know."""
        self.routes: tuple[bytes, ...] = ()
        """Its Service-Route."""
        self._call_id = fresh_id()
        self._cseq = 0
        self._expires = self._section.expires
        self._failures = 0
        self._retry_after = 0
        self._round = 0
        """Which try this is: what comes of an earlier one is void."""
        self._pending: deque[Hop] = deque()
        self._tried = 0
        self._last = "unreachable"
        """How the last target failed."""
        self._raised = False
        """Whether a 423 was obeyed in this try."""
        self._hop: Hop | None = None
        """Where the REGISTER went that was sent last."""
        self._terms: Terms | None = None
        self._asking: Authorised | None = None
        self._timer: Timer | None = None
        self._lapse: Timer | None = None
        self._since = inf
        """When its connection came into use; for ever ahead while there is none."""

    @property
    def _section(self) -> Registration:
        trunk = self.party.trunk
        assert trunk is not None  # noqa: S101 -- made for trunks that want one
        assert trunk.registration is not None  # noqa: S101 -- as above
        return trunk.registration

    def begin(self, now: float) -> None:
        """Register, at whichever of the trunk's targets takes it."""
        cancel(self._timer)
        self._stop_asking()
        self._tried, self._raised, self._retry_after = 0, False, 0
        self._last = "unreachable"
        self._expires = max(self._expires, self._section.expires)
        network = self._core.generation.network
        registrar = self._section.registrar
        hops = [network.hop(self.party, registrar)] if registrar is not None else hops_of(self._core, self.party)
        self._pending = deque(self._in_order(hops, now))
        self._next(now)

    def change(self, party: Party, key: tuple[object, ...], now: float) -> None:
        """Go on with other settings for the same binding."""
        self.party, self.key = party, key
        self._expires = self._section.expires
        self._failures = 0
        self.begin(now)

    def leave(self, now: float) -> Authorised | None:
        """Take the binding out, if there may be one, and do nothing more; return what is on its way for that."""
        cancel(self._timer)
        cancel(self._lapse)
        there, hop, terms = self.is_up or self._asking is not None, self._hop, self._terms
        self._stop_asking()
        self.is_up, self.routes = False, ()
        self._core.registrations.changed(self)
        if not there or hop is None or terms is None:
            return None
        what = register(terms, self._call_id, self._cseq + 1, 0)
        left = Authorised(self._core, hop, what, _Left(self._core), PATIENCE * self._core.timers.t1)
        left.begin(now)
        return left

    def ended(self, flow: Flow, now: float) -> None:
        """Learn that a connection has ended: if calls were to come by it, register anew soon (RFC 5626 §4.5)."""
        if not self.is_up or self._asking is not None or self._hop is None or not is_its_way(self._hop, flow):
            return
        lasted, self._since = now - self._since, inf
        if lasted >= STABLE:
            self._wait(spread(BACK_SOON, 0.25), now)
        else:
            self._failures += 1
            self._wait(self._pause(), now)

    def fire(self, name: str, now: float) -> None:
        """Handle a timer."""
        if name == "lapse":
            self._lapse = None
            self._down("lapsed")
        else:
            self.begin(now)

    def answered(self, status: int, response: Message | None, now: float) -> None:
        """Take what a registrar says."""
        asking, self._asking = self._asking, None
        if asking is None or asking.client is None or self._hop is None or self._terms is None:
            return
        self._cseq = asking.cseq
        responses = self._core.responses
        if response is None:
            self._last = "silent" if status == 408 else "unreachable"
            responses.unheard(asking.client, now)
            self._next(now)
        elif status < 300:
            self._registered(granted(response, self._terms, self._expires), now)
        elif status == 423 and not self._raised and self._is_raised(response):
            self._raised = True
            self._send(self._hop, now)
        else:
            self._last = "password" if status in ASKING else "refused"
            self._retry_after = max(self._retry_after, delta_seconds(response.value(b"retry-after")) or 0)
            if status == 503:
                responses.busy(asking.client, response, now)
            if 500 <= status < 600:
                self._next(now)
            else:
                self._failed(now)

    def _stop_asking(self) -> None:
        """Begin a try, or the end: of what is on its way counts only its CSeq, which has to rise (§10.2)."""
        self._round += 1
        if self._asking is not None:
            self._cseq = self._asking.stop()
            self._asking = None

    def _in_order(self, hops: list[Hop], now: float) -> list[Hop]:
        """Return hops with those last that are known to be out of order."""
        outages = self._core.outages
        return sorted(hops, key=lambda hop: outages.is_out((hop.host, hop.port), now))

    def _next(self, now: float) -> None:
        """Ask the next target, once it is known where it is."""
        if not self._pending or self._tried >= MAX_TARGETS:
            self._failed(now)
            return
        hop = self._pending.popleft()
        if is_address(hop.host):
            self._send(hop, now)
            return
        number = self._round

        def found(hops: Sequence[Hop], later: float) -> None:
            if number == self._round:
                self._pending.extendleft(reversed(self._in_order(list(hops[:MAX_TARGETS]), later)))
                self._next(later)

        locate(self._core, hop, found, now)

    def _send(self, hop: Hop, now: float) -> None:
        core = self._core
        self._tried += 1
        if hop != self._hop:
            self._hop, self._since = hop, inf
        self._since = min(self._since, now)
        self._terms = terms_of(core.generation, self.party, hop)
        what = register(self._terms, self._call_id, self._cseq + 1, self._expires)
        self._asking = Authorised(core, hop, what, self, PATIENCE * core.timers.t1)
        self._asking.begin(now)

    def _is_raised(self, response: Message) -> bool:
        """Take over what a registrar has for the shortest time (§10.2.8); False where it says nothing of use."""
        least = delta_seconds(response.value(b"min-expires"))
        if least is None or not self._expires < least <= MAX_EXPIRES:
            return False
        self._expires = least
        return True

    def _registered(self, terms: Granted, now: float) -> None:
        core = self._core
        if not terms.expires:
            self._last = "refused"  # a binding that has no time is none
            self._failed(now)
            return
        self._failures = 0
        self.routes = terms.routes
        core.counters.add("trunk_registrations", "registered")
        if not self.is_up:
            self.is_up = True
            core.event("registered", b"", self.party.label, "registered")
        core.registrations.changed(self)
        cancel(self._lapse)
        self._lapse = core.wheel.start(now, terms.expires, self, "lapse")
        self._renew_at(now, terms)

    def _renew_at(self, now: float, terms: Granted) -> None:
        """Wait until it is time to renew, keeping a connection open meanwhile."""
        self._wait(max(SOONEST, spread(terms.expires * 0.85, 0.9)), now)
        if self._hop is not None and self._hop.transport != DATAGRAM:
            every = min(terms.flow_timer or KEEP_ALIVE, KEEP_ALIVE)
            _KeepAlive(self._core, self, self._round, max(every, 1)).next(now)

    def keep_alive(self, number: int) -> bool:
        """Send a keep-alive over the connection of a try; False where that is no longer the one in use."""
        if number != self._round or not self.is_up or self._hop is None:
            return False
        self._core.transmit(self._hop.flow, PING)
        return True

    def _failed(self, now: float) -> None:
        """Wait before the next try (RFC 5626 §4.5: some time between half and the whole of what doubles)."""
        core = self._core
        core.counters.add("trunk_registrations", self._last)
        core.event("registration-failed", b"", self.party.label, self._last)
        core.registrations.changed(self)
        self._failures += 1
        self._wait(max(self._pause(), min(self._retry_after, MOST_RETRY_AFTER)), now)

    def _pause(self) -> float:
        section = self._section
        return spread(min(section.retry_most, section.retry * 2.0 ** min(self._failures - 1, 16)), 0.5)

    def _wait(self, seconds: float, now: float) -> None:
        cancel(self._timer)
        self._timer = self._core.wheel.start(now, seconds, self, "renew")

    def _down(self, why: str) -> None:
        """Take note that the trunk has no binding of ours any more."""
        core = self._core
        self.is_up, self.routes = False, ()
        core.counters.add("trunk_registrations", why)
        core.registrations.changed(self)
        core.event("registration-failed", b"", self.party.label, why)


class _KeepAlive:
    """Keep-alives on the connection of one try, until another one has followed it."""

    __slots__ = ("_core", "_every", "_number", "_registration")

    def __init__(self, core: Core, registration: TrunkRegistration, number: int, every: int) -> None:
        self._core = core
        self._registration = registration
        self._number = number
        self._every = every

    def next(self, now: float) -> None:
        """Wait for 80 to 100 % of the time (RFC 5626 §4.4.1)."""
        self._core.wheel.start(now, spread(self._every, 0.8), self, "alive")

    def fire(self, name: str, now: float) -> None:
        """Send one, and wait for the next."""
        if self._registration.keep_alive(self._number):
            self.next(now)


class _Left:
    """Counts a binding that was taken out."""

    __slots__ = ("_core",)

    def __init__(self, core: Core) -> None:
        self._core = core

    def answered(self, status: int, response: Message | None, now: float) -> None:
        core = self._core
        core.registrations.left()
        if response is not None and status < 300:
            core.counters.add("trunk_registrations", "taken-out")
