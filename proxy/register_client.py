"""REGISTER as a client sends it (RFC 3261 §10.2), and what a registrar's 200 says: no sockets, no time.

The Contact says where we are and nothing else: its user is a keyed hash of the trunk's name, the same after a restart,
so that a process that was killed finds its own binding again and makes no second one.
"""

from __future__ import annotations

from typing import NamedTuple

from config.settings import Trunk
from proxy.errors import Malformed
from proxy.flow import Flow
from proxy.generation import Generation
from proxy.headers import delta_seconds, parse_name_addr, parse_params
from proxy.hop import Hop
from proxy.message import Message
from proxy.originate import Ask
from proxy.party import Party
from proxy.tokens import Tokens
from proxy.transports import DATAGRAM, URI_PARAMS
from proxy.uri import hostport, parse_sip_uri

MAX_EXPIRES = 604_800
"""Longest registration that is asked for or believed: a week."""
MAX_ROUTES = 8
MAX_ROUTE = 256
"""Most Service-Routes that are kept, and the longest of them."""


class Terms(NamedTuple):
    """What one registration says in each of its REGISTERs."""

    uri: bytes
    """Request-URI: the registrar's domain (§10.2)."""
    aor: bytes
    """URI of the address of record."""
    contact: bytes
    """URI of our Contact."""
    instance: bytes
    """`+sip.instance` over connections (RFC 5626 §4.1); b"" over UDP, where there is no flow to keep."""


class Granted(NamedTuple):
    """What a registrar has agreed to."""

    expires: int
    routes: tuple[bytes, ...]
    """Its Service-Route (RFC 3608): URIs that initial requests to the trunk have as Routes."""
    flow_timer: int
    """Seconds after which a silent connection counts as gone there (RFC 5626 §4.4); 0 where it does not say."""


def domain_of(trunk: Trunk) -> str:
    """Return the domain that a trunk's registration is in, as it stands in a URI."""
    section = trunk.registration
    own = section.domain if section is not None else None
    return own or trunk.domain or hostport(trunk.hosts[0].host.encode(), 0).decode()


def user_of(trunk: Trunk) -> bytes:
    """Return the user of a trunk's registration; b"" where there is none."""
    section, credentials = trunk.registration, trunk.credentials
    if section is None:
        return b""
    return (section.user or (credentials.user if credentials is not None else "")).encode()


def contact_user(tokens: Tokens, trunk: Trunk) -> bytes:
    """Return the user of our Contact: by the eldest key that there is, so that a new one changes nothing."""
    section = trunk.registration
    if section is not None and section.contact_user:
        return section.contact_user.encode()
    return _pseudonym(tokens, tokens.ring.keys[0].id, trunk)


def is_contact_user(tokens: Tokens, trunk: Trunk, user: bytes) -> bool:
    """Tell whether a user part is, or was under a former key, that of our Contact at a trunk."""
    section = trunk.registration
    if section is None:
        return False
    if section.contact_user:
        return user == section.contact_user.encode()
    return len(user) == 24 and any(user == _pseudonym(tokens, key.id, trunk) for key in tokens.ring.keys)


def _pseudonym(tokens: Tokens, key_id: int, trunk: Trunk) -> bytes:
    return tokens.mac(key_id, b"registration", trunk.name.encode(), size=12).hex().encode()


def terms_of(generation: Generation, party: Party, hop: Hop) -> Terms:
    """Return what is registered with a trunk over the way to a hop of it."""
    trunk, tokens = party.trunk, generation.tokens
    assert trunk is not None  # noqa: S101 -- asked of trunks alone
    domain, user = domain_of(trunk).encode(), user_of(trunk)
    here = generation.network.face(party, hop.transport, hop.local)
    contact = b"sip:%b@%b%b" % (contact_user(tokens, trunk), here, URI_PARAMS[hop.transport])
    instance = b""
    if hop.transport != DATAGRAM:
        digits = tokens.mac(tokens.ring.keys[0].id, b"instance", trunk.name.encode(), size=16).hex().encode()
        # Version and variant of a random one (RFC 4122 §4.4): a name-based one would say what it was made of.
        parts = digits[:8], digits[8:12], b"4" + digits[13:16], b"8" + digits[17:20], digits[20:]
        instance = b"urn:uuid:" + b"-".join(parts)
    return Terms(b"sip:" + domain, b"sip:%b@%b" % (user, domain), contact, instance)


def register(terms: Terms, call_id: bytes, cseq: int, expires: int) -> Ask:
    """Return a REGISTER, less what routes and counts it; expires 0 takes the binding out (§10.2.2)."""
    contact = b"Contact: <%b>;expires=%d" % (terms.contact, expires)
    supported = b"Supported: path"
    if terms.instance:
        contact += b';+sip.instance="<%b>";reg-id=1' % terms.instance
        supported += b", outbound"
    address = b"<%b>" % terms.aor
    return Ask(
        b"REGISTER", terms.uri, address, address, call_id, cseq, (contact, b"Expires: %d" % expires, supported)
    )  # fmt: skip


def granted(response: Message, terms: Terms, asked: int) -> Granted:
    """Read a 200 (§10.2.4, §10.3 step 8): what is not said, or cannot be read, is as it was asked for."""
    seconds = _expires_of(response, terms)
    if seconds is None:
        seconds = delta_seconds(response.value(b"expires"))
    return Granted(
        min(asked if seconds is None else seconds, MAX_EXPIRES), _service_route(response),
        delta_seconds(response.value(b"flow-timer")) or 0,
    )  # fmt: skip


def _expires_of(response: Message, terms: Terms) -> int | None:
    """Return what our own Contact among those of the address has; its host may have been rewritten on the way."""
    own = parse_sip_uri(terms.contact)
    for value in response.items(b"contact"):
        try:
            contact = parse_name_addr(value)
            uri, params = parse_sip_uri(contact.uri), parse_params(contact.params)
        except Malformed:
            continue
        if uri is None or own is None or uri.user != own.user:
            continue
        said = params.get(b"expires") or b""
        return int(said) if said.isdigit() and len(said) < 10 else None
    return None


def _service_route(response: Message) -> tuple[bytes, ...]:
    """Return the Service-Route (RFC 3608 §5); none of it where anything in it is no loose route."""
    routes = []
    try:
        for value in response.items(b"service-route"):
            route = parse_name_addr(value).uri
            uri = parse_sip_uri(route)
            if uri is None or uri.param(b"lr") is None or uri.headers or len(route) > MAX_ROUTE:
                return ()
            routes.append(route)
    except Malformed:
        return ()
    return tuple(routes) if len(routes) <= MAX_ROUTES else ()


def is_its_way(hop: Hop, flow: Flow) -> bool:
    """Tell whether a connection that has ended is the one that leads to a hop."""
    ours = hop.flow
    return (flow.transport, flow.local, flow.peer) == (ours.transport, ours.local, ours.peer)
