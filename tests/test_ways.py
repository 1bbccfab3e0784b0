"""One Record-Route for each side, not RFC 5658's two: over all transports and both address families either end finds
its way back by the one that it sees.

An agent here goes where a URI says (RFC 3261 §19.1.2, RFC 3263 §4.1), and nowhere that it could not reach: who speaks
IPv6 alone cannot follow an IPv4 address.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from proxy.flow import Flow
from proxy.headers import parse_name_addr
from proxy.transports import DEFAULT_PORTS, SECURE, URI_PARAMS, WEBSOCKET
from proxy.uri import hostport, parse_sip_uri
from tests.agents import Agent, Packet, read
from tests.ladder import Ladder, Sent, Silence
from tests.world import World, settings

PORTS = {"UDP": 5060, "TCP": 5060, "TLS": 5061, "WS": 80, "WSS": 443}
OURS = {4: "192.0.2.1", 6: "2001:db8::1"}
PHONES = {4: "10.1.1.23", 6: "2001:db8:a::23"}
HOSTS = {4: "198.51.100.7", 6: "2001:db8:c::7"}
NAME = "gw.carrier.example"
LISTENERS = [
    {"name": f"{transport.lower()}{family}", "address": OURS[family], "port": port, "transport": transport.lower()}
    for family in OURS
    for transport, port in PORTS.items()
]


class End(NamedTuple):
    """Where one end stands: by which transport and family it reaches us."""

    transport: str
    family: int

    @property
    def socket(self) -> tuple[str, int]:
        return OURS[self.family], PORTS[self.transport]


NEAR = [End(transport, family) for transport in PORTS for family in OURS]
FAR = [End(transport, family) for transport in ("UDP", "TCP", "TLS") for family in OURS]
# `sips` is for those who have TLS all the way (RFC 5630).
WAYS = [
    pytest.param(near, far, scheme, id=f"{near.transport}{near.family}-{far.transport}{far.family}-{scheme.decode()}")
    for near in NEAR
    for far in FAR
    for scheme in (b"sip", b"sips")
    if scheme == b"sip" or {near.transport, far.transport} <= SECURE
]
by_every_way = pytest.mark.parametrize(("near", "far", "scheme"), WAYS)


def leads_to(uri: bytes) -> tuple[str, str, int]:
    """Return transport, host and port that a URI names (RFC 3263 §4.1 and §4.2 for addresses)."""
    parsed = parse_sip_uri(uri)
    assert parsed is not None
    said = (parsed.param(b"transport") or b"").decode().upper()
    transport = said or ("TLS" if parsed.scheme == b"sips" else "UDP")
    if transport == "WS" and parsed.scheme == b"sips":
        transport = "WSS"
    return transport, parsed.host.decode(), parsed.port or DEFAULT_PORTS[transport]


def check_way(end: End, uri: bytes, scheme: bytes) -> None:
    """Assert that a URI which an end was shown leads it back to the socket by which it reaches us."""
    transport, host, port = leads_to(uri)
    if end.transport in WEBSOCKET and transport in WEBSOCKET:
        transport = end.transport  # `ws` is said of both; a browser goes by the connection that it has
    assert (transport, (host, port)) == (end.transport, end.socket), uri
    assert uri.startswith(scheme + b":")


def phone(end: End, scheme: bytes) -> Agent:
    host = hostport(PHONES[end.family].encode(), 40001) + URI_PARAMS[end.transport]
    if end.transport in WEBSOCKET:
        host = b"df7jal23ls0d.invalid;transport=ws"
    return Speaker((PHONES[end.family], 40001), end, scheme, host)


def carrier(end: End, scheme: bytes) -> Agent:
    port = DEFAULT_PORTS[end.transport]
    return Speaker((HOSTS[end.family], port), end, scheme, hostport(HOSTS[end.family].encode(), port))


class Speaker(Agent):
    """An agent whose Contact has a scheme and a transport."""

    def __init__(self, address: tuple[str, int], end: End, scheme: bytes, host: bytes) -> None:
        if end.transport == "TCP":
            host = host.partition(b";")[0] + b";transport=tcp"
        elif end.transport == "TLS":
            host = host.partition(b";")[0] + (b"" if scheme == b"sips" else b";transport=tls")
        super().__init__(address, b"alice", b"", end.transport.encode(), host)
        self.scheme = scheme

    def _packet(self, lines: list[bytes], body: bytes = b"") -> Packet:
        said = [line.replace(b"<sip:", b"<%b:" % self.scheme) if line[:8] == b"Contact:" else line for line in lines]
        return super()._packet(said, body)


def world(near: End, far: End) -> World:
    """Return all listeners; phones' own is that of UDP over IPv4, the trunk's has IPv4, by whatever each comes."""
    made = World(settings(
        listeners=LISTENERS,
        access={"networks": ["10.0.0.0/8", "2001:db8:a::/48"], "listener": "udp4"},
        core=None,
        registrar={"domains": ["example.net"], "unauthenticated": True},
        trunks=[{
            "name": "carrier", "listener": f"{far.transport.lower()}4", "tls_name": NAME,
            "hosts": [hostport(HOSTS[far.family].encode(), PORTS[far.transport]).decode()],
        }],
        routes=[{"source": "access", "to": ["carrier"]}, {"source": "trunk", "to": ["registered"]}],
    ))  # fmt: skip
    for number, (end, peer) in enumerate(((near, (PHONES[near.family], 40001)), (far, _peer(far)))):
        names = (NAME,) if end is far and far.transport == "TLS" else ()
        made.flows[peer] = Flow(end.transport, end.socket, peer, 0 if end.transport == "UDP" else 7 + number, names)
    return made


def _peer(far: End) -> tuple[str, int]:
    return HOSTS[far.family], DEFAULT_PORTS[far.transport]


def check_both(packet: bytes, end: End, scheme: bytes) -> None:
    """Assert that Record-Route, of which there is one, and Contact of a message lead its reader back to us."""
    message = read(packet)
    (route,) = message.items(b"record-route")
    check_way(end, parse_name_addr(route).uri, scheme)
    check_way(end, parse_name_addr(message.items(b"contact")[0]).uri, scheme)


def left_over(ladder: Ladder, world: World, end: End, peer: tuple[str, int]) -> None:
    """Assert that what left last went to an end by its own transport and family."""
    flow = world.sent_over[-1]
    assert (flow.transport, flow.local, flow.peer) == (end.transport, end.socket, peer)


def talk(ladder: Ladder, ends: tuple[End, End], agents: tuple[Agent, Agent], invite: Packet, scheme: bytes) -> None:
    """Have a call begin, and requests of both ends within it arrive at the other; all that either is shown is right."""
    (here, there), (caller, callee) = ends, agents
    ladder = ladder >> invite << Sent(caller, 100) << Sent(callee, b"INVITE")
    sent = ladder[b"INVITE"]
    left_over(ladder, ladder.world, there, callee.address)
    check_both(sent, there, scheme)
    for status in (180, 200):
        answer = callee.answer(sent, status)
        ladder = ladder >> answer << Sent(caller, status)
        left_over(ladder, ladder.world, here, caller.address)
        check_both(ladder[status], here, scheme)
    got = ladder[200]
    ladder = ladder >> caller.within(b"ACK", got, own=invite, cseq=1) << Sent(callee, b"ACK")
    for number, method in enumerate((b"UPDATE", b"INFO"), 2):
        ladder = ladder >> caller.within(method, got, own=invite, cseq=number) << Sent(callee, method)
        left_over(ladder, ladder.world, there, callee.address)
        ladder = ladder >> callee.answer(ladder[method], 200) << Sent(caller, 200)
        ladder = ladder >> callee.within(method, sent, own=answer, cseq=number) << Sent(caller, method)
        left_over(ladder, ladder.world, here, caller.address)
        ladder = ladder >> caller.answer(ladder[method], 200) << Sent(callee, 200)
    ladder = ladder >> callee.within(b"BYE", sent, own=answer, cseq=9) << Sent(caller, b"BYE")
    left_over(ladder, ladder.world, here, caller.address)
    assert ladder >> caller.answer(ladder[b"BYE"], 200) << Sent(callee, 200) << Silence()


@by_every_way
def test_a_call_from_a_phone(near: End, far: End, scheme: bytes) -> None:
    alice, gateway = phone(near, scheme), carrier(far, scheme)
    invite = alice.request(uri=scheme + b":+15550100@example.net")
    talk(Ladder(world(near, far)), (near, far), (alice, gateway), invite, scheme)


@by_every_way
def test_a_call_to_a_phone(near: End, far: End, scheme: bytes) -> None:
    alice, gateway = phone(near, scheme), carrier(far, scheme)
    ladder = Ladder(world(near, far))
    register = alice.request(b"REGISTER", b"sip:example.net", branch=b"z9hG4bKr")
    register = register._replace(data=register.data.replace(b"To: <sip:example", b"To: <sip:alice@example").replace(
        b"@sip.example.net", b"@example.net"))  # fmt: skip
    ladder = ladder >> register << Sent(alice, 200)
    invite = gateway.request(uri=scheme + b":alice@example.net", call_id=b"from@trunk")
    talk(ladder, (far, near), (gateway, alice), invite, scheme)


@pytest.mark.parametrize("advertised", ["sip.example.net", ""])
def test_a_name_is_for_both_families(advertised: str) -> None:
    """Where a listener is told by a name, DNS says the rest: each side is told of its own one."""
    listeners: list[dict[str, Any]] = [
        {"name": "main", "address": OURS[4], **({"advertised": advertised} if advertised else {})},
        {"name": "six", "address": OURS[6]},
    ]
    made = World(settings(listeners=listeners))
    network = made.core.generation.network
    party = network.party_of(("10.1.1.23", 5060))
    assert party is not None
    told = network.face(party, "UDP", (OURS[6], 5060))
    assert told == (b"sip.example.net:5060" if advertised else b"[2001:db8::1]:5060")
