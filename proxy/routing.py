"""Who is who and who goes where: sources by address, hops by the routing table.

Every hop that is ever returned lies in a configured zone: the network's word (a Via, a Contact, a Route, a
DNS answer) never adds one (dialogs.md "Rules that keep it safe").
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from config.recorder_trunk import recorder_trunks
from config.retired import trunk_id
from config.settings import Listener, Route, Settings, Trunk
from config.vocabulary import Zone
from proxy.dialled import SEPARATORS, Prefixes, canonical
from proxy.door import Door
from proxy.encoding import Alphabet
from proxy.errors import Malformed
from proxy.groups import Group, Member
from proxy.hop import REGISTERED, Hop
from proxy.location import Address, Place, is_address, plain
from proxy.memo import remembered, remembered_by_all
from proxy.message import Message
from proxy.numbering import DialPlan
from proxy.parse import Bounds
from proxy.party import ACCESS, CORE, Party
from proxy.record import BUCKETS, HARD_LIMIT, End
from proxy.relaying import Served
from proxy.sources import Claim, Sources, believed_on, names_of, section_of
from proxy.transports import DEFAULT_PORTS, SECURE
from proxy.uri import SipUri, hostport, parse_sip_uri

_BITS: dict[Alphabet, int] = {"base64url": 6, "base32": 5}
TOKEN_OVERHEAD = 18
"""Bytes that a token has besides its payload: the first byte, the authentication tag, and rounding."""
MAX_USER = 1500
"""Longest user part that a party is given where nothing says what it takes: the token of the longest record."""
PATIENCE = 5.0
"""Seconds that a recorder may be silent until the next of its group is tried: as groups of trunks by default."""
_TRUNK, _PSAP = Zone.TRUNK, Zone.PSAP
_WILDCARDS = ("0.0.0.0", "::")

_CALLS = (b"INVITE", b"MESSAGE")
"""What calls for help: a call, or a text (RFC 6443 §9, RFC 3428)."""


class _Rule(NamedTuple):
    """A line of the routing table in the terms of messages."""

    emergency: bool
    source: str | None
    methods: frozenset[bytes]
    prefix: bytes
    route: Route
    domains: frozenset[bytes]
    """Hosts that phones may call at a trunk by it, besides our own."""
    to_trunks: bool
    """Whether it leads to anything but the core and phones: then a trunk takes it by name alone, or for help."""
    hops: dict[bool, list[Hop]]
    """Where it leads, for emergency calls and for others, once that was worked out and if it is always the same."""

    @classmethod
    def of(cls, route: Route) -> _Rule:
        """Translate a line of the settings."""
        source = None if route.source == "any" else route.source
        domains = frozenset(domain.lower().encode() for domain in route.domains)
        to_trunks = route.leads_to_trunks
        methods, prefix = frozenset(map(str.encode, route.methods)), route.prefix.encode()
        return cls(route.emergency, source, methods, prefix, route, domains, to_trunks, {})


def _claims(settings: Settings, trunks: Iterable[Trunk]) -> Iterator[Claim]:
    """Yield what each party says is its own."""
    for trunk in trunks:
        yield (*trunk.hosts, *trunk.networks), Party(Zone.TRUNK, trunk)
    if settings.core:
        hops = (settings.core.next_hop,) if settings.core.next_hop else ()
        yield (*hops, *settings.core.networks), CORE
    if settings.access:
        yield settings.access.networks, ACCESS
        yield settings.access.edge_proxies, Party(Zone.ACCESS, edge=True)


class World:
    """The configured world: listeners, zones and the routing table of one generation of settings.

    `Network` is the same with a memory for what is asked most. They are two so that neither refers to itself: a world
    that a reload has replaced is freed with its last transaction, and no garbage collector has to look for it.
    """

    def __init__(self, settings: Settings, retired: tuple[Trunk, ...]) -> None:
        """Prepare the tables; retired trunks are served in dialogs only."""
        self.settings = settings
        self._listeners = {listener.name: listener for listener in settings.listeners}
        self._retired = {trunk_id(trunk.name): trunk for trunk in retired}
        self.trunks: tuple[Trunk, ...] = (*settings.trunks, *recorder_trunks(settings))
        """All that are configured now, recorders among them."""
        self._ids = {trunk.name: trunk_id(trunk.name) for trunk in self.trunks}
        self._by_id = {**self._retired, **{trunk_id(trunk.name): trunk for trunk in self.trunks}}
        # All that come and go are looked up: phones too, as far as addresses go.
        sources = Sources(settings, _claims(settings, (*retired, *self.trunks)))
        self.party_of = lru_cache(maxsize=65536)(sources.party_of)
        self.party_from = lru_cache(maxsize=65536)(sources.party_from)
        self.identity = sources.identity
        self.sockets = sources.sockets
        self.denies = Door(settings.guard.deny, settings.guard.allow).denies
        self._own = {address for listener in settings.listeners for address in _own_addresses(listener)}
        ports = {5060, *(port for _, port in self._own)}
        self._own |= {(name.lower().encode(), port) for name in settings.names for port in ports}
        self._groups = {group.name: group for group in settings.groups}
        # What stands for a port that is left out; over TLS and WebSocket it is another one.
        defaults = {5060, *(DEFAULT_PORTS[transport] for transport, _ in self.sockets)}
        self._own |= {(host, 0) for host, port in self._own if port in defaults}
        self._rules = tuple(map(_Rule.of, settings.routes))
        self._served = Served(self.is_us, (*settings.names, *settings.realms, *_registered(settings)))
        self.prefixes = Prefixes(settings.privacy.withhold, settings.privacy.show, settings.emergency.numbers)
        numbering = settings.numbering
        self.dial_plan = DialPlan(numbering, settings.emergency.numbers, self.prefixes) if numbering else None
        self._longest = settings.route_order == "longest"
        self._listed = {one.name.lower().removesuffix("."): plain(one.addresses) for one in settings.hosts}

    def is_us(self, host: bytes, port: int) -> bool:
        """Tell whether a host and port (0: none given) means us: a listener, bound or advertised, or a name of ours."""
        return (host.lower(), port) in self._own

    def is_own_host(self, host: str) -> bool:
        """Tell whether an address, with whichever port, is one of ours."""
        return any(own == host.encode() for own, _ in self._own)

    def party(self, end: End, emergency: bool = False) -> Party | None:
        """Return the running configuration's party for a recorded side; None when it is gone for good."""
        if end.zone in (Zone.TRUNK, Zone.PSAP):
            trunk = self._by_id.get(end.trunk_id)
            return None if trunk is None else Party(trunk.zone(emergency_call=emergency), trunk)
        section = self.settings.access if end.zone is Zone.ACCESS else self.settings.core
        if section is None:
            return None
        return ACCESS if end.zone is Zone.ACCESS else CORE

    def listener(self, party: Party) -> Listener:
        """Return the listener that a party is reached through."""
        section = section_of(self.settings, party)
        assert section is not None  # noqa: S101 -- a party exists only where its section does
        return self._listeners[section.listener]

    def advertised(self, party: Party) -> Address:
        """Return the host and port that a party is told of us; port 0 where it need not be named."""
        return _told(self.listener(party))

    def origin(self, party: Party) -> bytes:
        """Return host[:port] that a party is told of us, as it stands in URIs."""
        host, port = self.advertised(party)
        return hostport(host.encode(), port)

    def face(self, party: Party, transport: str, local: Address) -> bytes:
        """Return host[:port] that a party is told of us which is reached over one of our sockets.

        That is its own listener's; another's, where that one has not the transport or is told by an address of the
        other family, or where a connection came in: what is told has to lead back to where the party can reach us.
        """
        own = self.listener(party)
        there = self.sockets.get((transport, local), own)
        if own.transport == "udp" == transport.lower() and _reaches(own, _is_v6(there)):
            return self.origin(party)
        host, port = _told(there)
        return hostport(host.encode(), port)

    def sent_by(self, local: Address) -> bytes:
        """Return this node's own host:port for Via: the bound address, or what a wildcard listener advertises."""
        host, port = local
        if host in _WILDCARDS:
            listener = next((one for one in self.settings.listeners if (one.address, one.port) == local), None)
            if listener and listener.advertised:
                host, port = listener.advertised
        return hostport(host.encode(), port)

    def record_budget(self, party: Party, transport: str = "UDP") -> int:
        """Return how many plain bytes a dialog record towards party may have; its token has to fit a user part.

        Where nothing is written it is the most that any takes over a stream: only datagrams have to be small.
        """
        section = section_of(self.settings, party)
        if section is None:
            return 0
        is_roomy = transport != "UDP" and "record_budget" not in section.model_fields_set
        budget = HARD_LIMIT if is_roomy else section.record_budget
        if party.trunk is None:
            return budget
        room = self.max_user(party, transport) * _BITS[party.trunk.token_alphabet] // 8 - TOKEN_OVERHEAD
        return min(budget, max(size for size in (0, *BUCKETS) if size <= room))

    def max_user(self, party: Party, transport: str) -> int:
        """Return how long a user part towards a party may be."""
        trunk = party.trunk
        if trunk is None or (transport != "UDP" and "max_user" not in trunk.model_fields_set):
            return MAX_USER
        return trunk.max_user

    def listed(self, host: str) -> tuple[Place, ...] | None:
        """Return where the configuration says that a name is served, in place of DNS; None where it does not say."""
        return self._listed.get(host.lower().removesuffix("."))

    def at(self, hop: Hop, address: Address) -> Hop | None:
        """Return a hop at an address that its name leads to; None where that is none of the party's own, or of ours."""
        if not self.can_reach(hop.party, address[0]) or not self.reachable(hop.party, address):
            return None
        found = self.hop(hop.party, address)
        return found._replace(identity=self.identity(hop.party, hop.host)) if found.identity else found

    def local(self, party: Party, host: str) -> Address:
        """Return the socket for reaching host: the party's listener, or one of its transport for the address family."""
        listener = self._reaching(party, host)
        return listener.address, listener.port

    def _reaching(self, party: Party, host: str) -> Listener:
        listener = self.listener(party)
        wants_v6 = ":" in host
        if _is_v6(listener) != wants_v6 and not host[:1].isalpha():
            there = (one for one in self.settings.listeners if one.transport == listener.transport)
            return next((other for other in there if _is_v6(other) == wants_v6), listener)
        return listener

    def can_reach(self, party: Party, host: str) -> bool:
        """Tell whether a listener of party's transport has the address family of host."""
        return _is_v6(self._reaching(party, host)) is (":" in host)

    def hop(self, party: Party, address: Address) -> Hop:
        """Return the hop for an address of party, over the transport of its listener."""
        listener = self._reaching(party, address[0])
        transport = listener.transport.upper()
        identity = self.identity(party, address[0]) if transport in SECURE else ()
        return Hop(party, *address, (listener.address, listener.port), (), transport, 0, identity)

    def default_port(self, party: Party) -> int:
        """Return the port of a URI of party's that names none (RFC 3261 §19.1.2)."""
        return DEFAULT_PORTS[self.listener(party).transport.upper()]

    def named(self, party: Party, host: bytes, port: int) -> Hop | None:
        """Return the hop for a URI's host and port (0: none given); None where that is no address of party or ours."""
        if self.is_us(host, port):
            return self._around(party)
        address = (host.decode("ascii", "replace"), port or self.default_port(party))
        if not is_address(address[0]):
            # Only names that the operator wrote down are looked up, and not what messages say.
            return self.hop(party, (address[0], port)) if address[0].lower() in names_of(party, self.settings) else None
        return self.hop(party, address) if self.reachable(party, address) else None

    def _around(self, party: Party) -> Hop:
        """Return the hop of a request that crosses us twice: by UDP if we have it, for nobody's certificate is ours."""
        own = self.listener(party)
        listener = next((one for one in (own, *self.settings.listeners) if one.transport == "udp"), own)
        address = listener.address, listener.port
        transport = listener.transport.upper()
        return Hop(party, *address, address, (), transport, 0, self.identity(party) if transport in SECURE else ())

    def named_party(self, host: str) -> Party | None:
        """Return whose hop a name is by configuration; None where it is nobody's."""
        parties = [
            *[Party(Zone.TRUNK, trunk) for trunk in self.trunks],
            *([CORE] if self.settings.core else []),
        ]
        return next((party for party in parties if host.lower() in names_of(party, self.settings)), None)

    def reachable(self, party: Party, address: Address) -> bool:
        """Tell whether an address that the network named lies within what is configured for party."""
        if party.trunk and address in party.trunk.hosts:
            return True
        if not address[0] or (address[0][0].isalpha() and ":" not in address[0]):
            return False
        try:
            found = self.party_of(address)
        except ValueError:
            return False
        return found is not None and found.zone in (party.zone, Zone.TRUNK) and found.trunk is party.trunk

    def is_emergency(self, request_uri: bytes) -> bool:
        """Tell whether a Request-URI is that of an emergency call: it alone tells (RFC 5031 §4.2)."""
        urn = request_uri.lower()
        if urn.startswith((b"urn:service:sos", b"urn:service:test.sos")):
            # What a URN has behind its name (RFC 8141 §2.3) is no part of it.
            return urn.removeprefix(b"urn:service:").removeprefix(b"test.")[3:4] in (b"", b".", b";", b"?", b"#")
        if urn.startswith(b"tel:"):
            user = urn[4:]
        else:
            try:
                uri = parse_sip_uri(request_uri)
            except Malformed:
                uri = None
            if uri is None:
                return False
            user = uri.user
        # Who withholds the number calls for help all the same.
        dialled = self.prefixes.read(user).number.partition(b";")[0]
        # The same number, written otherwise: escaped (RFC 3261 §19.1.4), with visual separators (RFC 3966 §5.1.1), or
        # with the `+` that some handsets put before all numbers: no subscriber's is an emergency number with a `+`.
        text = unquote_to_bytes(dialled).translate(None, SEPARATORS).decode("ascii", "replace")
        return not {text, text.removeprefix("+")}.isdisjoint(self.settings.emergency.numbers)

    def route(
        self, request: Message, uri: SipUri | None, source: Party, *, emergency: bool, dialled: bytes = b"",
        method: bytes = b"",
    ) -> list[Hop]:  # fmt: skip
        """Return the hops for an initial request, in the order of the first matching route; [] where none matches.

        Args:
            request: it.
            uri: its Request-URI less a prefix that was for us; None for one that is neither sip nor sips.
            source: who sent it.
            emergency: whether it is an emergency call.
            dialled: its Request-URI less that prefix, as it stands; b"" for the one that it came with.
            method: of a call that it asks for; b"" for its own.
        """
        method = method or request.method
        user = uri.user if uri is not None else (dialled or request.uri).partition(b":")[2]
        if emergency:
            chosen = self._first(method, uri, user, source, emergency=True, free=True)
            hops = self._hops(chosen, uri, emergency=True) if chosen else []
            if hops:
                return hops
        free = emergency or not source.in_access
        chosen = self._first(method, uri, user, source, emergency=False, free=free)
        hops = self._hops(chosen, uri, emergency=emergency) if chosen else []
        if emergency and not hops and source.zone in (Zone.ACCESS, Zone.CORE):
            # Rather a line that was meant for others than none: an emergency call is not refused for a narrow prefix.
            lines = (self._hops(rule, uri, emergency=True) for rule in self._rules if rule.emergency)
            hops = next(filter(None, lines), [])
        return hops

    def _first(
        self, method: bytes, uri: SipUri | None, user: bytes, source: Party, *, emergency: bool, free: bool
    ) -> _Rule | None:
        zone = _TRUNK if source.zone is _PSAP else source.zone  # as the file calls it: a trunk is one
        number = self.dial_plan.global_number(user) if self.dial_plan is not None else b""
        dialled = canonical(user)
        between = zone is _TRUNK and not emergency  # from one trunk to another
        best: _Rule | None = None
        for rule in self._rules:
            if (
                rule.emergency is emergency
                and (rule.source == zone or (rule.source is None and not (between and rule.to_trunks)))
                and (not rule.methods or method in rule.methods)
                and (dialled.startswith(rule.prefix) or number.startswith(rule.prefix))
                and (best is None or len(rule.prefix) > len(best.prefix))
                and (free or not rule.to_trunks or self._serves(rule, uri, user))
            ):
                if not self._longest:
                    return rule
                best = rule
        return best

    def _serves(self, rule: _Rule, uri: SipUri | None, user: bytes) -> bool:
        return self._served.serves(uri, user, rule.domains, on_purpose=bool(rule.prefix))

    def _hops(self, rule: _Rule, uri: SipUri | None, *, emergency: bool) -> list[Hop]:
        known = rule.hops.get(emergency)
        if known is not None:
            return known
        names = rule.route.to
        found = (self._destination(name, uri, emergency=emergency) for name in names)
        # A target only once (§16.5): two lines may name the same hop.
        hops = list({(hop.host, hop.port, hop.group is not None): hop for hop in found if hop is not None}.values())
        if not any(map(self._follows_uri, names)):
            rule.hops[emergency] = hops
        return hops

    def _follows_uri(self, name: str) -> bool:
        """Tell whether the Request-URI says where a destination is."""
        core = self.settings.core
        return name == "access" or (name == "core" and (core is None or core.next_hop is None))

    def _destination(self, name: str, uri: SipUri | None, *, emergency: bool) -> Hop | None:
        core = self.settings.core
        if name == "core" and core is not None and core.next_hop is not None:
            return self.hop(CORE, core.next_hop)
        if name == "registered":
            return REGISTERED
        if name in ("core", "access"):
            return self._by_uri(CORE if name == "core" else ACCESS, uri)
        group = self._groups.get(name)
        if group is None:
            return self._trunk(name, emergency=emergency)
        found = ((self._trunk(each.trunk, emergency=emergency), each) for each in group.members)
        members = tuple([Member(hop, each.priority, each.weight) for hop, each in found if hop is not None])
        return members[0].hop._replace(group=Group(name, members, group.failover)) if members else None

    def _trunk(self, name: str, *, emergency: bool) -> Hop | None:
        """Return the first hop of a trunk, with the others."""
        party = self.party(End(Zone.TRUNK, self._ids[name]), emergency)
        if party is None or party.trunk is None:
            return None
        return self.home(party)

    def recorders(self, group: str) -> Hop | None:
        """Return the first hop of a group of recorders, with the group; None where it has none."""
        members = []
        for each in self.settings.recorders:
            hop = self._trunk(each.name, emergency=False) if each.group == group else None
            if hop is not None:
                members.append(Member(hop, each.priority, each.weight))
        return members[0].hop._replace(group=Group(group, tuple(members), PATIENCE)) if members else None

    def home(self, party: Party) -> Hop | None:
        """Return the hop of a trunk or the core by its configuration; None for what has none."""
        core = self.settings.core if party.in_core else None
        hops = party.trunk.hosts if party.trunk else (core.next_hop,) if core and core.next_hop else ()
        if not hops:
            return None
        first, *others = hops
        return self.hop(party, first)._replace(others=tuple(others))

    def _by_uri(self, party: Party, uri: SipUri | None) -> Hop | None:
        """Return the Request-URI itself as hop, if it is a literal address of that zone."""
        if uri is None or self.is_us(uri.host, uri.port):
            return None  # to ourselves it would come back as if it came from there
        address = (uri.host.decode("ascii", "replace"), uri.port or self.default_port(party))
        return self.hop(party, address) if self.reachable(party, address) else None

    def served(self, end: End, address: Address) -> bool:
        """Tell whether an address belonged to a trunk that is configured no more, whoever has it now.

        A trunk that was renamed, and so retired, goes on sending from there in the calls that it has.
        """
        trunk = self._retired.get(end.trunk_id)
        if trunk is None:
            return False
        if address in trunk.hosts:
            return True
        ip = ipaddress.ip_address(address[0].partition("%")[0])
        return any(item.port in (0, address[1]) and ip in item.network for item in trunk.networks)


class Network:
    """A world that remembers: what is asked with every message is worked out once."""

    def __init__(self, settings: Settings, retired: Iterable[Trunk] = ()) -> None:
        """Prepare tables and memories; retired trunks are served in dialogs only."""
        retired = tuple(retired)
        world = World(settings, retired)
        self.settings = settings
        self.bounds = Bounds(settings.limits)
        """What is read with every message of `settings.limits`."""
        self.keeps_region = settings.region is not None
        """Whether subscribers' data may be bound to a region."""
        self.prefixes = world.prefixes
        self.dial_plan = world.dial_plan
        self.party_of = world.party_of
        self.is_us = remembered_by_all(world.is_us)
        self.party_from = world.party_from
        self.trunks = world.trunks
        self.recorders = world.recorders
        sections = (settings.access, settings.core, *world.trunks, *retired)
        tcp, udp = ({address for transport, address in world.sockets if transport == each} for each in ("TCP", "UDP"))
        self.siblings = frozenset(tcp & udp)
        """Sockets of both UDP and TCP: what is too large for the one goes over the other (RFC 3261 §18.1.1)."""
        self.by_address = not any(section and believed_on(section, settings.listeners) for section in sections)
        """Whether over UDP the address alone tells who sends."""
        udp_alone = all(listener.transport == "udp" for listener in settings.listeners)
        self.all_alike = udp_alone and len({_is_v6(listener) for listener in settings.listeners}) == 1
        """Whether nobody is told of another listener than its own."""
        self.party = remembered_by_all(world.party)
        self.hop = remembered_by_all(world.hop)
        self.named = remembered_by_all(world.named)
        self.reachable = remembered_by_all(world.reachable)
        self.is_emergency = remembered(world.is_emergency)
        self.origin = remembered(world.origin)
        self.home = remembered(world.home)
        self.sent_by = remembered(world.sent_by)
        # What is asked once a call at most, or remembers by itself.
        self.route = world.route
        self.at = world.at
        self.listed = world.listed
        self.named_party = world.named_party
        self.local = world.local
        self.listener = world.listener
        self.advertised = world.advertised
        self.record_budget = world.record_budget
        self.served = world.served
        registrar = settings.registrar
        self.forwards_register = registrar is not None and registrar.mode == "forward"
        self.face = remembered_by_all(world.face)
        self.max_user = world.max_user
        self.limits = settings.limits
        self.identity = world.identity
        self.default_port = world.default_port
        self.is_own_host = remembered(world.is_own_host)
        self.denies = world.denies

    def calls_for_help(self, request: Message, dialled: bytes = b"") -> bool:
        """Tell whether an initial request is an emergency call; dialled: the Request-URI less a prefix for us.

        Other methods call nobody: by 112 in a REGISTER one would register as anybody, and by 112 in a REFER or
        SUBSCRIBE ask things of a trunk as nobody.
        """
        return request.method in _CALLS and self.is_emergency(dialled or request.uri)


def _told(listener: Listener) -> Address:
    """Return the host and port that others are told of a listener."""
    if listener.advertised:
        return listener.advertised.host, listener.advertised.port
    return listener.address, listener.port


def _reaches(listener: Listener, v6: bool) -> bool:
    """Tell whether who speaks IPv6, or else IPv4, can send to what is told of a listener; of a name it may be so."""
    host = _told(listener)[0]
    return not is_address(host) or (":" in host) is v6


def _own_addresses(listener: Listener) -> Iterable[tuple[bytes, int]]:
    yield listener.address.lower().encode(), listener.port
    if listener.advertised:
        yield listener.advertised.host.lower().encode(), listener.advertised.port


def _registered(settings: Settings) -> Iterable[str]:
    """Return the domains that phones register for."""
    return settings.registrar.domains if settings.registrar is not None else ()


def _is_v6(listener: Listener) -> bool:
    return ":" in listener.address
