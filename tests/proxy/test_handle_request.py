"""RFC 3261 §16.3 to §16.6: what becomes of new requests."""

from __future__ import annotations

import pytest

from tests.agents import ALICE, CARRIER, PBX, SECOND, STRANGER, Agent, read
from tests.ladder import Ladder, Sent, Silence, Wait
from tests.world import OTHER_PHONE, World, settings


def test_a_call_is_set_up_and_ended() -> None:
    """The ladder of RFC 3665 §3.2, with 100 at once (§17.2.1)."""
    ladder = Ladder() >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert (
        ladder
        >> (lambda one: CARRIER.answer(one[b"INVITE"], 180))
        << Sent(ALICE, 180)
        >> (lambda one: CARRIER.answer(one[b"INVITE"], 200))
        << Sent(ALICE, 200)
        >> (lambda one: ALICE.within(b"ACK", one[200], cseq=1))
        << Sent(CARRIER, b"ACK")
        >> (lambda one: ALICE.within(b"BYE", one[200]))
        << Sent(CARRIER, b"BYE")
        >> (lambda one: CARRIER.answer(one[b"BYE"], 200))
        << Sent(ALICE, 200)
    )


def test_retransmitted_invite_is_absorbed() -> None:
    """A second copy of an INVITE re-sends the last response and goes no further (§17.2.1)."""
    assert (
        Ladder()
        >> ALICE.invite()
        << Sent(ALICE, 100)
        << Sent(CARRIER, b"INVITE")
        >> ALICE.invite()
        << Sent(ALICE, 100)
        >> (lambda one: CARRIER.answer(one[b"INVITE"], 180))
        << Sent(ALICE, 180)
        >> ALICE.invite()
        << Sent(ALICE, 180)
    )


def test_retransmitted_response_is_byte_identical() -> None:
    """What is sent again is what was sent first, from stored bytes."""
    ladder = Ladder() >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 486) << Sent(CARRIER, b"ACK") << Sent(ALICE, 486)
    first = ladder[486]
    assert ladder >> ALICE.invite() << Sent(ALICE, 486)
    assert ladder[486] == first


def test_strangers_get_silence() -> None:
    """A source outside the configured networks reaches no hop and gets no answer."""
    ladder = Ladder()
    assert ladder >> STRANGER.invite() << Silence()
    assert ladder.world.count("dropped", "unknown-source") == 1


@pytest.mark.parametrize("garbage", [b"", b"\r\n\r\n", b"\0\0\0\0\0\0", b"\r\n", b"xx"])
def test_keepalives_are_dropped(garbage: bytes) -> None:
    """RFC 5626 §5.4: no pong over UDP; NULs and lone line ends come from many clients."""
    world = World()
    assert world.receive(ALICE.address, garbage) == []
    assert world.count("dropped", "keepalive") == 1


def test_max_forwards_is_counted_down_and_ends() -> None:
    """§16.3 item 3 and §16.6 item 3."""
    ladder = Ladder() >> ALICE.invite(max_forwards=1) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert read(ladder[b"INVITE"]).value(b"max-forwards") == b"0"
    assert Ladder() >> ALICE.invite(max_forwards=0) << Sent(ALICE, 483)


def test_unknown_proxy_require_is_refused() -> None:
    """§16.3 item 5: 420 names what we do not know; `privacy` we do (RFC 3323 §4.2)."""
    ladder = Ladder() >> ALICE.invite(headers=(b"Proxy-Require: privacy, foo",)) << Sent(ALICE, 420)
    assert read(ladder[420]).value(b"unsupported") == b"foo"
    assert ladder
    fine = Ladder() >> ALICE.invite(headers=(b"Proxy-Require: privacy",))
    assert fine << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert b"proxy-require" not in read(fine[b"INVITE"]).index


def test_a_loop_is_found() -> None:
    """RFC 5393 §4.2: the same Request-URI from the same side under a Via of ours is a loop."""
    ladder = Ladder() >> PBX.invite() << Sent(PBX, 100) << Sent(CARRIER, b"INVITE")
    ours = read(ladder[b"INVITE"]).value(b"via")
    assert ours is not None
    again = PBX.invite(branch=b"z9hG4bKtwo", headers=(b"Via: " + ours,))
    assert ladder >> again << Sent(PBX, 482)


def test_checks_come_in_the_order_of_the_rfc() -> None:
    """§16.3: hops before loops, loops before Proxy-Require."""
    ladder = Ladder() >> PBX.invite() << Sent(PBX, 100) << Sent(CARRIER, b"INVITE")
    ours = read(ladder[b"INVITE"]).value(b"via")
    assert ours is not None
    headers = (b"Via: " + ours, b"Proxy-Require: foo")
    assert ladder >> PBX.invite(branch=b"z9hG4bKtwo", headers=headers) << Sent(PBX, 482)
    assert ladder >> PBX.invite(branch=b"z9hG4bKthree", headers=headers, max_forwards=0) << Sent(PBX, 483)


def test_a_spiral_is_no_loop() -> None:
    """The same request towards another Request-URI goes on (RFC 5393 §4.2.2)."""
    ladder = Ladder() >> PBX.invite() << Sent(PBX, 100) << Sent(CARRIER, b"INVITE")
    ours = read(ladder[b"INVITE"]).value(b"via")
    assert ours is not None
    other = PBX.invite(branch=b"z9hG4bKtwo", uri=b"sip:+15550199@192.0.2.1", headers=(b"Via: " + ours,))
    assert ladder >> other << Sent(PBX, 100) << Sent(CARRIER, b"INVITE")


def test_max_breadth_is_divided_and_ends() -> None:
    """RFC 5393 §5.3.3: the sum over branches is what came; one branch more than that is 440."""
    fork = ALICE.invite(uri=b"sip:9000@192.0.2.1", headers=(b"Max-Breadth: 5",))
    ladder = Ladder() >> fork << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    first = read(ladder[b"INVITE"]).value(b"max-breadth")
    ladder = ladder << Sent(SECOND, b"INVITE")
    assert [first, read(ladder[b"INVITE"]).value(b"max-breadth")] == [b"3", b"2"]
    assert Ladder() >> ALICE.invite(uri=b"sip:9000@192.0.2.1", headers=(b"Max-Breadth: 1",)) << Sent(ALICE, 440)


def test_requests_without_a_route_are_refused() -> None:
    """§16.5: no targets."""
    nowhere = World(settings(routes=[]))
    assert Ladder(nowhere) >> ALICE.invite() << Sent(ALICE, 404)


@pytest.mark.parametrize("header", [b"Record-Route: <sip:evil@10.1.1.23;lr>", b"Path: <sip:10.1.1.23;lr>",
                                    b"Route: <sip:203.0.113.5;lr>"])  # fmt: skip
def test_phones_may_not_write_routes(header: bytes) -> None:
    """dialogs.md: Record-Route, Path and Route from access are refused."""
    assert Ladder() >> ALICE.invite(headers=(header,)) << Sent(ALICE, 403)


def test_an_edge_proxy_may_write_routes() -> None:
    """dialogs.md: unless the source is a configured edge proxy."""
    edge = Agent(("10.9.9.9", 5060), b"edge")
    ladder = Ladder() >> edge.invite(headers=(b"Record-Route: <sip:10.9.9.9;lr>",))
    assert ladder << Sent(edge, 100) << Sent(CARRIER, b"INVITE")


def test_our_own_empty_route_is_taken_off() -> None:
    """§16.4: a phone with Sipveil as outbound proxy puts us on top."""
    ladder = Ladder() >> ALICE.invite(headers=(b"Route: <sip:192.0.2.1;lr>",)) << Sent(ALICE, 100)
    assert ladder << Sent(CARRIER, b"INVITE")
    assert b"route" not in read(ladder[b"INVITE"]).index


def test_a_slow_non_invite_gets_100_when_timer_e_has_reached_t2() -> None:
    """RFC 4320 §4.1: not before, and then it must."""
    ladder = Ladder() >> ALICE.request(b"MESSAGE", uri=b"sip:8@192.0.2.1") << Sent(PBX, b"MESSAGE") >> Wait(3.4)
    ladder = ladder << Sent(PBX, b"MESSAGE") << Sent(PBX, b"MESSAGE")
    assert ladder << Silence()
    assert ladder >> Wait(0.3) << Sent(ALICE, 100) << Sent(PBX, b"MESSAGE")


def test_a_non_invite_that_nobody_answers_gets_no_408() -> None:
    """RFC 4320 §4.2: 408 to a non-INVITE is never sent; and nothing of it stays behind."""
    ladder = Ladder() >> ALICE.request(b"OPTIONS", uri=b"sip:8@192.0.2.1") >> Wait(40)
    statuses = {read(data).status for address, data in ladder.left if address == ALICE.address}
    assert statuses == {100}
    assert ladder.world.core.gauges().items() >= {
        "sipveil_server_transactions": 0, "sipveil_client_transactions": 0, "sipveil_parked_requests": 0,
    }.items()  # fmt: skip


def test_too_many_transactions_are_refused_cheaply() -> None:
    """A full table answers 503 with Retry-After and keeps nothing; an emergency call still goes through."""
    world = World(settings(limits={"transactions": 100}))
    for number in range(100):
        world.receive(ALICE.address, ALICE.invite(branch=b"z9hG4bK%d" % number, call_id=b"c%d" % number).data)
    ladder = Ladder(world) >> ALICE.invite(branch=b"z9hG4bKmore") << Sent(ALICE, 503)
    assert read(ladder[503]).value(b"retry-after")
    assert ladder
    assert len(world.receive(ALICE.address, ALICE.invite(uri=b"urn:service:sos", branch=b"z9hG4bKsos").data)) == 2


def test_without_rport_responses_go_to_sent_by() -> None:
    """§18.2.2: received address, sent-by port."""
    world = World()
    plain = ALICE.invite(rport=False)
    sent = world.receive((ALICE.address[0], 33333), plain.data)
    assert sent[0][0] == ALICE.address
    assert b";received=10.1.1.23" not in sent[0][1]


def test_a_via_port_of_somebody_else_is_not_obeyed() -> None:
    """A Via chooses no next hop: sent-by that belongs to another side on the same address is ignored."""
    phones = {"networks": ["127.0.0.1"], "listener": "main"}
    trunk = {"name": "carrier", "hosts": ["127.0.0.1:5080"], "listener": "main"}
    world = World(settings(access=phones, trunks=[trunk], core=None, routes=[{"to": ["carrier"]}]))
    liar = Agent(("127.0.0.1", 5080), b"liar")
    sent = world.receive(("127.0.0.1", 5070), liar.invite(rport=False).data)
    assert [address for address, data in sent if read(data).status] == [("127.0.0.1", 5070)]


def test_the_core_reaches_a_phone_by_its_address() -> None:
    """§16.5: not our domain, so the Request-URI itself, if it is a literal address of the access zone."""
    phone = Agent(OTHER_PHONE, b"bob")
    assert Ladder() >> PBX.invite(uri=b"sip:bob@10.1.1.99") << Sent(PBX, 100) << Sent(phone, b"INVITE")
    assert Ladder() >> PBX.invite(uri=b"sip:bob@203.0.113.77") << Sent(PBX, 403)


def test_a_raising_decision_fails_closed() -> None:
    """A filter that raises: 500, counted, nothing forwarded."""
    world = World()

    def fail(*_: object) -> int:
        raise RuntimeError("secret")

    world.privacy.decide = fail
    assert Ladder(world) >> ALICE.invite() << Sent(ALICE, 500)
    assert world.count("failed_closed", "request") == 1
    assert not any("secret" in each for event in world.events for each in (event.call, event.peer, event.detail))
