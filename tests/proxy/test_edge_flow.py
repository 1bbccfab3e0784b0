"""Edge proxies whose connections are gone get new ones; nobody else does, and no message chooses where to."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.edge_flow import edge_flow
from proxy.flow import Flow
from tests.agents import SDP, Agent, Packet, read
from tests.ladder import Ladder, Restart, Sent, Silence
from tests.proxy.test_transports import NEAR, PHONE, carrier, phone, world
from tests.world import World

EDGE, GATEWAY = phone("TCP"), carrier("UDP")
CONNECTION = Flow("TCP", NEAR, PHONE, 7)
OWN = b"sip:10.1.1.23:5099;transport=tcp;lr"


def behind(edge: str = "10.1.1.23", near: str = "TCP", **more: Any) -> World:
    """A world in which the phones' side is an edge proxy."""
    access: dict[str, Any] = {"networks": ["10.0.0.0/8"], "listener": "near", "edge_proxies": [edge], **more}
    return world(near, "UDP", access=access)


def established(there: World, route: bytes = OWN, edge: Agent = EDGE) -> tuple[Ladder, bytes, Packet]:
    """A call that came by an edge proxy; returns the INVITE that left, and its answer."""
    headers = (b"Record-Route: <%b>" % route, b"Content-Type: application/sdp")
    invite = edge.request(uri=b"sip:+15550100@192.0.2.1:5070", headers=headers, body=SDP)
    ladder = Ladder(there) >> invite << Sent(edge, 100) << Sent(GATEWAY, b"INVITE")
    sent = ladder[b"INVITE"]
    answer = GATEWAY.answer(sent, 200)
    ladder = ladder >> answer << Sent(edge, 200)
    ladder = ladder >> edge.within(b"ACK", ladder[200], own=invite, cseq=1) << Sent(GATEWAY, b"ACK")
    return ladder, sent, answer


def sent_to(ladder: Ladder, method: bytes) -> Flow:
    """Return the flow of what left last, which must be such a request."""
    address, data = ladder.world.sent[-1]
    assert data.startswith(method)
    assert ladder.world.sent_over[-1].peer == address
    ladder.left.clear()
    return ladder.world.sent_over[-1]


@pytest.mark.parametrize(
    ("edge", "route", "port"),
    [
        ("10.1.1.23", OWN, 5099),
        ("10.1.1.23:5070", OWN, 5070),
        ("10.1.1.0/24", b"sip:10.1.1.23;transport=tcp;lr", 5060),
        ("10.1.1.23", b"sip:10.1.1.99:5099;lr", 5060),
        ("10.1.1.23", b"sip:edge.example:5099;lr", 5060),
    ],
)
def test_the_call_goes_on_over_a_new_connection(edge: str, route: bytes, port: int) -> None:
    """To the address that the dead one came from; the port is the configuration's, else that of its own Route."""
    ladder, sent, answer = established(behind(edge), route)
    ladder.world.close(CONNECTION)
    ladder = ladder >> GATEWAY.within(b"BYE", sent, own=answer)
    ladder.left += ladder.world.wait(0.1)
    assert sent_to(ladder, b"BYE") == Flow("TCP", NEAR, ("10.1.1.23", port))


def test_its_answer_comes_back() -> None:
    ladder, sent, answer = established(behind())
    ladder.world.close(CONNECTION)
    ladder = ladder >> GATEWAY.within(b"BYE", sent, own=answer)
    ladder.left += ladder.world.wait(0.1)
    bye = ladder.world.sent[-1][1]
    sent_to(ladder, b"BYE")
    there = ("10.1.1.23", 5099)
    ladder.world.flows[there] = Flow("TCP", NEAR, there, 9)
    ladder = ladder >> Packet(there, EDGE.answer(bye, 200).data)
    assert [(address, read(data).status) for address, data in ladder.left] == [(GATEWAY.address, 200)]


def test_a_new_connection_that_fails_too_is_480() -> None:
    ladder, sent, answer = established(behind())
    ladder.world.close(CONNECTION)
    ladder.world.refuse_send.add(("10.1.1.23", 5099))
    ladder = ladder >> GATEWAY.within(b"BYE", sent, own=answer)
    ladder.left += ladder.world.wait(0.2)
    assert ladder << Sent(GATEWAY, 480)


def test_an_ack_goes_there_too() -> None:
    ladder, sent, answer = established(behind())
    ladder.world.close(CONNECTION)
    ladder >> GATEWAY.within(b"ACK", sent, own=answer, cseq=3)
    assert sent_to(ladder, b"ACK").peer == ("10.1.1.23", 5099)


def test_after_a_restart_too() -> None:
    ladder, sent, answer = established(behind())
    ladder.world.wall += 60.001
    ladder = ladder >> Restart() >> GATEWAY.within(b"BYE", sent, own=answer)
    assert sent_to(ladder, b"BYE") == Flow("TCP", NEAR, ("10.1.1.23", 5099))


def test_a_phone_gets_none() -> None:
    """Behind a NAT there is nobody; and who listens there may be anybody."""
    ladder, sent, answer = established(behind())
    ladder.world.close(CONNECTION)
    ladder.world.reload(**_without_edge())
    ladder = ladder >> GATEWAY.within(b"BYE", sent, own=answer)
    ladder.left += ladder.world.wait(0.1)
    assert ladder << Sent(GATEWAY, 480) << Silence()


def _without_edge() -> dict[str, Any]:
    plain = world("TCP", "UDP").settings
    return {name: getattr(plain, name) for name in ("listeners", "access", "core", "trunks", "routes")}


@pytest.mark.parametrize("transport", ["UDP", "TLS", "WS", "WSS"])
def test_other_transports_have_none(transport: str) -> None:
    """No name is expected over TLS where none is configured, nobody listens behind WebSockets, UDP loses nothing."""
    network = behind(near=transport).core.generation.network
    assert edge_flow(network, Flow(transport, NEAR, PHONE, 7), ()) is None


@pytest.mark.parametrize("written", [b"2001:db8::5", b"2001:DB8:0::0:5"])
def test_its_own_route_names_it_however_its_address_is_written(written: bytes) -> None:
    access: dict[str, Any] = {"networks": ["2001:db8::/32"], "listener": "near", "edge_proxies": ["2001:db8::5"]}
    network = world("TCP", "UDP", access=access).core.generation.network
    flow = Flow("TCP", NEAR, ("2001:db8::5", 40_001), 7)
    assert edge_flow(network, flow, (b"sip:[%b]:5099;lr" % written,)) == flow._replace(
        peer=("2001:db8::5", 5099), connection=0
    )


def test_a_connection_of_ours_to_it_has_none_to_stand_for_it() -> None:
    network = behind().core.generation.network
    assert edge_flow(network, CONNECTION._replace(connection=0), ()) is None
    assert edge_flow(network, CONNECTION, (b"<",)) == Flow("TCP", NEAR, ("10.1.1.23", 5060))


# --- over TLS

SECURE_EDGE = phone("TLS")
SECURE = b"sip:10.1.1.23:5099;transport=tls;lr"
NAMED = Flow("TLS", NEAR, ("10.1.1.23", 5099), 0, ("edge.example.net",))


def test_over_tls_it_has_to_show_the_name_that_is_configured() -> None:
    """RFC 5922: of nobody else is a connection to that address of use."""
    ladder, sent, answer = established(behind(near="TLS", edge_tls_name="Edge.example.net."), SECURE, SECURE_EDGE)
    ladder.world.close(CONNECTION._replace(transport="TLS"))
    ladder = ladder >> GATEWAY.within(b"BYE", sent, own=answer)
    ladder.left += ladder.world.wait(0.1)
    assert sent_to(ladder, b"BYE") == NAMED


def test_an_answer_goes_over_a_new_connection_too() -> None:
    """To the port of its Via (RFC 3261 §18.2.2)."""
    there = behind(near="TLS", edge_tls_name="edge.example.net")
    invite = SECURE_EDGE.request(
        uri=b"sip:+15550100@192.0.2.1:5070", headers=(b"Content-Type: application/sdp",), body=SDP
    )
    ladder = Ladder(there) >> invite << Sent(SECURE_EDGE, 100) << Sent(GATEWAY, b"INVITE")
    there.close(CONNECTION._replace(transport="TLS"))
    ladder >> GATEWAY.answer(ladder[b"INVITE"], 486)
    there.wait(0.1)
    answers = [flow for (_, data), flow in zip(there.sent, there.sent_over, strict=True) if data[:11] == b"SIP/2.0 486"]
    assert answers == [NAMED._replace(peer=PHONE)]


def test_the_name_is_for_edge_proxies_and_for_no_phone() -> None:
    network = behind("10.1.1.99", near="TLS", edge_tls_name="edge.example.net").core.generation.network
    assert edge_flow(network, Flow("TLS", NEAR, PHONE, 7), ()) is None
    assert edge_flow(network, Flow("TLS", NEAR, ("10.1.1.99", 40001), 7), ()) is not None
    assert edge_flow(network, Flow("WSS", NEAR, ("10.1.1.99", 40001), 7), ()) is None
