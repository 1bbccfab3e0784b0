"""Connections that a trunk offers by `;alias` (RFC 5923): only over TLS, only for the name that it proves."""

from __future__ import annotations

import pytest

from proxy.aliases import MAX_ALIASES, Aliases
from proxy.flow import Flow
from proxy.headers import parse_via
from proxy.party import ACCESS, CORE
from tests.agents import Agent
from tests.ladder import Ladder, Sent, Silence
from tests.proxy.test_transports import CARRIER, FAR, carrier, phone, world
from tests.world import World

INVITE = b"sip:+15550100@192.0.2.1:5070"
FROM = ("198.51.100.7", 41000)
NAME = "sip.carrier.example"


def offering(transport: str = "TLS", *names: str, alias: bytes = b";alias", port: int = 5090) -> tuple[World, Flow]:
    """Return a world in which a trunk has sent OPTIONS over a connection of its own."""
    made = world("UDP", transport)
    flow = Flow(transport, FAR, FROM, 9, names)
    made.flows[FROM] = flow
    agent = Agent(FROM, b"gateway", b"", transport.encode(), b"198.51.100.7:%d" % port)
    packet = agent.request(b"OPTIONS", uri=b"sip:x@192.0.2.2:5080", max_forwards=0)
    made.receive(FROM, packet.data.replace(b";rport", b";rport" + alias, 1))
    made.sent.clear()
    made.sent_over.clear()
    return made, flow


def called(made: World) -> list[Flow]:
    """Return where a call to the trunk went."""
    alice = phone("UDP")
    made.receive(*alice.invite(uri=INVITE))
    made.wait(0.1)
    return [flow for flow in made.sent_over if flow.transport != "UDP"]


def test_a_call_takes_the_connection_that_the_trunk_offers() -> None:
    """§8.1: no second handshake, and a way in through the trunk's own NAT; its answer is taken."""
    made, flow = offering("TLS", "other.example", "SIP.carrier.example")
    ladder, alice = Ladder(made), phone("UDP")
    gateway = carrier("TLS")
    made.flows[FROM] = flow
    gateway.address = FROM
    ladder >> alice.invite(uri=INVITE) << Sent(alice, 100) << Sent(gateway, b"INVITE")
    assert made.sent_over[-1] == flow
    assert b";alias" in ladder[b"INVITE"].partition(b"\r\n")[2].partition(b"\r\n")[0]
    assert ladder >> gateway.answer(ladder[b"INVITE"], 200) << Sent(alice, 200)


@pytest.mark.parametrize(
    ("transport", "names", "alias", "port"),
    [
        ("TLS", (NAME,), b"", 5090),
        ("TLS", (), b";alias", 5090),
        ("TLS", ("evil.example",), b";alias", 5090),
        ("TLS", (NAME,), b";alias", 5091),
        ("TCP", (NAME,), b";alias", 5090),
        ("WSS", (NAME,), b";alias", 5090),
    ],
)
def test_anything_else_gets_nothing(transport: str, names: tuple[str, ...], alias: bytes, port: int) -> None:
    """Without the offer, the name, the port or TLS (§9) a connection of ours is made."""
    made, _ = offering(transport, *names, alias=alias, port=port)
    assert [flow.connection for flow in called(made)] == [0]


def test_a_phone_offers_nothing() -> None:
    """Whatever its certificate says."""
    flow, via = Flow("TLS", FAR, FROM, 9, (NAME,)), parse_via(b"SIP/2.0/TLS 198.51.100.7:5090;branch=z9hG4bKx;alias")
    aliases = Aliases()
    aliases.offered(flow, via, ACCESS)
    assert len(aliases) == 0
    aliases.offered(flow, via, CORE)
    assert len(aliases) == 1


def test_an_offer_ends_with_its_connection() -> None:
    """The next call makes its own."""
    made, flow = offering("TLS", NAME)
    made.core.closed(flow, made.now)
    assert called(made) == [Flow("TLS", FAR, CARRIER, 0, (NAME,))]


@pytest.mark.parametrize("how", ["refused", "undelivered", "closed"])
def test_a_call_is_not_lost_with_the_connection_that_was_offered(how: str) -> None:
    """It goes over one of ours, at once, and so do those after it."""
    made, flow = offering("TLS", NAME)
    if how == "refused":
        made.gone.add(9)
        assert called(made) == [Flow("TLS", FAR, CARRIER, 0, (NAME,))]
    else:
        assert called(made) == [flow]
        if how == "undelivered":
            made.core.undelivered(flow, made.sent[-1][1], made.now)
        else:
            made.core.closed(flow, made.now)
            made.wait(0.1)
        assert made.sent_over[-1] == Flow("TLS", FAR, CARRIER, 0, (NAME,))
        assert made.sent[-1][1] == made.sent[-2][1]
    ladder = Ladder(made) >> carrier("TLS").answer(made.sent[-1][1], 200)
    assert [data[:11] for _, data in ladder.left] == [b"SIP/2.0 200"]
    assert len(made.core.aliases) == 0


def test_an_ack_is_not_lost_with_it_either() -> None:
    """Nobody asks for an ACK again."""
    made, flow = offering("TLS", NAME)
    alice, gateway = phone("UDP"), carrier("TLS")
    gateway.address = FROM
    ladder, invite = Ladder(made), alice.invite(uri=INVITE)
    ladder >> invite << Sent(alice, 100) << Sent(gateway, b"INVITE")
    ladder >> gateway.answer(ladder[b"INVITE"], 200) << Sent(alice, 200)
    made.gone.add(9)
    ack = alice.within(b"ACK", ladder[200], own=invite, cseq=1, branch=b"z9hG4bKa")
    assert ladder >> ack << Sent(carrier("TLS"), b"ACK") << Silence()
    assert made.sent_over[-1] == Flow("TLS", FAR, CARRIER, 0, (NAME,))
    assert flow.connection == 9


def test_a_silent_connection_is_not_asked_again() -> None:
    """The target is remembered by its configured address, not by the port that it came from."""
    made, _ = offering("TLS", NAME)
    called(made)
    made.wait(40)
    assert len(made.core.aliases) == 0
    assert FROM not in made.core.outages.marks


def test_offers_are_bounded() -> None:
    """The oldest leaves first."""
    aliases = Aliases()
    for port in range(1, MAX_ALIASES + 2):
        via = parse_via(b"SIP/2.0/TLS 198.51.100.7:%d;branch=z9hG4bKx;alias" % port)
        aliases.offered(Flow("TLS", FAR, FROM, port, (NAME,)), via, CORE)
    assert len(aliases) == MAX_ALIASES


def test_other_workers_are_told_of_what_is_new() -> None:
    """Once each, with what makes them find it; and what ends with a worker is no offer any more."""
    ours, theirs = Aliases(), Aliases()
    told: list[tuple[Flow, int]] = []
    ours.tell = lambda flow, port: told.append((flow, port))
    flow = Flow("TLS", FAR, FROM, (1 << 32) + 9, (NAME,))
    via = parse_via(b"SIP/2.0/TLS 198.51.100.7:5090;branch=z9hG4bKx;alias")
    for _ in range(3):
        ours.offered(flow, via, CORE)
    assert told == [(flow, 5090)]
    assert theirs.learn(*told[0])
    assert ours.offers() == theirs.offers() == {flow: 5090}
    own = theirs.own(flow)
    theirs.worker_ended(2)
    assert len(theirs) == 1
    theirs.worker_ended(1)
    assert (len(theirs), theirs.own(flow)) == (0, own)
