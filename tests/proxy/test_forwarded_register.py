"""`mode = "forward"`: REGISTER with Path to the core, its answer, and requests that come by the Path."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.flow import Flow
from proxy.headers import parse_name_addr
from proxy.registrar import FLOW_GRACE
from tests.agents import ALICE, CARRIER, PBX, Agent, Packet, read
from tests.ladder import Ladder, Restart, Sent, Silence
from tests.phones import Phone, contacts, status
from tests.world import CORE, OTHER_PHONE, PHONE, PROXY, SETTINGS, World, settings

INSTANCE = b'+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"'
ROUTES: list[dict[str, Any]] = [{"source": "access", "methods": ["REGISTER"], "to": ["core"]}, *SETTINGS["routes"]]


@pytest.fixture
def world() -> World:
    return World(settings(registrar={"domains": ["example.net"], "mode": "forward"}, routes=ROUTES))


@pytest.fixture
def phone() -> Phone:
    return Phone(PHONE)


def registered(world: World, phone: Phone, contact: bytes | None = None, *headers: bytes) -> tuple[bytes, bytes]:
    """Return the REGISTER that reached the core, and its Path URI."""
    ((address, data),) = world.receive(*phone.register(contact, *headers))
    assert address == CORE
    return data, parse_name_addr(read(data).items(b"path")[0]).uri


def by_path(path: bytes, uri: bytes = b"sip:alice@10.1.1.23:5062", sender: Agent = PBX, **changes: Any) -> Packet:
    return sender.invite(uri=uri, headers=(b"Route: <%b>" % path, b"Content-Type: application/sdp"), **changes)


def test_the_core_gets_our_path(world: World, phone: Phone) -> None:
    """On top of what an edge proxy wrote, sealed, with `ob` where the phone asks for Outbound (RFC 5626 §5.1)."""
    data, path = registered(world, phone)
    assert path.startswith(b"sip:")
    assert path.endswith(b"@192.0.2.1:5060;lr")
    assert b"10.1.1.23" not in path
    assert contacts(data) == [b"<sip:alice@10.1.1.23:5062>"]
    edge = Phone(("10.9.9.9", 5060))
    data, _ = registered(world, edge, None, b"Path: <sip:e@10.9.9.9;lr>")
    assert read(data).items(b"path")[1:] == [b"<sip:e@10.9.9.9;lr>"]
    outbound = b"<sip:alice@10.1.1.23:5062>;%b;reg-id=1" % INSTANCE
    data, path = registered(world, phone, outbound, b"Supported: path, outbound")
    assert path.endswith(b";lr;ob")
    assert contacts(data) == [outbound]


def test_the_core_reaches_the_phone(world: World, phone: Phone) -> None:
    """Over the flow of the REGISTER, whatever the Request-URI says; also after a restart, for nothing is kept."""
    _, path = registered(world, phone, b"<sip:alice@198.51.100.7:5060>")
    ladder = Ladder(world) >> Restart()
    packet = by_path(path, b"sip:alice@198.51.100.7:5060")
    ladder = ladder >> packet << Sent(PBX, 100) << Sent(phone, b"INVITE")
    invite = read(ladder[b"INVITE"])
    assert invite.uri == b"sip:alice@198.51.100.7:5060"
    assert invite.items(b"route") == []
    ladder = ladder >> phone.answer(ladder[b"INVITE"], 200) << Sent(PBX, 200)
    assert ladder >> PBX.within(b"BYE", ladder[200], own=packet) << Sent(phone, b"BYE")


def test_an_edge_proxy_behind_us_gets_its_path(world: World) -> None:
    edge = Phone(("10.9.9.9", 5060))
    _, path = registered(world, edge, None, b"Path: <sip:e@10.9.9.9;lr>")
    packet = PBX.invite(uri=b"sip:a@10.3.3.3", headers=(b"Route: <%b>, <sip:e@10.9.9.9;lr>" % path,))
    ladder = Ladder(world) >> packet << Sent(PBX, 100) << Sent(edge, b"INVITE")
    assert read(ladder[b"INVITE"]).items(b"route") == [b"<sip:e@10.9.9.9;lr>"]


@pytest.mark.parametrize("change", [b"x", b"A"])
def test_a_forged_token_is_403(world: World, phone: Phone, change: bytes) -> None:
    _, path = registered(world, phone)
    forged = path[:20] + (change if path[20:21] != change else b"B") + path[21:]
    ((address, answer),) = world.receive(*by_path(forged))
    assert (address, status(answer)) == (CORE, 403)


@pytest.mark.parametrize("sender", [ALICE, CARRIER, Phone(OTHER_PHONE)], ids=repr)
def test_nobody_else_uses_a_token(world: World, phone: Phone, sender: Agent) -> None:
    """A phone sees its own in the Path of the 200; it calls nobody by it, nor does a trunk."""
    _, path = registered(world, phone)
    sent = world.receive(*by_path(path, sender=sender))
    assert [(address, status(data)) for address, data in sent if data.startswith(b"SIP")] == [(sender.address, 403)]
    assert len(sent) == 1


def test_the_answer(world: World, phone: Phone) -> None:
    """The phone's own Contact and the Path as they came; of other phones no token and no id; the core stays hidden."""
    own = b"<sip:alice@10.1.1.23:5062;pn-prid=mine>;%b;reg-id=1" % INSTANCE
    data, path = registered(world, phone, own, b"Supported: path, outbound, gruu")
    mine = own + b';expires=60;pub-gruu="sip:alice@example.net;gr=x"'
    other = b'<sip:alice@10.1.1.99;pn-prid=theirs>;+sip.instance="<urn:uuid:other>";q=0.5;expires=30'
    lines = (
        b"Contact: %b, %b" % (mine, other), b"Path: <%b>" % path, b"Service-Route: <sip:orig@203.0.113.5;lr>",
        b"Require: outbound", b"Date: Mon, 21 Sep 2026 14:13:20 GMT",
    )  # fmt: skip
    ((address, answer),) = world.receive(*PBX.answer(data, 200, contact=b"", headers=lines))
    assert address == PHONE
    assert contacts(answer) == [mine, b"<sip:alice@10.1.1.99>;expires=30"]
    got = read(answer)
    assert got.items(b"path") == [b"<%b>" % path]
    assert got.items(b"require") == [b"outbound"]
    assert b"203.0.113.5" not in answer


def test_the_service_route_leads_to_the_core(world: World, phone: Phone) -> None:
    """What the phone was told it uses as Route, and the core gets its own (RFC 3608 §5)."""
    data, _ = registered(world, phone)
    lines = (b"Contact: <sip:alice@10.1.1.23:5062>;expires=60", b"Service-Route: <sip:orig@203.0.113.5;lr>")
    ((_, answer),) = world.receive(*PBX.answer(data, 200, contact=b"", headers=lines))
    (route,) = read(answer).items(b"service-route")
    ladder = Ladder(world) >> ALICE.invite(headers=(b"Route: " + route,)) << Sent(ALICE, 100) << Sent(PBX, b"INVITE")
    assert read(ladder[b"INVITE"]).items(b"route") == [b"<sip:orig@203.0.113.5;lr>"]
    more = ALICE.invite(headers=(b"Route: %b, <sip:198.51.100.7;lr>" % route,), branch=b"z9hG4bK2", call_id=b"two")
    assert ladder >> more << Sent(ALICE, 403)


def test_the_core_refuses(world: World, phone: Phone) -> None:
    data, _ = registered(world, phone)
    ((address, answer),) = world.receive(*PBX.answer(data, 403))
    assert (address, status(answer)) == (PHONE, 403)


def test_contacts_that_cannot_be_read_fail_closed(world: World, phone: Phone) -> None:
    data, _ = registered(world, phone)
    lines = (b"Contact: <sip:x@10.7.7.7>",)
    ((address, answer),) = world.receive(*PBX.answer(data, 200, contact=b"", headers=lines))
    assert (address, status(answer)) == (PHONE, 500)


def test_other_routes_are_as_before(world: World) -> None:
    """Without the mode nothing of this is done: a REGISTER has no Path of ours."""
    plain = World(settings(routes=ROUTES))
    ((_, data),) = plain.receive(*Phone(PHONE).register())
    assert b"path" not in read(data).index
    assert Ladder(world) >> CARRIER.request(b"REGISTER", b"sip:example.net") << Sent(PBX, b"REGISTER")


def test_a_phone_with_a_route_of_ours_and_a_name(world: World) -> None:
    """What stands for nothing is refused rather than passed over: it might be somebody's token that was cut short."""
    packet = ALICE.invite(headers=(b"Route: <sip:name@192.0.2.1;lr>",))
    assert Ladder(world) >> packet << Sent(ALICE, 403)
    assert Ladder(world) >> packet << Sent(ALICE, 403) << Silence()


# --- how often a phone has to be heard of (RFC 5626 §5.4)

MINE = b"<sip:alice@10.1.1.23:5062>;%b;reg-id=1" % INSTANCE
AGREED = b"Require: outbound"


def granted(
    phone: Phone, *lines: bytes, transport: str = "TCP", contact: bytes = MINE, edge: tuple[bytes, ...] = (),
    **registrar: Any,
) -> tuple[World, Flow, list[bytes]]:  # fmt: skip
    """Register over a connection, answered with these lines; return the world, the flow, the 200's Flow-Timers."""
    section = {"domains": ["example.net"], "mode": "forward", "flow_timer": 90, **registrar}
    world = World(settings(registrar=section, routes=ROUTES))
    flow = Flow(transport, PROXY, phone.address, 0 if transport == "UDP" else 7)
    world.flows[phone.address] = flow
    data, _ = registered(world, phone, contact, b"Supported: path, outbound", *edge)
    ((_, answer),) = world.receive(*PBX.answer(data, 200, contact=b"", headers=lines))
    assert status(answer) == 200
    return world, flow, read(answer).items(b"flow-timer")


@pytest.mark.parametrize("transport", ["TCP", "TLS"])
def test_a_phone_with_outbound_is_told_how_often_to_be_heard(phone: Phone, transport: str) -> None:
    """By the last proxy, which keeps the flow; and then it is kept to it, until it registers no more."""
    world, flow, timers = granted(phone, b"Contact: %b;expires=60" % MINE, AGREED, transport=transport)
    assert timers == [b"90"]
    assert world.core.silence(flow) == 90 + FLOW_GRACE
    data, _ = registered(world, phone, MINE + b";expires=0", b"Supported: path, outbound")
    ((_, answer),) = world.receive(*PBX.answer(data, 200, contact=b"", headers=(AGREED,)))
    assert read(answer).items(b"flow-timer") == []
    assert world.core.silence(flow) == 0


def test_what_the_core_says_of_its_own_connections_gives_way(phone: Phone) -> None:
    *_, timers = granted(phone, b"Contact: %b;expires=60" % MINE, AGREED, b"Flow-Timer: 3600")
    assert timers == [b"90"]


@pytest.mark.parametrize(
    ("lines", "changes"),
    [
        ((b"Contact: %b;expires=60" % MINE,), {}),
        ((b"Contact: %b;expires=0" % MINE, AGREED), {}),
        ((b"Contact: <sip:b@10.1.1.99>;expires=60", AGREED), {}),
        ((b"Contact: %b;expires=60" % MINE, AGREED), {"flow_timer": 0}),
        ((b"Contact: %b;expires=60" % MINE, AGREED), {"transport": "UDP"}),
        ((b"Contact: %b;expires=60" % MINE, AGREED), {"transport": "WSS"}),
        ((b"Contact: <sip:alice@10.1.1.23:5062>;expires=60", AGREED), {"contact": b"<sip:alice@10.1.1.23:5062>"}),
    ],
    ids=["no-outbound", "taken-out", "another-phone", "switched-off", "udp", "websocket", "no-reg-id"],
)
def test_nobody_else_is(phone: Phone, lines: tuple[bytes, ...], changes: dict[str, Any]) -> None:
    """The core has to agree, the flow has to be a phone's own, and of a kind that we would close."""
    world, flow, timers = granted(phone, *lines, **changes)
    assert timers == []
    assert world.core.silence(flow) == 0


def test_an_edge_proxy_keeps_the_flows_of_many() -> None:
    edge = Phone(("10.9.9.9", 5060))
    world, flow, timers = granted(
        edge, b"Contact: %b;expires=60" % MINE, AGREED, edge=(b"Path: <sip:e@10.9.9.9;lr;ob>",)
    )
    assert timers == []
    assert world.core.silence(flow) == 0
