"""The door to the phones' side: what `guard` says is done here (standards.md §1.4 begins behind it).

Trunks, the core and edge proxies pass: whoever forges the address of one must not be able to shut it out. An emergency
call passes every limit and ban ("it is more important to get an emergency call through", RFC 6443 §16), but no
scanner's: a tool that tries the extensions from 100 to 999 would ring at the PSAP with 112 and 911, and no phone
writes the name of such a tool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.errors import Refused
from proxy.flow import Flow
from proxy.guard import Verdict, source_of
from proxy.headers import unfold
from proxy.memo import remembered
from proxy.message import Message
from proxy.modest import modest
from proxy.party import Party
from proxy.refusal import FRESH, glance

if TYPE_CHECKING:
    from proxy.core import Core
    from proxy.initial import Arrival

IN_VAIN = frozenset((401, 403, 404, 407))
"""Answers of ours to a request that asks for what is not its sender's, or not there."""
MOST_DELAYED = 1000
"""Most answers that are held back at once; further ones are none."""
SCANNED_FROM = b"@1.1.1.1"
"""What From of SIPVicious ends with."""


class Gate:
    """Judges what comes from phones, before the parse where anybody is banned, and after it."""

    def __init__(self, core: Core) -> None:
        """Work on the core's guard."""
        self._core = core
        self._delayed = 0
        self.obey()

    def obey(self) -> None:
        """Follow the settings of the running generation."""
        settings = self._core.generation.network.settings.guard
        names = tuple(name.lower().encode() for name in settings.tools)
        self._looks_out = settings.enabled and settings.scanners != "off"
        self._delays = settings.scanners == "delay"
        self._delay = settings.delay

        def is_tool(value: bytes) -> bool:
            return unfold(value).strip(b' "').lower().startswith(names)

        self._is_tool = remembered(is_tool)

    def receive(self, data: bytes, flow: Flow, source: Party, now: float) -> bool:
        """Deal with a datagram that needs no parse to be turned away; only asked while `guard.active`."""
        core = self._core
        if not source.in_access or source.edge:
            return False
        verdict = core.guard.judge(flow, now)
        if verdict is Verdict.PASS:
            return False
        method = data[: data.find(b" ", 0, 10)]
        request = glance(data, method) if method in FRESH else None
        if request is None or request.to_tag or core.generation.network.calls_for_help(request):
            return False
        core.counters.add("requests_received", method.decode())
        self._turn_away(verdict, request, flow, source, now)
        return True

    def is_banned(self, flow: Flow, source: Party | None, now: float) -> bool:
        """Tell whether not even a broken request is answered."""
        if not self._core.guard.active or source is None or not source.in_access or source.edge:
            return False
        return self._core.guard.is_banned(flow, now)

    def admits(self, request: Message, flow: Flow, source: Party, now: float) -> bool:
        """Count a new request outside dialogs, and deal with it where it is one too many."""
        core = self._core
        guard = core.guard
        if source.edge or not guard.enabled:
            return True
        if self._looks_out and self._is_scanners(request):
            self._failed(request, flow, source, now)
            self._turn_away(Verdict.BANNED, request, flow, source, now, "scanner")
            return False
        verdict = guard.admit(flow, now)
        if verdict is Verdict.PASS:
            if b"authorization" in request.index or b"proxy-authorization" in request.index:
                guard.retried(flow, _name(request))
            return True
        if core.generation.network.calls_for_help(request):
            return True
        self._turn_away(verdict, request, flow, source, now)
        return False

    def check_subscriber(self, arrival: Arrival, now: float) -> None:
        """Count a call or message of a subscriber; who records for all of them is none.

        Raises:
            Refused: 503 where there were too many of them.
        """
        core, request, source = self._core, arrival.request, arrival.source
        if not source.in_access or arrival.client is not None or request.method not in (b"INVITE", b"MESSAGE"):
            return
        account = arrival.account
        if account:
            who = b" account " + account.encode()
        else:
            # Anybody may write anybody's From: without the source one could use up the calls of another.
            generation = core.generation
            pseudonym = generation.identity.subscriber(generation.tokens.current, request.from_.uri)
            who = b" from " + pseudonym + source_of(arrival.flow).encode()
        seconds = core.guard.admit_subscriber(who, request.method, now)
        if seconds and not core.generation.network.calls_for_help(request):
            core.counters.add("guarded", "subscriber")
            raise Refused(503, "Too Many Requests", b"Retry-After: %d" % seconds)

    def check_without_record(self, arrival: Arrival, now: float) -> None:
        """Count a request with a To tag that belongs to no dialog of ours: whoever writes a tag asks no less.

        Raises:
            Refused: 503 where there were too many of them.
        """
        guard, source = self._core.guard, arrival.source
        if not guard.enabled or not source.in_access or source.edge:
            return
        if guard.admit(arrival.flow, now) is not Verdict.PASS:
            self._core.counters.add("guarded", "source")
            raise Refused(503, "Too Many Requests", b"Retry-After: 1")

    def refused(self, request: Message, flow: Flow, source: Party | None, status: int, now: float) -> None:
        """Note an answer of ours that says no."""
        if status not in IN_VAIN or source is None or not source.in_access or source.edge or request.to_tag:
            return
        self._failed(request, flow, source, now)

    def _is_scanners(self, request: Message) -> bool:
        """Tell whether a scanner wrote a request, by what it says of itself."""
        places = request.index.get(b"user-agent")
        if places is not None and self._is_tool(request.lines[places[0]].partition(b":")[2]):
            return True
        from_ = request.from_
        if from_.uri[-8:] == SCANNED_FROM:
            return True
        return bool(from_.display) and self._is_tool(from_.display)

    def _failed(self, request: Message, flow: Flow, source: Party, now: float) -> None:
        core = self._core
        if core.guard.failed(flow, _name(request), now):
            core.counters.add("guarded", "ban")
            core.event("guard", core.pseudonym(request), source.label, "ban")

    def _turn_away(
        self, verdict: Verdict, request: Message, flow: Flow, source: Party, now: float, reason: str = "banned"
    ) -> None:
        core = self._core
        if verdict is Verdict.LIMITED:
            core.counters.add("guarded", "source")
            core.refusals.refuse(request, flow, source)
            return
        core.counters.add("guarded", reason)
        if not self._delays or self._delayed >= MOST_DELAYED:
            return
        data = modest(core.own_response(request, flow, 403), request)
        if data:
            self._delayed += 1
            core.wheel.start(now, self._delay, _Late(self, flow, data), "delayed")

    def send_late(self, flow: Flow, data: bytes) -> None:
        """Send what was held back."""
        self._delayed -= 1
        self._core.counters.add("guarded", "delayed")
        self._core.transmit(flow, data)


class _Late:
    """An answer that a scanner waits for."""

    __slots__ = ("_data", "_flow", "_gate")

    def __init__(self, gate: Gate, flow: Flow, data: bytes) -> None:
        self._gate = gate
        self._flow = flow
        self._data = data

    def fire(self, name: str, now: float) -> None:
        self._gate.send_late(self._flow, self._data)


def _name(request: Message) -> bytes:
    """Return what a request asks for: the user who is to be registered, else the Request-URI."""
    return request.to.uri if request.method == b"REGISTER" else request.uri
