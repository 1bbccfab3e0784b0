"""Any transport to any other: whole calls, in which each side sees its own transport and nothing of the other's."""

from __future__ import annotations

import re
from typing import Any

import pytest

from proxy.flow import Flow
from proxy.transports import DEFAULT_PORTS, URI_PARAMS, VIA_HEADS
from tests.agents import SDP, Agent, Packet, read
from tests.ladder import Ladder, Sent, Silence
from tests.world import World, settings

TRANSPORTS = tuple(DEFAULT_PORTS)
NEAR, FAR, PBX_SIDE = ("192.0.2.1", 5070), ("192.0.2.2", 5080), ("192.0.2.3", 5060)
PHONE, CARRIER = ("10.1.1.23", 40001), ("198.51.100.7", 5090)
BROWSER = b"df7jal23ls0d.invalid;transport=ws"

any_to_any = pytest.mark.parametrize(("near", "far"), [(near, far) for near in TRANSPORTS for far in TRANSPORTS])


def test_each_transport_has_all() -> None:
    """A transport that a table lacks would fail in the middle of a call."""
    assert set(DEFAULT_PORTS) == set(URI_PARAMS) == set(VIA_HEADS)


def phone(transport: str) -> Agent:
    """Return a phone as it writes itself over a transport."""
    host = BROWSER if transport in ("WS", "WSS") else b"10.1.1.23:40001" + URI_PARAMS[transport]
    return Agent(PHONE, b"alice", b'"Alice" ', transport.encode(), host)


def carrier(transport: str) -> Agent:
    return Agent(CARRIER, b"gateway", b"", transport.encode(), b"198.51.100.7:5090" + URI_PARAMS[transport])


def flow_of(agent: Agent, transport: str, number: int) -> Flow:
    """Return how an agent's messages come in: a phone over its connection, a carrier over the one that we made."""
    if transport == "UDP":
        return Flow("UDP", NEAR if agent.address == PHONE else FAR, agent.address)
    if agent.address == PHONE:
        return Flow(transport, NEAR, PHONE, number)
    names = ("sip.carrier.example",) if transport in ("TLS", "WSS") else ()
    return Flow(transport, FAR, CARRIER, number, names)


def world(near: str, far: str, **changes: Any) -> World:
    """Return phones on one listener, a trunk on another, the core on a third one, by UDP."""
    sections: dict[str, Any] = {
        "listeners": [
            {"name": "near", "address": NEAR[0], "port": NEAR[1], "transport": near.lower()},
            {"name": "far", "address": FAR[0], "port": FAR[1], "transport": far.lower()},
            {"name": "inside", "address": PBX_SIDE[0], "port": PBX_SIDE[1]},
        ],
        "access": {"networks": ["10.0.0.0/8"], "listener": "near"},
        "core": {"networks": ["203.0.113.5"], "listener": "inside", "next_hop": "203.0.113.5:5060"},
        "trunks": [
            {"name": "carrier", "hosts": ["198.51.100.7:5090"], "listener": "far", "tls_name": "sip.carrier.example"}
        ],
        "routes": [{"source": "access", "to": ["carrier"]}, {"source": "trunk", "to": ["core"]}],
    }
    made = World(settings(**{**sections, **changes}))
    made.flows[PHONE] = flow_of(phone(near), near, 7)
    made.flows[CARRIER] = flow_of(carrier(far), far, 8)
    return made


def established(near: str, far: str, **changes: Any) -> tuple[Ladder, Agent, Agent, Packet, bytes, Packet, bytes]:
    """Return a call that is up: what each side sent and saw of its INVITE and 200."""
    alice, gateway = phone(near), carrier(far)
    ladder = Ladder(world(near, far, **changes))
    invite = alice.invite(uri=b"sip:+15550100@192.0.2.1:5070")
    ladder >> invite << Sent(alice, 100) << Sent(gateway, b"INVITE")
    sent = ladder[b"INVITE"]
    ladder >> gateway.answer(sent, 180) << Sent(alice, 180)
    answer = gateway.answer(sent, 200, headers=(b"Content-Type: application/sdp",), body=SDP)
    ladder >> answer << Sent(alice, 200)
    got = ladder[200]
    ladder >> alice.within(b"ACK", got, own=invite, cseq=1, branch=b"z9hG4bKack") << Sent(gateway, b"ACK")
    return ladder, alice, gateway, invite, got, answer, sent


def ours(data: bytes) -> list[bytes]:
    """Return URIs of ours in Contact and Record-Route, less their users."""
    message = read(data)
    values = [*message.items(b"contact"), *message.items(b"record-route")]
    return [re.sub(rb"(sips?:)[^@>]*@", rb"\1", value.partition(b">")[0].lstrip(b"<")) for value in values]


@any_to_any
def test_a_call_in_which_each_side_sees_its_own_transport(near: str, far: str) -> None:
    """Via, Contact and Record-Route (RFC 3261 §18.1.1, RFC 5658 §3); BYE from the phone."""
    ladder, alice, gateway, invite, got, _, sent = established(near, far)
    flows = dict(zip([peer for peer, _ in ladder.world.sent], ladder.world.sent_over, strict=True))
    assert flows[PHONE] == flow_of(alice, near, 7)
    assert flows[CARRIER] == flow_of(gateway, far, 0)
    assert sent.partition(b"\r\nVia: ")[2].startswith(b"SIP/2.0/%b 192.0.2.2:5080;branch=" % far.encode())
    assert set(ours(sent)) == {b"sip:192.0.2.2:5080" + URI_PARAMS[far], b"sip:192.0.2.2:5080%b;lr" % URI_PARAMS[far]}
    assert set(ours(got)) == {b"sip:192.0.2.1:5070" + URI_PARAMS[near], b"sip:192.0.2.1:5070%b;lr" % URI_PARAMS[near]}
    assert read(got).lines[read(got).index[b"via"][0]].startswith(b"Via: SIP/2.0/" + near.encode())
    bye = alice.within(b"BYE", got, own=invite)
    ladder >> bye << Sent(gateway, b"BYE") >> (lambda made: gateway.answer(made[b"BYE"], 200)) << Sent(alice, 200)
    assert read(ladder[b"BYE"]).uri == b"sip:gateway@198.51.100.7:5090" + URI_PARAMS[far]
    assert ladder << Silence()


@any_to_any
def test_requests_of_the_callee_reach_the_phone_over_its_connection(near: str, far: str) -> None:
    """re-INVITE, its ACK, and BYE from the trunk: all leave over what the phone has open."""
    ladder, alice, gateway, _, _, answer, sent = established(near, far)
    again = gateway.within(b"INVITE", sent, own=answer, headers=(b"Content-Type: application/sdp",), body=SDP)
    ladder >> again << Sent(gateway, 100) << Sent(alice, b"INVITE")
    assert ladder.world.sent_over[-1] == flow_of(alice, near, 7)
    assert read(ladder[b"INVITE"]).uri == b"sip:alice@" + alice.host
    ladder >> (lambda made: alice.answer(made[b"INVITE"], 200)) << Sent(gateway, 200)
    ack = gateway.within(b"ACK", sent, own=answer, branch=b"z9hG4bKack2")
    ladder >> ack << Sent(alice, b"ACK")
    ladder >> gateway.within(b"BYE", sent, own=answer, cseq=3) << Sent(alice, b"BYE")
    assert ladder >> (lambda made: alice.answer(made[b"BYE"], 200)) << Sent(gateway, 200)


@any_to_any
def test_a_re_invite_of_the_caller(near: str, far: str) -> None:
    """The same the other way."""
    ladder, alice, gateway, invite, got, _, _ = established(near, far)
    again = alice.within(b"INVITE", got, own=invite, headers=(b"Content-Type: application/sdp",), body=SDP)
    ladder >> again << Sent(alice, 100) << Sent(gateway, b"INVITE")
    ladder >> (lambda made: gateway.answer(made[b"INVITE"], 200)) << Sent(alice, 200)
    assert ladder >> alice.within(b"ACK", got, own=invite, branch=b"z9hG4bKa2") << Sent(gateway, b"ACK")


@any_to_any
def test_a_cancelled_call(near: str, far: str) -> None:
    """CANCEL takes the way of its INVITE, and so do both ACKs."""
    alice, gateway = phone(near), carrier(far)
    ladder = Ladder(world(near, far))
    invite = alice.invite(uri=b"sip:+15550100@192.0.2.1:5070")
    ladder >> invite << Sent(alice, 100) << Sent(gateway, b"INVITE")
    sent = ladder[b"INVITE"]
    ladder >> gateway.answer(sent, 180) << Sent(alice, 180)
    ladder >> alice.cancel(invite) << Sent(alice, 200) << Sent(gateway, b"CANCEL")
    assert read(ladder[b"CANCEL"]).via.branch == read(sent).via.branch
    ladder >> gateway.answer(ladder[b"CANCEL"], 200)
    ladder >> gateway.answer(sent, 487) << Sent(gateway, b"ACK") << Sent(alice, 487)
    assert ladder >> alice.ack_failure(invite, ladder[487]) << Silence()
    ladder.world.wait(40)
    assert (ladder.world.core.servers, ladder.world.core.clients, len(ladder.world.core.waiting)) == ({}, {}, 0)


@any_to_any
def test_a_contact_reaches_the_phone_outside_its_dialog(near: str, far: str) -> None:
    """RFC 3261 §8.1.1.8, over the connection that the phone has."""
    ladder, alice, gateway, _, _, _, sent = established(near, far)
    target = read(sent).items(b"contact")[0].strip(b"<>")
    call = gateway.invite(uri=target, call_id=b"another@trunk", branch=b"z9hG4bKanother")
    ladder >> call << Sent(gateway, 100) << Sent(alice, b"INVITE")
    assert ladder.world.sent_over[-1] == flow_of(alice, near, 7)
    assert ladder >> (lambda made: alice.answer(made[b"INVITE"], 486)) << Sent(alice, b"ACK") << Sent(gateway, 486)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_nothing_of_a_phone_is_told_to_the_trunk(transport: str) -> None:
    """Its address, its browser's name and its transport."""
    for far in TRANSPORTS:
        ladder = established(transport, far)[0]
        # What stands in a session description needs a media relay to be hidden.
        out = b"".join(data.partition(b"\r\n\r\n")[0] for peer, data in ladder.world.sent if peer == CARRIER)
        assert not re.search(rb"10\.1\.1\.23|df7jal|192\.0\.2\.1\b|received=|alice", out, re.IGNORECASE)
        back = b"".join(data for peer, data in ladder.world.sent if peer == PHONE)
        assert b"198.51.100.7" not in back
        assert b"192.0.2.2" not in back
