"""Requests within dialogs: opening the records that come with them (dialogs.md "Opening").

Everything that such a request may do follows from an authentic record: who sent it, where it goes, under
which decision, and as whom.
"""

from __future__ import annotations

from config.vocabulary import Category
from proxy import cseq
from proxy.crossing import Crossing
from proxy.errors import Malformed, Refused
from proxy.flow import Flow
from proxy.followed import follow
from proxy.generation import Generation
from proxy.headers import parse_name_addr, value_of
from proxy.hop import Hop, hop_over
from proxy.initial import Arrival
from proxy.location import is_address
from proxy.login import Login
from proxy.lost_flow import check_flow, flow_failed
from proxy.message import Message
from proxy.party import Party
from proxy.policy import hides
from proxy.record import Mark, Record
from proxy.routing import Network
from proxy.tokens import Opened, Purpose, same
from proxy.uri import SipUri, parse_sip_uri


class TokenRefused(Refused):
    """A token that does not open, or does not fit the request that carries it."""

    def __init__(self, code: int, kind: str) -> None:
        """Answer with code; kind is the label of the counter."""
        super().__init__(code, "Call/Transaction Does Not Exist" if code == 481 else "Forbidden")
        self.kind = kind


def cross(generation: Generation, arrival: Arrival) -> Crossing:
    """Return the crossing of a request that has a To tag.

    Raises:
        TokenRefused: 403 or 481, as dialogs.md says for each fault.
        Refused: when its side may not send what it sends.
        Malformed: when a value that must be rewritten cannot be read.
    """
    uri, routes = _repair_strict_route(generation, arrival)
    record, opened, behind = _route_record(generation, arrival, routes)
    contact = _contact_record(generation, uri, in_dialog=record is not None)
    if record is None:
        record, opened = contact if contact is not None else (None, None)
    if record is None or opened is None:
        raise TokenRefused(481, "no-dialog")
    _check_side(generation, arrival, record)
    call_id = _check_fingerprint(generation, arrival, record, opened.key_id)
    nested = contact is not None and _is_for_next_crossing(record, contact[0])
    if nested:
        contact = None
    latest = _latest(record, contact)
    _check_age(generation, arrival, record, latest)
    way = _Way(record, latest, behind, _target(uri, latest, named=contact is not None, nested=nested))
    try:
        return _followed(generation, _cross(generation, arrival, way, opened.key_id, call_id))
    except (Refused, Malformed):
        raise
    except Exception:
        if not record.marks & Mark.EMERGENCY:
            raise
        # Whatever a filter raises: an emergency call goes on (design.md §2).
        return _cross(generation.unfiltered(), arrival, way, opened.key_id, call_id)


def _followed(generation: Generation, crossing: Crossing) -> Crossing:
    """Keep alive what recordings have to know of a call, and return the crossing as it is."""
    if generation.wishes is not None and (crossing.base.marks & Mark.PRIVATE or crossing.request.shape.asks):
        generation.wishes.within(crossing)
    return crossing


def _repair_strict_route(generation: Generation, arrival: Arrival) -> tuple[SipUri | None, list[bytes]]:
    """Undo what a strict router does: our Record-Route as Request-URI, the real one last in Route (§16.4)."""
    uri = arrival.uri
    routes = _routes(arrival.request)
    if uri is not None and _is_ours(generation, uri) and generation.is_token(uri.user, Purpose.ROUTE):
        if not routes:
            raise TokenRefused(403, "forged")
        real = routes.pop()
        return parse_sip_uri(real), [bytes(uri), *routes]
    return uri, routes


_URI_ALONE = bytes(0xFF if letter in b"<> \t\r\n\v\f" else 0 for letter in range(256))
"""Makes bytes beyond ASCII of those letters that no addr-spec between angle brackets holds, and of them alone."""


def _routes(request: Message) -> list[bytes]:
    """Return the URIs of all Route values."""
    places = request.index.get(b"route")
    if places is None:
        return []
    if len(places) == 1:
        # Route = "Route" HCOLON "<" addr-spec ">", as nearly every request in a dialog has it: with our token alone.
        value = value_of(request.lines[places[0]])
        uri = value[1:-1]
        if value[:1] == b"<" and value[-1:] == b">" and uri and uri.translate(_URI_ALONE).isascii():
            return [uri]
    return [parse_name_addr(value).uri for value in request.items(b"route")]


def _is_ours(generation: Generation, uri: SipUri) -> bool:
    return generation.network.is_us(uri.host, uri.port)


def _route_record(
    generation: Generation, arrival: Arrival, routes: list[bytes]
) -> tuple[Record | None, Opened | None, tuple[bytes, ...]]:
    """Return the record in the topmost Route of ours, and the Route values behind it.

    Raises:
        TokenRefused: 403 for a token that bears our host and does not open.
        Refused: 403 for further Routes from phones.
    """
    while routes:
        uri = parse_sip_uri(routes[0])
        if uri is None or not _is_ours(generation, uri):
            break
        routes = routes[1:]
        if not uri.user:
            continue  # an outbound-proxy Route of the phone's own: ours, and empty
        opened = generation.tokens.open_text(uri.user)
        if opened is None or opened.purpose is not Purpose.ROUTE:
            raise TokenRefused(403, "forged")
        return opened.record, opened, tuple(routes)
    if routes and arrival.source.in_access and not arrival.source.edge:
        raise Refused(403, "Route Not Allowed")
    return None, None, tuple(routes)


def _contact_record(generation: Generation, uri: SipUri | None, *, in_dialog: bool) -> tuple[Record, Opened] | None:
    """Return the record behind a Request-URI that is a Contact token of ours; None where it is another URI.

    Raises:
        TokenRefused: 403 for a user part that bears our host and does not open, in a dialog of ours; 481
            where no Route speaks for such a dialog either.
    """
    if uri is None or not uri.user or not _is_ours(generation, uri):
        return None
    opened = generation.tokens.open_text(uri.user)
    if opened is None or opened.purpose is not Purpose.CONTACT:
        raise TokenRefused(403, "forged") if in_dialog else TokenRefused(481, "no-dialog")
    return opened.record, opened


def _check_side(generation: Generation, arrival: Arrival, record: Record) -> None:
    """Refuse a request whose source does not belong to the side that the record serves (dialogs.md, 4)."""
    end, near = arrival.source.end, record.near
    if end.is_side_of(near):
        return
    # A trunk that was renamed is another one, which has the addresses now; its calls go on under the former name.
    same_zone = end._replace(trunk_id=near.trunk_id).is_side_of(near)
    if not same_zone or not generation.network.served(near, arrival.flow.peer):
        raise TokenRefused(403, "side")


def _check_fingerprint(generation: Generation, arrival: Arrival, record: Record, key_id: int) -> bytes:
    """Return the initiator's Call-ID, once it and the initiator's tag are those that the record was made for."""
    request, near = arrival.request, record.near
    from_caller = bool(record.marks & Mark.FROM_CALLER)
    identity = generation.identity
    if from_caller:
        call_id, tag = request.call_id, request.from_tag
    else:
        call_id, tag = identity.open_call_id(request.call_id, near), identity.open_tag(request.to_tag, near)
        if record.call_id and identity.matches_hash(record.call_id, request.call_id, near, key_id):
            call_id = record.call_id
    if not same(identity.fingerprint(key_id, call_id, tag), record.fingerprint):
        raise TokenRefused(403, "fingerprint")
    return call_id


def _is_for_next_crossing(record: Record, contact: Record) -> bool:
    """Tell whether a Contact token belongs to the dialog behind the far side: a call that crosses us twice.

    It was passed on as it came (dialogs.md "Nesting") and is opened when the request comes back.
    """
    return contact.near == record.far and not same(contact.fingerprint, record.fingerprint)


class _Way:
    """Where a request in a dialog goes, by its records."""

    __slots__ = ("behind", "latest", "record", "target")

    def __init__(self, record: Record, latest: Record, behind: tuple[bytes, ...], target: bytes) -> None:
        """Note the record, the one whose target and flow count, visible Route values behind ours, and the target."""
        self.record = record
        self.latest = latest
        self.behind = behind
        self.target = target


def _latest(record: Record, contact: tuple[Record, Opened] | None) -> Record:
    """Return the record whose target counts: the Contact's, if it belongs to this dialog and side.

    Raises:
        TokenRefused: 403 for the Contact of another dialog.
    """
    if contact is None:
        return record
    if contact[0].near != record.near or not same(contact[0].fingerprint, record.fingerprint):
        raise TokenRefused(403, "fingerprint")
    return contact[0]


def _check_age(generation: Generation, arrival: Arrival, record: Record, latest: Record) -> None:
    """Refuse what is too old; a route set cannot change, so the younger of two issue times counts."""
    if arrival.wall - max(record.issued, latest.issued) > generation.network.limits.max_dialog_age:
        raise TokenRefused(481, "expired")


def _cross(generation: Generation, arrival: Arrival, way: _Way, key_id: int, call_id: bytes) -> Crossing:
    record, latest = way.record, way.latest
    network, source = generation.network, arrival.source
    emergency = bool(record.marks & Mark.EMERGENCY)
    if emergency and source.trunk is not None:
        # What goes back to a PSAP is exempt in its own requests too.
        source = network.party(record.near, emergency) or source
    near_is_caller = bool(record.marks & Mark.FROM_CALLER)
    far_party = network.party(record.far, emergency)
    if far_party is None or latest.flow is None:
        raise TokenRefused(403, "hop")
    if latest.flow.connection and record.binding is not None and far_party.in_access:
        latest = follow(generation, latest, record.binding)
    proved = far_party.recorder is None and _has_proved(record, latest)
    if far_party.in_access or proved or network.home(far_party) is None:
        latest = check_flow(generation, latest, source, record.routes)
    to_far = record.to_callee if near_is_caller else record.to_caller
    to_near = record.to_caller if near_is_caller else record.to_callee
    if way.behind and not source.in_core and not source.edge and hides(to_near, Category.NETWORK):
        _check_behind(generation, way.behind)
    routes, target = (*record.routes, *way.behind), way.target
    if proved and latest.flow is not None:
        hop = hop_over(far_party, latest.flow)
    else:
        hop = _hop(generation, source, far_party, latest, routes[0] if routes else target)
    if routes and b";lr" not in routes[0].lower():
        # The next hop routes strictly: it wants its own URI on top and the target last (§16.6 item 6).
        target, routes = routes[0], (*routes[1:], target)
    passage = generation.passage(
        source,
        far_party,
        to_far,
        to_near,
        emergency=emergency,
        key_id=key_id,
        ends=(record.near, record.far),
        ways=generation.ways(arrival.flow, hop),
    )
    if near_is_caller:
        from_, to = passage.addresses(record)
    else:
        from_, to = record.to_original, record.from_original
    crossing = Crossing(
        arrival.request, source, hop, arrival.flow, key_id, record, arrival.wall, near_is_caller, False, call_id,
        emergency, passage, from_, to,
    )  # fmt: skip
    crossing.target, crossing.routes = target, routes
    if record.marks & cseq.MAPPED and cseq.towards(record.marks, callee=near_is_caller):
        request = arrival.request
        cseq.check(request.cseq)
        answered = (latest.marks & Mark.ATTEMPT) >> Mark.ATTEMPT_SHIFT
        crossing.login = Login(is_invite=request.method == b"INVITE", answered=answered)
    return crossing


def _has_proved(record: Record, latest: Record) -> bool:
    """Tell whether this is a recording client's side: reached over the connection by which it proved to be one."""
    return bool(record.marks & Mark.RECORDING and latest.flow is not None and latest.flow.connection)


def _check_behind(generation: Generation, behind: tuple[bytes, ...]) -> None:
    """Refuse what a side that sees no route set of others adds to ours: the far side would relay to it.

    Raises:
        Refused: 403 for a Route that does not lead to us once more.
    """
    for route in behind:
        uri = parse_sip_uri(route)
        if uri is None or not _is_ours(generation, uri):
            raise Refused(403, "Route Not Allowed")


def _target(uri: SipUri | None, latest: Record, *, named: bool, nested: bool) -> bytes:
    """Return the Request-URI for the far side: from the record where the sender may not know it, else the sender's."""
    decision = latest.to_caller if latest.marks & Mark.FROM_CALLER else latest.to_callee
    if uri is None or named or (hides(decision, Category.NETWORK) and not nested):
        return latest.target
    return bytes(uri)


def _hop(generation: Generation, source: Party, party: Party, latest: Record, next_uri: bytes) -> Hop:
    """Return where a request in a dialog goes: never further than the configured hops of its far side.

    A phone is reached over the flow it came in on, whatever its URIs say; a trunk or the core at the next
    URI's address if that is one of its hops, else where the dialog was before; so too when that address is a name
    which leads nowhere.

    Raises:
        TokenRefused: 403 when not even that belongs to the far side any more.
        Refused: 430 or 480 when a registered phone has lost the flow that it had and is not back.
    """
    network, flow = generation.network, latest.flow
    if flow is None:
        raise TokenRefused(403, "hop")
    if party.in_access:
        return _phone_hop(generation, source, party, flow, latest.issued)
    try:
        uri = parse_sip_uri(next_uri)
    except Malformed:
        uri = None
    hop = network.named(party, uri.host, uri.port) if uri is not None else None
    if hop is not None:
        if hop.transport != "UDP":
            return _or_home(network, hop)
        where = (flow.peer,) if not is_address(hop.host) and network.reachable(party, flow.peer) else ()
        return hop._replace(others=where) if where else hop
    if flow.transport != "UDP":
        # The port that a connection came from is nobody's to connect to.
        home = network.home(party)
        if home is not None:
            return home
        if not flow.connection:
            raise TokenRefused(403, "hop")
        return hop_over(party, flow)
    if not network.reachable(party, flow.peer):
        raise TokenRefused(403, "hop")
    return hop_over(party, flow)


def _or_home(network: Network, hop: Hop) -> Hop:
    """Return a hop that leads to the configured ones where nobody takes connections at the address of a URI."""
    home = network.home(hop.party)
    if home is None:
        return hop
    places = ((home.host, home.port), *home.others)
    return hop._replace(others=tuple([place for place in places if place != (hop.host, hop.port)]))


def _phone_hop(generation: Generation, source: Party, party: Party, flow: Flow, issued: int) -> Hop:
    """Return the hop to a phone: by the flow of its record, made at `issued`, or by what its binding has by now.

    Raises:
        Refused: 430 or 480 when a phone has lost the connection that it was registered by.
    """
    if generation.bindings is not None:
        now = generation.bindings.current(flow, issued)
        if now is None:
            if flow.connection:
                raise Refused(flow_failed(source), "Flow Failed")
            now = flow  # an address needs no connection: the phone may be there without being registered
        flow = now
    return hop_over(party, flow)
