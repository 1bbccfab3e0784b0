"""What the live proxy makes of messages: the real core, policy and plans, a key ring of this run, and no socket.

`Replay` hands messages to a core in the order in which they were given. A request is handed over as it is; what
answers it, or follows in the dialog, was written for somebody else's tokens, so it is addressed anew first
(`explain_rewrite`). Nothing is written to a disk, and nothing of the configured state is read.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from config.keyring import Key, KeyRing, KeyState
from config.settings import Settings, Trunk
from config.subscribers import Subscribers
from config.vocabulary import Zone
from filters.engine import Engine, build
from filters.rulings import Ruling
from proxy import dialled
from proxy.core import Core
from proxy.errors import Malformed
from proxy.flow import Flow
from proxy.location import plain
from proxy.message import Message
from proxy.party import Party
from proxy.routing import Network
from proxy.sinks import Event
from proxy.uri import SipUri, parse_sip_uri
from tap.explain_ends import (
    Address,
    ExplainError,
    address_of,
    near_flow,
    only_towards,
    trunk_named,
    with_ports,
)
from tap.explain_recording import PRIVATE, client_flow, detector_of, is_session, remark
from tap.explain_rewrite import as_subscriber, read, request_for, response_to, with_to_tag, within
from tap.signing import NO_CREDENTIALS, Credentials, signer_of, verifier_of

_ALONE = frozenset((b"INVITE", b"MESSAGE", b"OPTIONS", b"SUBSCRIBE", b"REFER", b"NOTIFY", b"PUBLISH", b"REGISTER"))
"""Methods whose response can be explained alone: a request outside dialogs may be made up for it."""


class Wish(NamedTuple):
    """What somebody wants explained."""

    inward: bool = False
    """From a trunk to us, not from us to a trunk."""
    trunk: str = ""
    """Which trunk; empty: the one that the configuration routes to, or the only one."""
    subscriber: bytes = b""
    """Whose message it is taken for; empty: the message's own caller or called user."""


class Crossed(NamedTuple):
    """A message that was forwarded."""

    received: bytes
    sent: bytes
    to: Flow
    receiver: Party | None
    """Whom it went to; None for an address of ours."""
    reasons: list[tuple[str, str]]
    rulings: tuple[Ruling, ...] = ()
    """Who decided what of each category, when the request that it began with went to its receiver."""


@dataclass
class Step:
    """A message that was given, and what became of it."""

    given: bytes
    sender: Party
    remarks: list[str] = field(default_factory=list)
    """What was changed before the proxy got it, and why, and whether it records; in sentences."""
    crossed: list[Crossed] = field(default_factory=list)
    made: list[tuple[Flow, bytes]] = field(default_factory=list)
    """Messages of the proxy's own: 100, refusals, the ACK of a refusal, CANCEL."""


class Bench:
    """A core without sockets: takes what it sends, and hears why."""

    def __init__(self, settings: Settings, ring: KeyRing, privacy: Engine, now: float, wall: float) -> None:
        """Build the core as a service would."""
        self.sent: list[tuple[Flow, bytes]] = []
        self.heard: list[tuple[bytes, bytes, Flow, list[tuple[str, str]]]] = []
        self._waiting: list[tuple[int, str]] = []
        self._now = now
        self.core = Core(settings, ring, privacy, self, now=now, wall=wall)
        self.core.recorder = self

    def send(self, flow: Flow, data: bytes) -> bool:
        """Take what would go to a socket."""
        self.sent.append((flow, data))
        return True

    def lookup(self, ticket: int, host: str, port: int, transport: str = "UDP") -> None:
        """Note a name; `receive` answers."""
        self._waiting.append((ticket, host))

    def event(self, event: Event) -> None:
        """Let an event go by: there is no log."""

    def forwarded(self, received: bytes, sent: bytes, sent_to: Flow, reasons: list[tuple[str, str]]) -> None:
        """Take a forwarded message, with the reason of each edit."""
        self.heard.append((received, sent, sent_to, list(reasons)))

    @property
    def wishes(self) -> int:
        """How often somebody has asked for privacy, where recordings have to know."""
        return self.core.counters.values.get(("privacy_wishes", "noted"), 0)

    def receive(self, data: bytes, flow: Flow, find: Callable[[str], str]) -> None:
        """Hand over a datagram; find returns an address for a host name, "" for none."""
        self.core.receive(data, flow, self._now)
        while self._waiting:
            ticket, host = self._waiting.pop(0)
            address = find(host)
            self.core.resume(ticket, plain([address] if address else []), self._now)


class _Exchange(NamedTuple):
    """A request that crossed: as it was given, as its sender wrote it, and as the other side got it."""

    given: Message
    received: Message
    sent: Message
    near: bool
    """Whether it came from the side that began."""
    back: Flow
    """The flow that its answer comes in on."""


class Replay:
    """One conversation, message by message."""

    def __init__(
        self, settings: Settings, wish: Wish, *, ring: KeyRing, now: float, wall: float,
        subscribers: Subscribers | None = None, credentials: Credentials = NO_CREDENTIALS,
    ) -> None:  # fmt: skip
        """Prepare.

        Args:
            settings: the configuration.
            wish: what is to be explained.
            ring: the keys of this run.
            now: monotonic seconds.
            wall: Unix seconds.
            subscribers: what they have said; nobody anything without.
            credentials: what calls are signed and verified with.

        Raises:
            ExplainError: the configuration has no such trunk.
            CatalogueError: the catalogue has a mistake.
        """
        self.settings = with_ports(settings)
        self.network = Network(self.settings)
        signer, verifier = signer_of(settings, credentials), verifier_of(credentials)
        self.privacy = build(self.settings, subscribers, signer, verifier, credentials.recorders)
        self._detector = detector_of(self.settings)
        self._wish, self._ring, self._now, self._wall = wish, ring, now, wall
        self._trunk = trunk_named(settings, wish.trunk) if wish.trunk else None
        if wish.inward and self._trunk is None:
            if len(settings.trunks) != 1:
                raise ExplainError("say which trunk the message comes from")
            self._trunk = settings.trunks[0]
        self._decided: tuple[str, tuple[Ruling, ...]] = "", ()
        """Which side began, and who decided what it discloses."""
        self._bench: Bench | None = None
        self._near: Flow | None = None
        self._exchanges: list[_Exchange] = []
        self._answers: list[tuple[Message, Message, bool]] = []
        """Responses that crossed: as written by their sender, as the other side got them, whether near got them."""
        self._own: dict[bool, Message] = {}
        """The last response of our own that each side got; True: near."""

    def feed(self, data: bytes, wanted: Address | None = None) -> Step:
        """Hand over a message; wanted is where it says to come from.

        Raises:
            ExplainError: it cannot be explained without another one before it.
        """
        message = read(data)
        if message is None or (message.method and not message.to_tag):
            return self._begin(data, message, wanted)
        if message.status:
            return self._answer(message, wanted)
        return self._within(message, wanted)

    # --- the three kinds of message

    def _begin(self, data: bytes, message: Message | None, wanted: Address | None, *remark: str) -> Step:
        """Hand over a request outside dialogs, or what cannot be read, from the side that begins."""
        remarks = list(remark)
        if message is not None and self._wish.subscriber:
            changed = as_subscriber(message, self._wish.subscriber, called=self._wish.inward)
            if changed != data:
                which = "To and Request-URI" if self._wish.inward else "From"
                remarks.append(f"{which} named another address of record; the subscriber's was put there")
                data, message = changed, read(changed)
        flow = self._near_flow(message, wanted)
        if self._bench is None:
            self._bench = self._made(self._settings_for(message, flow, remarks))
        step = self._receive(data, flow, remarks)
        if message is not None:
            self._remember(message, step, near=True)
        return step

    def _answer(self, response: Message, wanted: Address | None) -> Step:
        """Hand over a response, as the answer to the request that it has the CSeq of."""
        remarks: list[str] = []
        exchange = self._asked(response)
        if exchange is None and not self._exchanges and response.cseq_method in _ALONE:
            exchange = self._made_up(response, wanted)
            remarks.append("its request was not given; one was made up from its From, To, Call-ID and CSeq")
        if exchange is None:
            raise ExplainError("a response came without its request; give the request first")
        remarks.append("addressed anew: Via, From, To, Call-ID and Record-Route are those of this run's request")
        data = response_to(exchange.sent, response, self._is_ours)
        step = self._receive(data, exchange.back, remarks)
        written = read(data)
        if written is not None:
            for crossed in step.crossed:
                got = read(crossed.sent)
                if got is not None:
                    self._answers.append((written, got, exchange.near))
        return step

    def _within(self, request: Message, wanted: Address | None) -> Step:
        """Hand over a request within a dialog."""
        near = self._is_near(request)
        first = next((one for one in self._exchanges if one.near and not one.given.to_tag), None)
        if request.method == b"ACK" and near and self._was_refused(request):
            data, remarks = with_to_tag(request, self._own[True].to_tag), ["To has the tag of this run's refusal"]
            return self._receive(data, self._near_flow(request, wanted), remarks)
        answered = [one for one in self._answers if one[2] and one[0].to_tag]
        if first is None or not answered:
            remark = "its dialog was not given: it is handed over as it is, without a record of this run"
            return self._begin(request.raw, request, wanted, remark)
        formed = max(answered, key=lambda one: 200 <= one[0].status < 300)
        remarks = ["addressed anew: Request-URI, Route, Call-ID and tags are those of this run's dialog"]
        if near:
            data = within(request, formed[1], first.received, formed[1].to_tag)
            flow = self._near_flow(request, wanted)
        else:
            data = within(request, first.sent, formed[0], first.sent.from_tag)
            flow = first.back
        step = self._receive(data, flow, remarks)
        self._remember(request, step, near=near)
        return step

    # --- what they share

    def _receive(self, data: bytes, flow: Flow, remarks: list[str]) -> Step:
        assert self._bench is not None  # noqa: S101 -- whoever calls has made it
        bench = self._bench
        bench.sent.clear()
        bench.heard.clear()
        wishes = bench.wishes
        bench.receive(data, flow, self._find)
        sender = self.network.party_of(flow.peer)
        assert sender is not None  # noqa: S101 -- flows are made of configured addresses alone
        step = Step(data, sender, remarks)
        for received, sent, to, reasons in bench.heard:
            receiver = self.network.party_of(to.peer)
            rulings = self._rulings(received, sender, receiver)
            step.crossed.append(Crossed(received, sent, to, receiver, reasons, rulings))
        forwarded = {one.sent for one in step.crossed}
        step.made = [(to, sent) for to, sent in bench.sent if sent not in forwarded]
        said = self._of_recording(data, step)
        if said:
            step.remarks.append(said)
        if bench.wishes > wishes:
            step.remarks.append(PRIVATE)
        for to, sent in step.made:
            own = read(sent)
            if own is not None and own.status >= 200:
                self._own[to.peer == self._near_peer] = own
        return step

    def _of_recording(self, data: bytes, step: Step) -> str:
        message = read(data)
        if message is None or message.status:
            return ""
        receivers = [one.receiver for one in step.crossed]
        return remark(self._detector.classify(message), receivers, [sent for _, sent in step.made])

    def _rulings(self, received: bytes, sender: Party, receiver: Party | None) -> tuple[Ruling, ...]:
        """Return who decided what of a request outside dialogs; what follows it obeys the same."""
        message = read(received)
        if message is None or receiver is None or message.status:
            return ()
        if message.to_tag:
            return self._decided[1] if self._decided[0] == sender.key else ()
        uri = _parsed(message.uri)
        wish = (
            self.network.prefixes.read(uri.user).wish
            if uri is not None and sender.zone is Zone.ACCESS
            else dialled.Wish.NONE
        )
        self._decided = sender.key, self.privacy.rulings(message, sender, receiver, wish)
        return self._decided[1]

    def _remember(self, given: Message, step: Step, *, near: bool) -> None:
        received = read(step.given)
        for crossed in step.crossed:
            sent = read(crossed.sent)
            if sent is not None and received is not None:
                self._exchanges.append(_Exchange(given, received, sent, near, crossed.to))

    def _asked(self, response: Message) -> _Exchange | None:
        """Return the request that a response answers: by CSeq, of two sides' the one with the same From tag."""
        found = [
            one
            for one in self._exchanges
            if (one.given.cseq, one.given.method) == (response.cseq, response.cseq_method)
        ]
        return max(found, key=lambda one: one.given.from_tag == response.from_tag, default=None)

    def _made_up(self, response: Message, wanted: Address | None) -> _Exchange | None:
        flow = self._near_flow(None, None)
        request = request_for(response, b"%b:%d" % (flow.peer[0].encode(), flow.peer[1]))
        self._begin(request, read(request), flow.peer)
        return self._exchanges[-1] if self._exchanges else None

    def _is_near(self, request: Message) -> bool:
        """Tell whether a request within a dialog comes from the side that began it."""
        return not any(
            request.from_tag == written.to_tag and to_near and request.from_tag for written, _, to_near in self._answers
        )

    def _was_refused(self, ack: Message) -> bool:
        """Tell whether an ACK is for a refusal, which ends at this proxy."""
        refused = [
            got for written, got, to_near in self._answers
            if to_near and got.status >= 300 and (got.cseq, got.cseq_method) == (ack.cseq, b"INVITE")
        ]  # fmt: skip
        if refused:
            self._own[True] = refused[-1]
            return True
        own = self._own.get(True)
        return own is not None and own.status >= 300 and own.cseq == ack.cseq

    @property
    def _near_peer(self) -> Address | None:
        return self._near.peer if self._near else None

    def _near_flow(self, message: Message | None, wanted: Address | None) -> Flow:
        """Return the flow of the side that begins, the same for the whole conversation."""
        if self._near is None:
            zone = Zone.TRUNK if self._wish.inward else Zone.ACCESS if self.settings.access is not None else Zone.CORE
            if wanted is None and message is not None:
                wanted = (message.via.host.decode("ascii", "replace"), message.via.port or 5060)
            clients = self.settings.recording_clients
            if clients and message is not None and is_session(self._detector.classify(message)):
                self._near = client_flow(self.network, self.settings, wanted)
                return self._near
            trunk = self._trunk if self._wish.inward else None
            self._near = near_flow(self.network, zone, trunk, wanted)
        return self._near

    def _settings_for(self, message: Message | None, flow: Flow, remarks: list[str]) -> Settings:
        """Return the settings to run with: routes that lead to the wished trunk."""
        if self._wish.inward or self._trunk is None or message is None:
            return self.settings
        source = self.network.party_of(flow.peer)
        assert source is not None  # noqa: S101 -- `near_flow` made sure
        dialled = self._dialled(message.uri)
        emergency = self.network.is_emergency(dialled)
        hops = self.network.route(message, _parsed(dialled), source, emergency=emergency, dialled=dialled)
        chosen = [hop.party.trunk for hop in hops]
        if chosen == [self._trunk]:
            return self.settings
        names = ", ".join(dict.fromkeys(hop.party.label for hop in hops)) or "nowhere"
        remarks.append(f"the configuration would route this to {names}; for this run it goes to {self._trunk.name}")
        return only_towards(self.settings, self._trunk.name)

    def _dialled(self, uri: bytes) -> bytes:
        """Return a Request-URI less a prefix that is for Sipveil, such as *67; what is no URI as it is."""
        try:
            return self.network.prefixes.in_uri(uri).number
        except Malformed:
            return uri

    def _made(self, settings: Settings) -> Bench:
        return Bench(settings, self._ring, self.privacy, self._now, self._wall)

    def _find(self, host: str) -> str:
        """Answer a look-up with a configured address of the trunk, recorder or core that has this name."""
        return next((found for party in self._named(host) if (found := address_of(self.network, party))), "")

    def _named(self, host: str) -> Iterable[Party]:
        trunks: Sequence[Trunk] = self.network.trunks
        yield from (Party(Zone.TRUNK, trunk) for trunk in trunks if any(one.host == host for one in trunk.hosts))
        yield Party(Zone.CORE)

    def _is_ours(self, uri: bytes) -> bool:
        parsed = _parsed(uri)
        return parsed is not None and self.network.is_us(parsed.host, parsed.port)


def _parsed(uri: bytes) -> SipUri | None:
    try:
        return parse_sip_uri(uri)
    except Malformed:
        return None


def throw_away_ring(wall: float) -> KeyRing:
    """Return a key ring that nobody else has, and that is gone with the process."""
    return KeyRing((Key(0, secrets.token_bytes(32), wall, KeyState.CURRENT),), 1)
