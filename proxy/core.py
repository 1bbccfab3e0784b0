"""The core: datagrams and time in, datagrams and events out (design.md §5).

One direction, run to completion: a message is parsed, meets its transaction, is checked, crosses, and
leaves through the sinks before the next one is looked at. Only a name that must be looked up parks a
branch; `resume` takes it up again. The handlers beside this file (`handle_request`, `handle_ack`,
`handle_cancel`, `handle_response`) do the work; this one holds what they share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from config.accounts import Accounts
from config.keys import KeyRing
from config.settings import Settings, Trunk
from config.vocabulary import Zone
from proxy.aliases import Aliases
from proxy.authentication import Authenticator
from proxy.bindings import Bindings
from proxy.by_size import RefusedConnections
from proxy.counters import COUNTERS, Counters
from proxy.crossing import Crossing, Records
from proxy.digest_client import NO_ACCOUNTS, Account
from proxy.errors import Malformed
from proxy.flow import Flow
from proxy.forward_request import RequestForwarder
from proxy.forward_response import ResponseForwarder
from proxy.gate import Gate
from proxy.gauges import gauges
from proxy.generation import Generation
from proxy.guard import Guard
from proxy.handle_ack import AckHandler
from proxy.handle_cancel import CancelHandler
from proxy.handle_request import RequestHandler
from proxy.handle_response import ResponseHandler
from proxy.identity import Identity
from proxy.initial import forget_plans
from proxy.keep_alive import BLANK, is_kept_alive
from proxy.lingering import CompletedServer
from proxy.location import Place
from proxy.login import Logins
from proxy.matching import ServerKey, client_key, owner
from proxy.message import Message
from proxy.modest import modest
from proxy.nonce_counts import Counts
from proxy.outages import Outages
from proxy.overload import Overload
from proxy.parking import Found, Parking
from proxy.parse import parse_within, partial
from proxy.party import Party, is_phone
from proxy.places import Nodes, Places, alone
from proxy.policy import Privacy
from proxy.probes import Probes
from proxy.recording_control import RecordingControl
from proxy.references import References
from proxy.refusal import Refusals
from proxy.registrar import Registrar
from proxy.reply import echo, reply, reply_flow
from proxy.routing import Network
from proxy.sinks import Event, Recorder, Sinks
from proxy.timed_flows import TimedFlows
from proxy.timers import TICK, Intervals, TimerWheel
from proxy.tokens import Tokens
from proxy.transaction import Client, ClientTransaction, ClientUser, Environment, Server, ServerTransaction
from proxy.trunk_limits import TrunkLimits
from proxy.trunk_registrations import TrunkRegistrations
from proxy.undelivered import give_back_anew, undelivered
from proxy.unframed import unframed
from proxy.unowned import unowned
from proxy.waiting import Waiting
from proxy.wish_table import WishTable, in_memory
from proxy.wishes import Keeper


def _is_from_us(network: Network, flow: Flow) -> bool:
    """Tell whether a message comes from our own address; of a connection the port says nothing."""
    host, port = flow.peer
    return network.is_us(host.encode(), port) if flow.transport == "UDP" else network.is_own_host(host)


_MADE_CODES = {
    int(code): code for code in next(spec for spec in COUNTERS if spec.label == "code").values if code.isdigit()
}


class Core(Environment):
    """One worker's SIP core."""

    tick = TICK

    def __init__(  # noqa: PLR0913 - a row of what the shell has
        self, settings: Settings, keyring: KeyRing, privacy: Privacy, sinks: Sinks, *,
        now: float, wall: float, retired: Sequence[Trunk] = (), worker: int = 0, accounts: Accounts | None = None,
        passwords: Mapping[str, Account] = NO_ACCOUNTS, nodes: Nodes | None = None,
        counts: Counts | None = None, make_wishes: Callable[[], WishTable] = in_memory,
    ) -> None:  # fmt: skip
        """Begin with no transactions.

        Args:
            settings: with the ports that the listeners really have.
            keyring: the running key ring.
            privacy: decisions and plans.
            sinks: where results go.
            now: monotonic seconds.
            wall: seconds since the epoch at that moment.
            retired: trunks that are configured no more and serve their dialogs.
            worker: number of this process among the workers.
            accounts: who phones may prove to be; None: they are not asked, whatever settings say.
            passwords: what trunks know us by, by their names.
            nodes: those of all workers, where there are several; ours is noted there.
            counts: which counts of nonces were used, where all workers know that together.
            make_wishes: opens what all workers, and the next start, know of who asked for privacy in calls that run;
                called when there is a recorder.
        """
        super().__init__(Intervals(settings.timers), TimerWheel(now), Counters(), Waiting(), sinks.send)
        self.logins = Logins(self.counters, passwords)
        self.worker = worker
        node = int(wall * 1000) & 0xFFFF
        if nodes is not None:
            nodes[worker] = node
        self.places = alone(node, worker) if nodes is None else Places(nodes, worker)
        self.recorder: Recorder | None = None
        self.bindings = Bindings(self.wheel, wall - now)
        self._accounts = accounts
        self.wishes = Keeper(accounts, self.counters, make_wishes)
        self.generation = self._generation(settings, keyring, privacy, retired)
        self.servers: dict[ServerKey, Server] = {}
        self.clients: dict[bytes, Client] = {}
        self.parking = Parking(settings.limits.parked)
        self.looped: dict[bytes, Party] = {}
        self.outages = Outages()
        self.recording = RecordingControl(self)
        self.limits = TrunkLimits(settings.workers)
        self.limits.adopt(settings.trunks)
        self.refused = RefusedConnections()
        self.aliases = Aliases()
        self.timed = TimedFlows(worker)
        self.responses = ResponseHandler(self)
        self.acks = AckHandler(self)
        self.registrar = Registrar(self)
        self.requests = RequestHandler(self)
        self.cancels = CancelHandler(self)
        self.overload = Overload(settings.overload, self._tell_overload)
        self.refusals = Refusals(self)
        self.probes = Probes(self)
        self.registrations = TrunkRegistrations(self)
        self.authentication = Authenticator(self, accounts, counts)
        self.authentication.obey()
        self.guard = Guard(settings.guard, settings.workers)
        self.gate = Gate(self)
        self._sinks = sinks
        self._send = sinks.send
        self._epoch = wall - now

    def _generation(
        self, settings: Settings, keyring: KeyRing, privacy: Privacy, retired: Sequence[Trunk]
    ) -> Generation:
        """Make a generation, and the forwarders that work with its keys."""
        tokens = Tokens(keyring)
        identity = Identity(tokens, privacy.leaks)
        references = References(tokens, identity)
        network = Network(settings, retired)
        generation = Generation(
            network, privacy, tokens, identity, references, self.places, self.bindings, self._accounts,
            self.wishes.wishes(network, retired, privacy, tokens, identity),
        )  # fmt: skip
        self._make_forwarders(generation)
        return generation

    def _make_forwarders(self, generation: Generation) -> None:
        """Make what writes the messages of a generation."""
        tokens, identity, references = generation.tokens, generation.identity, generation.references
        records, privacy = Records(tokens, identity, generation.places), generation.privacy
        self.request_forwarder = RequestForwarder(
            tokens, identity, records, references, privacy, generation.network.sent_by, self.counters, generation.wishes
        )
        self.response_forwarder = ResponseForwarder(
            tokens, identity, records, references, privacy, self.counters, generation.wishes
        )  # fmt: skip

    # --- what the shell calls

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Handle one datagram."""
        # Nearly always the first letter tells: the whole is only looked at where that is white.
        if (len(data) < 4 or data[0] in BLANK) and is_kept_alive(self, data, flow):
            return
        network = self.generation.network
        if flow.transport == "UDP" and network.by_address:
            source = network.party_of(flow.peer)
        else:
            source = network.party_from(flow.transport, flow.local, flow.peer, flow.identity)
        if source is None and not _is_from_us(network, flow):
            self.drop("denied" if network.denies(flow.peer) else "unknown-source")
            return
        if self.guard.active and source is not None and self.gate.receive(data, flow, source, now):
            return
        if self.overload.active and source is not None and self.refusals.receive(data, flow, source, now):
            return
        try:
            message = parse_within(data, network.bounds)
        except Malformed as error:
            self._reject(error, flow, source, now)
            return
        if message.status:
            self.responses.receive(message, flow, source, now)
        else:
            if flow.identity and source is not None:
                self.aliases.offered(flow, message.via, source)
            self.requests.receive(message, flow, source, now)

    def undelivered(self, flow: Flow, data: bytes, now: float) -> None:
        """Learn that a message which `send` had taken never left: to whom it matters, that is a transport error."""
        undelivered(self, flow, data, now)

    def closed(self, flow: Flow, now: float, *, here: bool = True) -> None:
        """Learn that a connection has ended, here or in another worker.

        What waits for a first answer over it need not wait for a timer; phones that are registered by it alone are
        registered no more.
        """
        self.bindings.closed(flow, now)
        self.waiting.ended(flow, self.wheel, now, here=here)
        self.aliases.ended(flow)
        if here:
            self.registrations.closed(flow, now)  # other workers make connections of their own to where trunks are

    def silence(self, flow: Flow) -> float:
        """Return the seconds for which a connection may bring nothing: a phone's with Outbound; 0: like others."""
        return self.registrar.silence(flow)

    def worker_ended(self, worker: int, now: float) -> None:
        """Learn that another worker has begun anew: its connections are gone, and with them what waits for them."""
        self.bindings.worker_ended(worker, now)
        self.waiting.worker_ended(worker, self.wheel, now)
        self.aliases.worker_ended(worker)

    def unowned(self, data: bytes, flow: Flow, now: float) -> None:
        """Answer what a connection has brought for a worker that takes nothing more."""
        unowned(self, data, flow, now)

    def unframed(self, data: bytes, flow: Flow, code: int, why: str) -> None:
        """Answer the head of a message whose end nobody can tell; the connection ends after it."""
        unframed(self, data, flow, code, why)

    def timeout(self, now: float) -> None:
        """Fire the timers that are due; to be called every `tick` seconds."""
        self.overload.tick(now)
        if self.guard.active:
            self.guard.tick(now)
        self.wheel.advance(now)
        if self.probes.stale:
            self.probes.begin(now)
        if self.registrations.stale:
            self.registrations.begin(now)

    def leave(self, now: float) -> None:
        """Begin to say good-bye, before a stop: registrations at trunks are taken out. `leaving` tells of what."""
        self.registrations.stop(now)

    @property
    def leaving(self) -> int:
        """How many good-byes have not been answered yet."""
        return self.registrations.leaving

    def resume(self, ticket: int, places: Sequence[Place], now: float) -> None:
        """Take up a branch that waited for a look-up; no places means that there are none."""
        found = self.parking.take(ticket)
        if found is not None:
            found(places, now)

    def adopt(
        self, settings: Settings, keyring: KeyRing, privacy: Privacy, retired: Sequence[Trunk] = (),
        passwords: Mapping[str, Account] = NO_ACCOUNTS,
    ) -> None:  # fmt: skip
        """Go on with other settings, keys and policy; nothing in progress is lost, and none of it changes.

        A transaction keeps the decisions, plans and names that its crossings hold; a dialog keeps those in its
        records. What only bounds or paces (limits, timers, overload control) holds from now on for all. Listeners must
        be the same ones. While the keys are, all that is remembered of them stays.
        """
        former = self.generation
        if keyring == former.tokens.ring:
            network = Network(settings, retired)
            self.generation = Generation(
                network, privacy, former.tokens, former.identity, former.references, self.places, self.bindings,
                self._accounts, self.wishes.wishes(network, retired, privacy, former.tokens, former.identity),
            )  # fmt: skip
            self._make_forwarders(self.generation)
        else:
            self.generation = self._generation(settings, keyring, privacy, retired)
        for via, party in self.looped.items():
            # What is on its way from ourselves to ourselves comes from a side of the generation that it meets.
            self.looped[via] = self.generation.network.party(party.end, party.zone is Zone.PSAP) or party
        forget_plans()
        self.logins.adopt(passwords, frozenset([trunk.name for trunk in retired]))
        self.timers = Intervals(settings.timers)
        self.parking.limit = settings.limits.parked
        self.requests.obey()
        self.overload.obey(settings.overload)
        self.probes.stale = True
        self.registrations.adopt()
        self.limits.adopt(settings.trunks)
        self.authentication.obey()
        self.recording.obey()
        self.guard.obey(settings.guard, settings.workers)
        self.gate.obey()

    def set_wall(self, now: float, wall: float) -> None:
        """Follow the wall clock: records carry it, timers do not."""
        self._epoch = self.bindings.epoch = wall - now

    def owner(self, data: bytes, workers: int = 1) -> int:
        """Return which of `workers` a datagram belongs to (design.md §6)."""
        return owner(data, workers)

    def gauges(self) -> dict[str, float]:
        """Return what is in progress, by metric name."""
        return gauges(self)

    # --- what handlers and transactions share

    def wall(self, now: float) -> int:
        """Return whole seconds since the epoch."""
        return int(now + self._epoch)

    def give_back(self, flow: Flow, data: bytes) -> None:
        """Send a response to where its request came from, or as near to that as there is a way (§18.2.2)."""
        if not self._send(flow, data) and flow.connection:
            give_back_anew(self, flow, data)

    def drop(self, reason: str) -> None:
        """Count a message that gets silence."""
        self.counters.add("dropped", reason)
        self._sinks.event(Event("dropped", "", "", reason))

    def event(self, kind: str, call: bytes, peer: str, detail: str) -> None:
        """Tell the event sink; `call` is a keyed pseudonym (`pseudonym`, or the one in the dialog's record)."""
        self._sinks.event(Event(kind, call.hex(), peer, detail))

    def override(self, reason: str, call: bytes, party: Party) -> None:
        """Count and tell that filters were set aside, for a reason of COUNTERS (standards.md §2.6 E6)."""
        self.counters.add("privacy_overrides", reason)
        self.event("privacy-override", call, party.label, reason)

    def failed_over(self, crossing: Crossing, reason: str) -> None:
        """Count and tell that a target failed and the next one is tried, for a reason of COUNTERS."""
        self.counters.add("failovers", reason)
        self.event("failover", crossing.base.call, crossing.hop.party.label, reason)

    def pseudonym(self, request: Message) -> bytes:
        """Return what stands for a call in events: a keyed hash of the Call-ID."""
        tokens = self.generation.tokens
        return tokens.mac(tokens.current, b"call", request.call_id, size=6)

    def record(self, received: bytes, sent: bytes, flow: Flow, crossing: Crossing) -> None:
        """Show a forwarded message to whoever listens."""
        if self.recorder is not None:
            self.recorder.forwarded(received, sent, flow, crossing.notes or [])

    def open_server(self, key: ServerKey, request: Message, flow: Flow) -> ServerTransaction:
        """Begin a server transaction whose responses go back to where the request came from."""
        back = reply_flow(self.generation.network, request, flow)
        return ServerTransaction(self, back, self.servers, key, is_invite=request.method == b"INVITE")

    def absorb(self, server: Server, label: str, now: float) -> None:
        """Take the repetition of a request: what was answered last is sent again, but never a 2xx to an INVITE."""
        self.counters.add("retransmissions_absorbed", label)
        if isinstance(server, ServerTransaction):
            server.repeat(now)
        elif isinstance(server, CompletedServer) and server.response:
            self.give_back(server.flow, server.response)

    def respond(
        self, server: ServerTransaction, request: Message, flow: Flow, status: int, now: float,
        reason: bytes = b"", extra: tuple[bytes, ...] = (),
    ) -> None:  # fmt: skip
        """Answer a request ourselves."""
        data = self.own_response(request, flow, status, reason, extra)
        source = self.source_of(flow)
        if is_phone(source):
            self.gate.refused(request, flow, source, status, now)
            if status == 200 and request.method == b"REGISTER":
                self.guard.proved(flow)
            if flow.transport == "UDP" and server.is_invite and status >= 300 and not server.last:
                # Its sender has heard nothing of us, so it repeats the INVITE. By timer G (§17.2.1) eleven answers to
                # one question would go to whoever has that address.
                if server.refuse(modest(data, request), now):
                    self._count_made(status)
                return
            data = modest(data, request) if flow.transport == "UDP" else data
        if server.respond(status, data, now):
            self._count_made(status)

    def try_on(self, server: ServerTransaction, request: Message, flow: Flow, now: float) -> None:
        """Send 100; replaces `respond`, whose To tag, reason and further lines it has none of."""
        head, tail = echo(request, flow, b"")
        trying = b"".join((b"SIP/2.0 100 Trying\r\n", head, b"\r\n", tail, b"\r\nContent-Length: 0\r\n\r\n"))
        if server.respond(100, trying, now):
            self.counters.add("responses_made", "100")

    def respond_statelessly(
        self, request: Message, flow: Flow, status: int, reason: bytes = b"", extra: tuple[bytes, ...] = ()
    ) -> None:
        """Answer without a transaction: for what is broken, or too much."""
        data = self.own_response(request, flow, status, reason, extra)
        self.answer(request, flow, data)
        self._count_made(status)

    def answer(self, request: Message, flow: Flow, data: bytes) -> None:
        """Send an answer of ours without a transaction, and none that is larger than its question (`modest`)."""
        if flow.transport == "UDP" and is_phone(self.source_of(flow)):
            data = modest(data, request)
        if data:
            self.give_back(reply_flow(self.generation.network, request, flow), data)

    def source_of(self, flow: Flow) -> Party | None:
        """Return whose a flow is."""
        network = self.generation.network
        if flow.transport == "UDP" and network.by_address:
            return network.party_of(flow.peer)
        return network.party_from(flow.transport, flow.local, flow.peer, flow.identity)

    def own_response(
        self, request: Message, flow: Flow, status: int, reason: bytes = b"", extra: tuple[bytes, ...] = ()
    ) -> bytes:
        """Return a response of our own; its To tag is a keyed hash, the same for every retransmission."""
        if status == 100 or request.to_tag:
            return reply(request, flow, status, b"", reason=reason, extra=extra)
        return reply(request, flow, status, self.own_tag(request), reason=reason, extra=extra)

    def own_tag(self, request: Message) -> bytes:
        """Return the To tag of our own responses to a request; the ACK brings it back."""
        tokens = self.generation.tokens
        via = request.via
        # The same for an INVITE, its ACK and its CANCEL (RFC 3261 §9.2), which have the branch in common.
        parts = (via.branch, via.host, request.call_id)
        return tokens.mac(tokens.current, b"to-tag", *parts, size=8).hex().encode()

    def start_client(
        self, flow: Flow, method: bytes, data: bytes, branch: bytes, user: ClientUser
    ) -> ClientTransaction:
        """Make a client transaction for finished bytes; `start` sends them."""
        return ClientTransaction(self, flow, self.clients, client_key(branch, method), data, user)

    def look_up(self, host: str, port: int, transport: str, found: Found, *, urgent: bool) -> bool:
        """Park until it is known where host is served; False when too many wait and this is no emergency call."""
        ticket = self.parking.put(found, urgent=urgent)
        if ticket is None:
            return False
        self._sinks.lookup(ticket, host, port, transport)
        return True

    def _reject(self, error: Malformed, flow: Flow, source: Party | None, now: float) -> None:
        """Answer a broken request as far as it can be read; anything else gets silence."""
        request = partial(error)
        if not error.code or request is None or self.gate.is_banned(flow, source, now):
            self.drop("malformed")
            return
        self.respond_statelessly(request, flow, error.code, error.why.encode())

    def _tell_overload(self, begins: bool) -> None:
        """Write down that overload begins or is over."""
        self._sinks.event(Event("overload", "", "", "begins" if begins else "ends"))

    def _count_made(self, status: int) -> None:
        self.counters.add("responses_made", _MADE_CODES.get(status, "other"))
