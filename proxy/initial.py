"""Requests outside dialogs: where they may go, and the crossing for each hop (RFC 3261 §16.4 to §16.6)."""

from __future__ import annotations

from collections.abc import Callable

from config.recorders_section import RecordingClient
from config.vocabulary import Zone
from proxy import cseq
from proxy.crossing import Crossing, derived
from proxy.dialled import Prefixes, Wish
from proxy.errors import Malformed, Refused
from proxy.flow import Flow
from proxy.flow_token import open_flow, open_services
from proxy.followed import followed
from proxy.forwarded_register import registering
from proxy.generation import Generation
from proxy.gruu import is_gruu
from proxy.headers import NameAddr, parse_name_addr
from proxy.hop import Hop, hop_over
from proxy.location import DEFAULT_PORT, is_address
from proxy.login import Login
from proxy.lost_flow import check_flow
from proxy.memo import forget, remembered_by_all
from proxy.message import Message
from proxy.party import ACCESS, Party
from proxy.passage import outward_pair
from proxy.policy import Plan
from proxy.record import Mark, Record
from proxy.references import TRANSFER_LIFETIME, Transfer
from proxy.registered import Phone, phones
from proxy.relaying import check_maddr
from proxy.tokens import Purpose
from proxy.uri import SipUri, parse_sip_uri
from proxy.wishes import private_at

#: Methods that never form a dialog; every other one, unknown ones included, gets a Record-Route
#: because we straddle a boundary (§16.6 item 4).
NO_DIALOG = frozenset(
    (b"OPTIONS", b"MESSAGE", b"REGISTER", b"PUBLISH", b"BYE", b"ACK", b"CANCEL", b"PRACK", b"INFO", b"UPDATE")
)


class Arrival:
    """A request at our door."""

    __slots__ = (
        "account", "called", "client", "dialled", "flow", "private", "replaced", "request", "served", "source",
        "through", "uri", "wall", "wish", "withheld",
    )  # fmt: skip

    def __init__(self, request: Message, uri: SipUri | None, source: Party, flow: Flow, wall: int) -> None:
        """Note what it is, its Request-URI, from whom, over which flow, and when: wall clock, seconds."""
        self.request = request
        self.uri = uri
        self.source = source
        self.flow = flow
        self.wall = wall
        self.served = False
        """Whether its Routes are the core's own, from a Service-Route that it was given."""
        self.through = b""
        """The flow token in a Route of the core's: by it alone the phone is reached."""
        self.replaced: NameAddr | None = None
        """What has to stand in place of From, which is not that account's."""
        self.dialled = request.uri
        """The Request-URI less a prefix that was for us."""
        self.client: RecordingClient | None = None
        """Who records, where it begins a recording session."""
        self.called = b""
        """The Request-URI that goes on where none is written for a trunk: with whom a trunk calls at our Contact, or an
        emergency number alone; b"" for the one that came."""
        self.account = ""
        """The authenticated account of a phone's request; empty where nobody was asked."""
        self.wish = Wish.NONE
        """What that prefix asks for."""
        self.private: tuple[bytes, ...] = ()
        """Names of a caller who wants privacy in this call, where recordings have to know (`proxy/wishes.py`)."""
        self.withheld = 0
        """What that caller wants to be hidden, packed."""

    def take_prefix(self, prefixes: Prefixes) -> None:
        """Tell a prefix in front of the dialled number, such as *67, from the number."""
        if self.uri is None:
            self.wish, self.dialled = prefixes.in_uri(self.request.uri)
            return
        if not prefixes.may_begin(self.uri.user):
            return
        found = prefixes.read(self.uri.user)
        if found.wish is not Wish.NONE:
            self.wish = found.wish
            self.uri = self.uri.replaced(user=found.number)
            self.dialled = bytes(self.uri)


class Destination:
    """One target of an initial request."""

    __slots__ = ("hop", "phone", "target", "transfer")

    def __init__(self, hop: Hop, target: bytes, transfer: Transfer | None = None, phone: Phone | None = None) -> None:
        """Name it.

        Args:
            hop: where it is.
            target: Request-URI to send; b"" to derive it from the received one.
            transfer: what a transfer token held, where one led here.
            phone: the registered phone, where it is one.
        """
        self.hop = hop
        self.target = target
        self.transfer = transfer
        self.phone = phone


def take_routes(generation: Generation, arrival: Arrival, *, urgent: bool = False) -> tuple[bytes, ...]:
    """Return the Route values behind our own, checking that the sender may write them (§16.4).

    With urgent, of an emergency call or its call-back, what may not be obeyed is ignored rather than refused.

    Raises:
        Refused: 403 for a token without a dialog, and for Route, Record-Route or Path from phones.
    """
    if urgent:
        try:
            return take_routes(generation, arrival)
        except (Malformed, Refused):
            return ()
    request, source = arrival.request, arrival.source
    routes = [_uri(value) for value in request.items(b"route")] if b"route" in request.index else []
    while routes:
        first = _sip(routes[0])
        if first is None or not generation.network.is_us(first.host, first.port):
            break
        if first.user and generation.is_token(first.user, Purpose.ROUTE):
            raise Refused(403, "Route without dialog")
        routes.pop(0)
        if first.user and generation.network.forwards_register:
            _take_token(generation, arrival, first.user, routes)
            break
    believed = source.edge or source.in_core or arrival.served
    if routes and not believed:
        raise Refused(403, "Route Not Allowed")
    phone = source.in_access and not source.edge
    if phone and (b"record-route" in request.index or b"path" in request.index):
        raise Refused(403, "Record-Route Not Allowed")
    return tuple(routes)


def _take_token(generation: Generation, arrival: Arrival, user: bytes, routes: list[bytes]) -> None:
    """Take what stands in a Route of ours: a flow token of the core's, a phone's Service-Route (RFC 3608).

    Raises:
        Refused: 403 for what is neither, or is another side's.
    """
    if arrival.source.in_core:
        arrival.through = user
        return
    services = open_services(generation.tokens, user) if arrival.source.in_access else None
    if services is None or routes:
        raise Refused(403, "Route Not Allowed")
    arrival.served = True
    routes += services


def destinations(
    generation: Generation, arrival: Arrival, routes: tuple[bytes, ...], allow_contact: Callable[[bytes], bool]
) -> tuple[list[Destination], bool]:
    """Return where an initial request goes, and whether it is an emergency call.

    Args:
        generation: the running one.
        arrival: the request.
        routes: what `take_routes` returned.
        allow_contact: rate limit for calls through a Contact outside its dialog, by subscriber.

    Raises:
        Refused: when it may not go anywhere.
    """
    network = generation.network
    if arrival.source.in_access or arrival.source.in_core:
        # A core that has left it to us goes on with what was dialled: taken off without being obeyed, it would show
        # the number of a caller who has withheld it.
        arrival.take_prefix(network.prefixes)
    emergency = network.calls_for_help(arrival.request, arrival.dialled)
    uri = _called(generation, arrival, emergency=emergency)
    if arrival.through:
        flow = open_flow(generation.tokens, arrival.through, generation.places)
        return [Destination(hop_over(ACCESS, flow), arrival.request.uri)], False
    if uri is not None and network.is_us(uri.host, uri.port) and uri.user:
        token = _by_token(generation, arrival, uri, allow_contact)
        if token is not None:
            return [token], False
    if routes:
        hop = _by_route(generation, routes[0], emergency=emergency)
        _check_no_trunk(arrival.source, [hop] if hop is not None else [])
        if hop is not None:
            return [Destination(hop, arrival.request.uri)], emergency
    hops = network.route(arrival.request, uri, arrival.source, emergency=emergency, dialled=arrival.dialled)
    if not hops:
        raise Refused(404 if uri is not None and network.is_us(uri.host, uri.port) else 403, "No Route")
    if routes:
        _check_no_trunk(arrival.source, hops)
    return _at(generation, arrival, hops), emergency


def _called(generation: Generation, arrival: Arrival, *, emergency: bool) -> SipUri | None:
    """Return the Request-URI to go by. The core's is its own affair; from others no maddr is obeyed.

    Raises:
        Refused: 403 for a maddr that is not us.
    """
    if not arrival.source.in_core:
        if emergency:
            return _bare(arrival)
        check_maddr(arrival.uri, generation.network.is_us)
    return arrival.uri


def _bare(arrival: Arrival) -> SipUri | None:
    """Leave of a dialled emergency number the number alone, and of its URI no maddr; return the URI.

    Nobody was asked who calls. So what goes on is the number by which it was taken for a call for help: a routing
    number (RFC 4694), a carrier or a phone-context behind it would make it any other one.
    """
    arrival.dialled = _number_alone(arrival.dialled)
    alone = _number_alone(arrival.request.uri)
    if alone != arrival.request.uri:
        arrival.called = alone
    if arrival.uri is not None:
        arrival.uri = _sip(arrival.dialled)
    return arrival.uri


def _number_alone(uri: bytes) -> bytes:
    parsed = _sip(uri)
    if parsed is not None:
        alone = parsed.replaced(user=parsed.user.partition(b";")[0], password=b"")
        return bytes(alone.without(b"maddr", b"ttl") if b"maddr" in alone.params.lower() else alone)
    return uri.partition(b";")[0] if uri[:4].lower() == b"tel:" else uri


def _check_no_trunk(source: Party, hops: list[Hop]) -> None:
    """Refuse a Route that an edge proxy passes on towards a trunk: a phone may have written it.

    To a trunk it would go round the routing table; to anybody else the trunk would relay to it.

    Raises:
        Refused: 403.
    """
    if source.in_access and any(hop.party.zone is Zone.TRUNK for hop in hops):
        raise Refused(403, "Route Not Allowed")


def _at(generation: Generation, arrival: Arrival, hops: list[Hop]) -> list[Destination]:
    """Return the destinations of a route: its hops, and registered phones in the place of their word.

    Raises:
        Refused: 480 where that is nobody.
    """
    found = []
    for hop in hops:
        if hop.host:
            found.append(Destination(hop, b""))
        else:
            there = phones(generation, arrival.uri, arrival.dialled)
            if there and arrival.uri is not None and is_gruu(arrival.uri):
                # A temporary one does not say so, and whom it is for decides what goes on.
                arrival.request.callee = b"sip:" + there[0].called
            found += [Destination(phone.way.hop, phone.way.target, None, phone) for phone in there]
    if not found:
        raise Refused(480, "Temporarily Unavailable")
    return found


def _by_token(
    generation: Generation, arrival: Arrival, uri: SipUri, allow_contact: Callable[[bytes], bool]
) -> Destination | None:
    """Return the target of a transfer token, or of a phone's Contact used outside its dialog (RFC 3261 §8.1.1.8)."""
    source, network = arrival.source, generation.network
    transfer = generation.references.open_transfer(uri, source.end)
    record = transfer.record if transfer else generation.references.open_contact(uri)
    if record is None:
        return None
    lifetime = TRANSFER_LIFETIME if transfer else network.limits.max_dialog_age
    if arrival.wall - record.issued > lifetime:
        raise Refused(480, "Temporarily Unavailable")
    if transfer is None and (record.far.zone is not Zone.ACCESS or not record.near.is_side_of(source.end)):
        # A Contact reaches its subscriber, for the side that it was given to; never a trunk.
        raise Refused(403, "Forbidden")
    if transfer is None and not allow_contact(record.subscriber):
        raise Refused(480, "Temporarily Unavailable")
    party = network.party(record.far)
    if party is None or record.flow is None:
        raise Refused(480, "Temporarily Unavailable")
    if party.in_access:
        record = check_flow(generation, record, source, record.routes)
    assert record.flow is not None  # noqa: S101 -- it had one above
    return Destination(hop_over(party, record.flow), record.target, transfer)


def _by_route(generation: Generation, route: bytes, *, emergency: bool) -> Hop | None:
    """Return the hop that a believed Route names, where it is one of ours by configuration."""
    uri = _sip(route)
    if uri is None:
        return None
    network, host = generation.network, uri.host.decode("ascii", "replace")
    named = not is_address(host)
    try:
        party = network.named_party(host) if named else network.party_of((host, uri.port or DEFAULT_PORT))
    except ValueError:
        return None
    if party is not None and party.trunk is not None:
        # An emergency trunk is a PSAP for a call that names it in Route too (RFC 6881 ED-62.2).
        party = network.party(party.end, emergency)
    if party is None or party.in_access:
        return None
    return network.hop(party, (host, uri.port if named else uri.port or network.default_port(party)))


def cross(
    generation: Generation, arrival: Arrival, destination: Destination, routes: tuple[bytes, ...], *, emergency: bool
) -> Crossing:
    """Return the crossing of an initial request to one destination.

    Raises:
        Malformed: when a value that must be rewritten cannot be read.
        Refused: for a CSeq beyond what a trunk that asks for a password can be shown.
    """
    request, source, hop = arrival.request, arrival.source, destination.hop
    if b"record-route" in request.index and not emergency:
        for value in request.items(b"record-route"):
            parse_name_addr(value)  # what cannot be read now would fail every response
    privacy, identity, tokens = generation.privacy, generation.identity, generation.tokens
    key_id, party, call_id = tokens.current, hop.party, request.call_id
    to_far = privacy.decide(request, source, party, arrival.wish)
    if party.recorder is not None:
        to_far = privacy.also_private(request, to_far, party, private_at(generation.wishes, arrival.wall))
    to_near = privacy.answers(request, source, party)
    passage = generation.passage(
        source,
        party,
        to_far,
        to_near,
        emergency=emergency,
        key_id=key_id,
        ends=(source.end, party.end),
        ways=generation.ways(arrival.flow, hop),
    )
    marks = _marks(generation, arrival, passage.marks, emergency=emergency)
    outward = identity.seal_call_id(call_id, passage.far, key_id)
    said = arrival.replaced or request.from_
    from_, to = passage.outward(said, request.to)
    crossing = Crossing(
        request, source, hop, arrival.flow, key_id,
        Record(
            marks, arrival.wall, source.end, party.end, to_far, to_near,
            identity.subscriber(key_id, (request.caller or request.from_).uri),
            tokens.mac(key_id, b"call", call_id, size=6),
            identity.fingerprint(key_id, call_id, request.from_tag),
            b"", None, (),
            *_changed(request.from_, from_, said, kept=bool(arrival.account)),
            *_changed(request.to, to, request.to, kept=party.in_access and generation.asks),
            call_id if identity.is_hashed(call_id, outward, passage.far) else b"",
            followed(generation, source, arrival.flow, hop),
        ),
        arrival.wall, True, request.method not in NO_DIALOG, call_id, emergency, passage, from_, to,
    )  # fmt: skip
    if marks & Mark.CSEQ_MAPPED:
        crossing.login = Login(is_invite=request.method == b"INVITE")
    crossing.target = destination.target or _request_uri(arrival, crossing)
    crossing.routes = routes
    if destination.phone is not None:
        crossing.phone, crossing.routes = destination.phone, destination.phone.way.routes
    if request.method == b"REGISTER":
        crossing.registering = registering(generation, crossing)
    if destination.transfer is not None and destination.transfer.call_id:
        crossing.extra_replaces = generation.references.replaces(destination.transfer, passage.far, key_id)
    return crossing


def _marks(generation: Generation, arrival: Arrival, marks: int, *, emergency: bool) -> int:
    """Return the marks of a dialog that begins: those that its two sides have, and its own.

    Raises:
        Refused: for a CSeq beyond what a trunk that asks for a password can be shown.
    """
    request = arrival.request
    if marks & Mark.CSEQ_MAPPED and not (emergency and request.cseq >= cseq.END):
        cseq.check(request.cseq)
    else:
        marks &= ~Mark.CSEQ_MAPPED  # an emergency call goes on without, and unanswered if it is challenged
    if emergency:
        return marks | Mark.EMERGENCY
    if arrival.client is not None:
        return marks | Mark.RECORDING
    if generation.wishes is not None and request.method == b"INVITE":
        return marks | generation.wishes.mark(arrival)
    return marks


def _changed(
    received: NameAddr, outward: NameAddr | None, original: NameAddr, *, kept: bool
) -> tuple[NameAddr | None, NameAddr | None]:
    """Return an address and its outward form as a record holds them: what goes on as it was received is left out.

    Not of phones where they prove who they are (`kept`): within the call nobody asks, and the record has to say it.
    """
    return (None, None) if outward == received and not kept else (original, derived(outward))


def _request_uri(arrival: Arrival, crossing: Crossing) -> bytes:
    """Return the Request-URI for a hop: addressed to a trunk, else as it came (§16.5: not our domain)."""
    if crossing.hop.party.trunk is None:
        return arrival.called or arrival.request.uri
    numbered, dialled = crossing.passage.numbered, arrival.dialled
    if numbered is not None:
        dialled = numbered(NameAddr(b"", dialled, b"")).uri
    return _addressed(crossing.to_far, dialled, crossing.far_domain)


@remembered_by_all
def _addressed(plan: Plan, request_uri: bytes, domain: bytes) -> bytes:
    """Return a Request-URI with the hop's own host, as its plan lets it pass."""
    uri = parse_sip_uri(request_uri)
    if uri is not None and uri.user:
        host, _, port = domain.rpartition(b":") if domain[-1:] != b"]" and b":" in domain else (domain, b"", b"")
        plain = uri.without(b"maddr", b"transport", b"ttl", b"method")
        request_uri = bytes(plain.replaced(host=host.strip(b"[]"), port=int(port or 0), password=b""))
    return plan.address(NameAddr(b"", request_uri, b""), domain, is_from=False).uri


def forget_plans() -> None:
    """Let go of the plans of former generations."""
    forget(_addressed)
    forget(outward_pair)


def _uri(value: bytes) -> bytes:
    return parse_name_addr(value).uri


def _sip(uri: bytes) -> SipUri | None:
    try:
        return parse_sip_uri(uri)
    except Malformed:
        raise Refused(400, "Malformed Route") from None
