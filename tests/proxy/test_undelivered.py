"""Messages that never left: requests fail at once, everything else is nobody's loss."""

from __future__ import annotations

import pytest

from proxy.flow import Flow
from tests import world as w
from tests.agents import ALICE, CARRIER, SECOND
from tests.ladder import Ladder, Sent, Silence
from tests.proxy.test_transports import FAR, NEAR, PHONE, carrier, flow_of, phone, world
from tests.world import PROXY, World, settings

INVITE = b"sip:+15550100@192.0.2.1:5070"

TO_TRUNK = Flow("UDP", PROXY, CARRIER.address)


def undelivered(ladder: Ladder, flow: Flow, data: bytes) -> Ladder:
    """Tell the core that a message never left."""
    before = len(ladder.world.sent)
    ladder.world.core.undelivered(flow, data, ladder.world.now)
    ladder.left += ladder.world.sent[before:]
    return ladder


def test_a_request_that_never_left_is_answered_at_once() -> None:
    """RFC 3261 §17.1.4: a transport error, as 503, which goes back as 500 (§16.7 item 6)."""
    ladder = Ladder() >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert undelivered(ladder, TO_TRUNK, ladder[b"INVITE"]) << Sent(ALICE, 500)


def test_the_next_host_is_tried() -> None:
    """RFC 3263 §4.3: what could not be sent to one goes to the next."""
    carrier, *others = w.SETTINGS["trunks"]
    both = {**carrier, "hosts": ["198.51.100.7:5060", "198.51.100.20:5060"]}
    ladder = Ladder(World(settings(trunks=[both, *others])))
    ladder >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    undelivered(ladder, TO_TRUNK, ladder[b"INVITE"])
    address, data = ladder.left.pop()
    assert address == ("198.51.100.20", 5060)
    assert data.startswith(b"INVITE ")


def test_who_has_answered_was_there() -> None:
    """A copy that got lost after a 180 ends no call."""
    ladder = Ladder() >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    assert undelivered(ladder, TO_TRUNK, ladder[b"INVITE"]) << Silence()
    assert ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)


@pytest.mark.parametrize(
    "data", [b"", b"\r\n\r\n", b"ACK sip:a@b SIP/2.0\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n", b"x" * 99]
)
def test_anything_else_is_nobodys_loss(data: bytes) -> None:
    """Whatever the transport gives back, nothing raises and nothing is sent."""
    assert undelivered(Ladder(), TO_TRUNK, data) << Silence()


def test_only_where_it_went() -> None:
    """A message that was for somebody else fails nothing."""
    ladder = Ladder() >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert undelivered(ladder, Flow("UDP", PROXY, SECOND.address), ladder[b"INVITE"]) << Silence()


# Responses (RFC 3261 §18.2.2)


def test_a_response_whose_connection_is_gone_goes_over_a_new_one() -> None:
    """To the source's address with the port of its Via; a 200 that is repeated too."""
    made, alice, gateway = world("TCP", "UDP"), phone("TCP"), carrier("UDP")
    ladder = Ladder(made) >> alice.invite(uri=INVITE) << Sent(alice, 100) << Sent(gateway, b"INVITE")
    made.close(flow_of(alice, "TCP", 7))
    for _ in range(2):
        ladder >> gateway.answer(ladder[b"INVITE"], 200) << Sent(alice, 200)
        assert made.sent_over[-1] == Flow("TCP", NEAR, PHONE)


@pytest.mark.parametrize("transport", ["TLS", "WS", "WSS"])
def test_nobody_connects_to_a_phone_without_a_certificate_or_to_a_browser(transport: str) -> None:
    """The response is lost, and the call goes on as if the network had lost it."""
    made, alice, gateway = world(transport, "UDP"), phone(transport), carrier("UDP")
    ladder = Ladder(made) >> alice.invite(uri=INVITE) << Sent(alice, 100) << Sent(gateway, b"INVITE")
    made.close(flow_of(alice, transport, 7))
    assert ladder >> gateway.answer(ladder[b"INVITE"], 200) << Silence()
    assert made.count("dropped", "undelivered") == 1


def test_a_trunk_is_called_by_its_name() -> None:
    """What answers must show the trunk's certificate (RFC 5922)."""
    made, gateway = world("UDP", "TLS"), carrier("TLS")
    made.flows[gateway.address] = Flow("TLS", FAR, ("198.51.100.7", 41000), 8)
    options = gateway.request(b"OPTIONS", uri=b"sip:nobody@192.0.2.2", max_forwards=0)
    made.gone.add(8)
    made.receive(*options)
    sent = [flow for flow in made.sent_over if flow.transport == "TLS"]
    assert sent
    assert set(sent) == {Flow("TLS", FAR, ("198.51.100.7", 5090), 0, ("sip.carrier.example",))}


@pytest.mark.parametrize("sent_by", [b"10.1.1.23:5070", b"203.0.113.66:40001", b"pbx.example:9"])
def test_a_via_chooses_no_other_party(sent_by: bytes) -> None:
    """The host is where the request came from; a port that is somebody else's there gets nothing."""
    core = {"networks": ["203.0.113.5"], "listener": "inside", "next_hop": "10.1.1.23:5070"}
    made, alice = world("TCP", "UDP", core=core), phone("TCP")
    alice.sent_by = sent_by
    made.gone.add(7)
    made.receive(*alice.request(b"OPTIONS", uri=b"sip:1@192.0.2.1", max_forwards=0))
    expected = [] if sent_by.endswith(b":5070") else [("10.1.1.23", int(sent_by.rpartition(b":")[2]))]
    assert [peer for peer, _ in made.sent] == expected


@pytest.mark.parametrize(
    "via", [b"", b"Via: ", b"Via: x", b"Via: SIP/2.0/TCP [::1", b"Via: SIP/2.0/TCP a:99999", b"\xff"]
)
def test_a_response_that_cannot_be_read_is_lost(via: bytes) -> None:
    """Never a traceback."""
    made = world("TCP", "UDP")
    made.gone.add(7)
    data = b"SIP/2.0 200 OK\r\n" + via + b"\r\n\r\n"
    made.core.undelivered(flow_of(phone("TCP"), "TCP", 7), data, made.now)
    assert made.sent == []


def test_what_a_new_connection_does_not_deliver_either_is_lost() -> None:
    """No circle: once is enough."""
    made, alice = world("TCP", "UDP"), phone("TCP")
    made.gone.add(7)
    made.receive(*alice.request(b"OPTIONS", uri=b"sip:1@192.0.2.1", max_forwards=0))
    (flow,) = made.sent_over
    assert flow.connection == 0
    made.core.undelivered(flow, made.sent[0][1], made.now)
    assert len(made.sent) == 1
    assert made.count("dropped", "undelivered") == 1


def test_a_refusal_under_overload_is_given_back_too() -> None:
    """`core.give_back` is the one way for responses."""
    made, alice = world("TCP", "UDP"), phone("TCP")
    made.gone.add(7)
    made.receive(PHONE, b"OPTIONS sip:1@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.1.1.23:40001;branch=z9hG4bKx\r\n\r\n")
    assert [(peer, data[:12]) for peer, data in made.sent] == [(PHONE, b"SIP/2.0 400 ")]
    assert alice
