"""New requests: checks of RFC 3261 §16.3, crossings of §16.4 to §16.6, and local answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.recorders_section import RecordingClient
from proxy import in_dialog, in_turns, initial, without_record
from proxy.breadth import breadth_of, share
from proxy.counters import LABELS, METHODS
from proxy.crossing import Crossing
from proxy.emergency import as_psap, is_callback, is_exempt
from proxy.errors import Malformed, NotRecorded, PassedOver, Refused
from proxy.failover import launch
from proxy.flow import Flow
from proxy.forking import ResponseContext
from proxy.generation import Generation
from proxy.grammar import COMMA
from proxy.groups import Group, Spare, last_resorts_last, order, worse
from proxy.headers import parse_via
from proxy.hop import Hop
from proxy.initial import Arrival
from proxy.machines import State
from proxy.matching import ServerKey, looks_ours, loop_hash, server_key, worker_of
from proxy.message import Message
from proxy.notified import check_notified
from proxy.party import Party
from proxy.rate import RateLimit, part_of
from proxy.referred import check_referred
from proxy.registered_call import find_called
from proxy.reply import echo
from proxy.transaction import ServerTransaction
from proxy.validation import check, check_proxy_require, read_request_uri

if TYPE_CHECKING:
    from proxy.core import Core

_WARNING = b'Warning: 399 sipveil "No trunk that this subscriber\'s data may go to"'
"""RFC 3261 §20.43: 399 is for whatever a person should read."""
_RETRY_AFTER = {"rate": 1, "calls": 20}
"""Seconds after which a caller may try a full trunk again (RFC 3261 §20.33), by the limit."""
LEAST_CALLS = 3
"""Calls a minute through one subscriber's Contact that each worker allows, if so many may be at all."""
SLOW_TRYING = 7
"""Times T1 until a non-INVITE without response gets 100: when timer E has reached T2 (RFC 4320 §4.1)."""


class RequestHandler:
    """Takes every request that reaches a known side."""

    def __init__(self, core: Core) -> None:
        """Work on the core's tables."""
        self._core = core
        self.contact_calls = RateLimit(1, 60)
        """Calls through a Contact outside its dialog, by subscriber."""
        self.obey()

    def obey(self) -> None:
        """Follow the settings of the running generation."""
        settings = self._core.generation.network.settings
        self.contact_calls.limit = part_of(settings.limits.contact_calls, settings.workers, LEAST_CALLS)

    def receive(self, request: Message, flow: Flow, source: Party | None, now: float) -> None:
        """Handle one request; `source` is None for one that came from our own address."""
        core = self._core
        label = LABELS.get(request.method, METHODS[-1])
        core.counters.add("requests_received", label)
        via = request.via
        if source is None or (looks_ours(via.branch) and core.generation.network.is_us(via.host, via.port)):
            # Whoever writes a Via of ours is ourselves, by whichever of our addresses, or nobody.
            source = core.looped.get(via.branch)
        if source is None:
            core.drop("unknown-source")
            return
        if request.method == b"ACK":
            core.acks.receive(request, flow, source, now)
            return
        key = server_key(request)
        server = core.servers.get(key)
        if server is not None:
            core.absorb(server, label, now)
        elif request.method == b"CANCEL":
            core.cancels.receive(request, key, flow, now)
        elif not source.in_access or request.to_tag or core.gate.admits(request, flow, source, now):
            self._begin(request, flow, source, key, now)

    def _admitted(self, request: Message, flow: Flow, source: Party, key: ServerKey, now: float) -> str | None:
        """Return the account of a new request, empty where it needs none; None where it was refused or challenged."""
        core = self._core
        if core.refusals.must_refuse(request, key, source, core.wall(now)):
            core.refusals.refuse(request, flow, source)
            return None
        is_asked = core.authentication.active and (not request.to_tag or request.method == b"REGISTER")
        if is_asked and not core.recording.has_proved(request, flow):
            return core.authentication.judge(request, flow, source, now)
        return ""

    def _begin(self, request: Message, flow: Flow, source: Party, key: ServerKey, now: float) -> None:
        """Forward a new request, or answer it."""
        core = self._core
        account = self._admitted(request, flow, source, key, now)
        if account is None:
            return
        server = core.open_server(key, request, flow)
        try:
            arrival = Arrival(request, read_request_uri(request), source, flow, core.wall(now))
            core.authentication.vouch(arrival, account)
            check(request)
            loop = b"" if request.to_tag else self._check_loop(request, source)
            if b"proxy-require" in request.index and not core.generation.network.calls_for_help(request):
                check_proxy_require(request)
            if request.method == b"REGISTER" and core.registrar.answers(arrival, server, now):
                return
            if request.to_tag:
                crossings, loop = self._cross_within(arrival, now)
                core.recording.check_within(request, crossings[0])
                if core.limits.active:
                    core.limits.within(crossings[0], now)
            else:
                core.recording.check(arrival)
                core.gate.check_subscriber(arrival, now)
                crossings = self._cross(arrival, key, now)
            check_notified(request, arrival.source, crossings)
            breadth = breadth_of(request, core.generation.network.limits.max_breadth)
            turns = None
            if len(crossings) > 1 or crossings[0].phone is not None:
                crossings, turns = in_turns.divided(core, crossings, (key, loop, breadth), now)
            shares = share(breadth, len(crossings))
        except Refused as refusal:
            self._count_refusal(refusal, request, source)
            core.respond(server, request, flow, refusal.code, now, refusal.why.encode(), refusal.extra)
            return
        except Malformed as error:
            core.respond(server, request, flow, error.code or 400, now, error.why.encode())
            return
        except Exception:
            core.counters.add("failed_closed", "request")
            core.event("failed-closed", core.pseudonym(request), source.label, "request")
            core.respond(server, request, flow, 500, now)
            return
        self._forward(request, flow, server, crossings, (key, loop, shares), turns, now)

    def _forward(
        self, request: Message, flow: Flow, server: ServerTransaction, crossings: list[Crossing],
        way: tuple[ServerKey, bytes, list[int]], turns: in_turns.Turns | None, now: float,
    ) -> None:  # fmt: skip
        core = self._core
        key, loop, shares = way
        context = ResponseContext(core.responses, request, flow, server)
        server.context = context
        if turns is not None:
            context.turns = turns
        if server.is_invite:
            core.try_on(server, request, flow, now)
        else:
            delay = SLOW_TRYING * core.timers.t1
            context.trying = core.wheel.start(now, delay, _SlowTrying(core, context), "100")
        for crossing in crossings:
            context.add(crossing)
        if turns is not None:
            turns.begin(context, context.branches, now)
        sent = True
        for place, branch in enumerate(context.branches):
            launch(core, context, branch, key, loop, shares[place], now)
            sent = sent and branch.client is not None and branch.others is None and branch.login is None
        if sent and (turns is None or not turns.keeps(context)):
            echo(request, flow, b"")
            request.release()

    def _cross_within(self, arrival: Arrival, now: float) -> tuple[list[Crossing], bytes]:
        """Return the crossings of a request with a To tag, and its loop hash.

        By its record it goes where the dialog is and forks nowhere: no hash (RFC 5393 §4.1). Without one it takes the
        routing table like any other, and its sender is asked who it is like any other.
        """
        generation = self._core.generation
        try:
            crossing = in_dialog.cross(generation, arrival)
            if arrival.request.method == b"REFER":
                check_referred(generation, arrival.request, arrival.source, crossing.hop.party)
            if arrival.source.in_access:
                self._core.guard.proved(arrival.flow)
            return [crossing], b""
        except in_dialog.TokenRefused as refusal:
            self._core.gate.check_without_record(arrival, now)
            crossings = without_record.cross(generation, arrival, refusal)
            if self._core.authentication.active and not arrival.account:
                self._core.authentication.demand(arrival, now)
                if arrival.account:
                    crossings = without_record.cross(generation, arrival, refusal)  # as whom it was proved to be
            loop = self._check_loop(arrival.request, arrival.source)
            return _noted(generation, arrival, crossings), loop

    def _cross(self, arrival: Arrival, key: ServerKey, now: float) -> list[Crossing]:
        generation, request = self._core.generation, arrival.request
        if arrival.client is not None:
            return [self._cross_to_recorder(arrival, arrival.client, key, now)]
        callback = is_callback(generation, request, arrival.source, arrival.wall)
        if callback:
            arrival.source = as_psap(generation, arrival.source)
        if arrival.source.registers:
            find_called(generation, arrival)
        routes = initial.take_routes(generation, arrival, urgent=callback or generation.network.calls_for_help(request))
        found, emergency = initial.destinations(
            generation, arrival, routes, lambda who: callback or self.contact_calls.allow(who, arrival.wall)
        )
        crossings: list[Crossing] = []
        passed: PassedOver | None = None
        exempt = emergency, callback
        for destination in found:
            group = destination.hop.group
            try:
                crossings.append(
                    self._cross_to(
                        generation, arrival, destination, routes, now, emergency=emergency, callback=callback
                    )
                    if group is None
                    else self._cross_to_group(arrival, group, routes, (key, now), exempt)
                )
            except PassedOver as refusal:
                passed = worse(passed, refusal)
        if passed is not None and not crossings:
            raise passed
        return _noted(generation, arrival, crossings)

    def _cross_to_recorder(
        self, arrival: Arrival, client: RecordingClient, key: ServerKey, now: float
    ) -> Crossing:  # fmt: skip
        """Return the crossing of a recording session: to the recorders of its client, whatever the request names.

        Raises:
            Refused: when none may have it.
        """
        hop = self._core.generation.network.recorders(client.to)
        if hop is None or hop.group is None:
            raise NotRecorded("recorder", 480)
        return self._cross_to_group(arrival, hop.group, (), (key, now), (False, False))

    def _cross_to_group(
        self, arrival: Arrival, group: Group, routes: tuple[bytes, ...], drawn: tuple[ServerKey, float],
        exempt: tuple[bool, bool],
    ) -> Crossing:  # fmt: skip
        """Return the crossing to the first of a group that may have a request; the others are its spare ones.

        Raises:
            Refused: when none may.
        """
        core = self._core
        generation, (key, now), (emergency, callback) = core.generation, drawn, exempt
        tokens = generation.tokens
        seed = tokens.mac(tokens.current, b"group", key, group.name.encode(), size=16)
        hops = last_resorts_last(order(group, seed), core.outages, now)

        def cross(hop: Hop, when: float) -> Crossing:
            there = initial.Destination(hop, b"")
            return self._cross_to(generation, arrival, there, routes, when, emergency=emergency, callback=callback)

        spare = Spare(hops, cross, group.patience, emergency=emergency)
        crossing = spare.first(now)
        if spare:
            crossing.hop = crossing.hop._replace(spare=spare)
        return crossing

    def _cross_to(
        self, generation: Generation, arrival: Arrival, destination: initial.Destination, routes: tuple[bytes, ...],
        now: float, *, emergency: bool, callback: bool,
    ) -> Crossing:  # fmt: skip
        core, request, party = self._core, arrival.request, destination.hop.party
        if request.method == b"REFER":
            check_referred(generation, request, arrival.source, party)
        if party.trunk is not None and not emergency:
            if generation.network.keeps_region:
                self._check_region(generation, arrival, party)
            if party.is_limited:
                self._check_room(request, party, now)
        # The exemption holds only towards a PSAP, and back from it (design.md §2).
        exempt = is_exempt(party, emergency=emergency, callback=callback)
        try:
            crossing = initial.cross(generation, arrival, destination, routes, emergency=exempt)
        except Exception:
            if not exempt:
                raise
            core.override("filter", core.pseudonym(request), party)
            crossing = initial.cross(generation.unfiltered(), arrival, destination, routes, emergency=True)
        if party.registers and not crossing.routes:
            crossing.routes = core.registrations.routes(party)
        if exempt:
            core.override("callback" if callback else "emergency", crossing.base.call, party)
        if request.method == b"INVITE":
            self._count(arrival, crossing, emergency=emergency)
        return crossing

    def _count(self, arrival: Arrival, crossing: Crossing, *, emergency: bool) -> None:
        core, party = self._core, crossing.hop.party
        kind = "emergency" if emergency else "call" if arrival.client is None else "recording"
        if arrival.client is None:
            core.counters.add("calls", party.zone_name)
        else:
            core.counters.add("recording_sessions", "begun")
        core.event(kind, crossing.base.call, party.label, party.zone_name)

    def _check_region(self, generation: Generation, arrival: Arrival, party: Party) -> None:
        """Refuse a trunk to a subscriber whose data may not go where it is (`[region]`).

        Raises:
            PassedOver: 403.
        """
        whose = generation.privacy.kept_from(arrival.request, arrival.source, party)
        if whose:
            self._core.counters.add("region_kept", whose)
            raise PassedOver(403, "Not Outside The Region", _WARNING)

    def _check_room(self, request: Message, party: Party, now: float) -> None:
        """Refuse a call that a trunk has no room for; 503 would keep the sender away from all of us (§21.5.4).

        Raises:
            PassedOver: 480.
        """
        limits = self._core.limits
        reached = limits.reached(party.trunk, now) if request.method == b"INVITE" and party.trunk is not None else ""
        if reached:
            self._core.counters.add("trunk_limits_reached", reached)
            raise PassedOver(480, "Trunk Is Full", b"Retry-After: %d" % _RETRY_AFTER[reached])

    def _check_loop(self, request: Message, source: Party) -> bytes:
        """Return this request's loop hash, once no Via of ours carries the same (RFC 5393 §4.2.2).

        Raises:
            Refused: 482.
        """
        core = self._core
        loop = loop_hash(core.generation.tokens, request, source.label)
        places = request.index[b"via"]
        if len(places) > 1 or COMMA in request.lines[places[0]]:
            for value in request.items(b"via")[1:]:
                branch = parse_via(value).branch
                if worker_of(branch) >= 0 and branch.endswith(b"." + loop):
                    raise Refused(482, "Loop Detected")
        elif request.via.branch.endswith(b"." + loop):
            raise Refused(482, "Loop Detected")
        return loop

    def _count_refusal(self, refusal: Refused, request: Message, source: Party) -> None:
        core = self._core
        if isinstance(refusal, in_dialog.TokenRefused):
            core.counters.add("tokens_refused", refusal.kind)
            core.event("token-refused", core.pseudonym(request), source.label, refusal.kind)
        elif isinstance(refusal, NotRecorded):
            core.counters.add("recording_refused", refusal.reason)
            core.event("recording-refused", core.pseudonym(request), source.label, refusal.reason)
        else:
            core.event("refused", core.pseudonym(request), source.label, str(refusal.code))


def _noted(generation: Generation, arrival: Arrival, crossings: list[Crossing]) -> list[Crossing]:
    """Return the crossings of a new request, once it is kept what recordings have to know of its caller.

    Raises:
        Refused: as `Wishes.note`.
    """
    if arrival.private and generation.wishes is not None:
        generation.wishes.note(arrival, crossings[0])
    return crossings


class _SlowTrying:
    """Sends 100 to a non-INVITE that nobody has answered for long."""

    __slots__ = ("_context", "_core")

    def __init__(self, core: Core, context: ResponseContext) -> None:
        self._core = core
        self._context = context

    def fire(self, name: str, now: float) -> None:
        context = self._context
        if context.server.state is State.TRYING:
            self._core.try_on(context.server, context.request, context.flow, now)
