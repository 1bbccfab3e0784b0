"""ACK: for a refusal absorbed, for an answer passed on, never answered (RFC 3261 §13.2.2.4, §17.1.1.3)."""

from __future__ import annotations

from proxy.location import plain
from tests.agents import ALICE, CARRIER, Packet, read
from tests.ladder import Ladder, Sent, Silence, Wait
from tests.world import World, settings

INVITE = ALICE.invite()


def test_ack_of_a_refusal_is_absorbed_and_ours_goes_out() -> None:
    """§17.1.1.3: ours has the branch, Request-URI and Route of our INVITE and the To of the response."""
    ladder = Ladder() >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 486, tag=b"busy") << Sent(CARRIER, b"ACK") << Sent(ALICE, 486)
    sent, ack = read(ladder[b"INVITE"]), read(ladder[b"ACK"])
    assert (ack.via.branch, ack.uri, ack.to_tag, ack.call_id) == (sent.via.branch, sent.uri, b"busy", sent.call_id)
    assert ladder >> ALICE.ack_failure(INVITE, ladder[486]) << Silence()
    assert ladder >> ALICE.ack_failure(INVITE, ladder[486]) << Silence()


def test_a_refusal_is_repeated_until_the_ack_comes() -> None:
    """Timers G and H (§17.2.1)."""
    ladder = Ladder() >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 486) << Sent(CARRIER, b"ACK") << Sent(ALICE, 486)
    ladder = ladder >> Wait(0.6) << Sent(ALICE, 486) >> Wait(1.1) << Sent(ALICE, 486)
    assert ladder >> ALICE.ack_failure(INVITE, ladder[486]) >> Wait(40) << Silence()


def test_a_repeated_refusal_is_acknowledged_again() -> None:
    """§17.1.1.2, state Completed: and not passed on."""
    ladder = Ladder() >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    busy = CARRIER.answer(ladder[b"INVITE"], 486)
    ladder = ladder >> busy << Sent(CARRIER, b"ACK") << Sent(ALICE, 486)
    first = ladder[b"ACK"]
    assert ladder >> busy << Sent(CARRIER, b"ACK") << Silence()
    assert ladder[b"ACK"] == first


def test_ack_of_an_answer_is_passed_on_each_time() -> None:
    """It is end to end: a lost one is repeated by the caller, under our same branch."""
    ladder = Ladder() >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    ack = ALICE.within(b"ACK", ladder[200], cseq=1)
    ladder = ladder >> ack << Sent(CARRIER, b"ACK")
    first = ladder[b"ACK"]
    assert ladder >> ack << Sent(CARRIER, b"ACK")
    assert ladder[b"ACK"] == first


def test_ack_without_dialog_is_dropped() -> None:
    """dialogs.md: an ACK without a valid token is dropped; an ACK never gets an answer."""
    ladder = Ladder()
    assert ladder >> ALICE.request(b"ACK") << Silence()
    forged = ALICE.request(b"ACK").data.replace(b"To: <sip:+15550100@192.0.2.1>", b"To: <sip:1@192.0.2.1>;tag=x")
    assert ladder >> Packet(ALICE.address, forged) << Silence()
    assert ladder.world.count("dropped", "ack-without-dialog") == 2
    assert ladder >> Packet(ALICE.address, b"ACK sip:x SIP/2.0\r\nVia: SIP/2.0/UDP x\r\n\r\n") << Silence()


def test_ack_whose_plan_fails_goes_out_bare() -> None:
    """design.md §2: a minimal message from record and transaction, without body."""
    ladder = Ladder() >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    headers = (b"User-Agent: Secret/1", b"RAck: 1 1 secret", b"Content-Type: application/sdp")
    ack = ALICE.within(b"ACK", ladder[200], cseq=1, headers=headers, body=b"this is no sdp: secret")
    ladder = ladder >> ack << Sent(CARRIER, b"ACK")
    assert b"ecret" not in ladder[b"ACK"]
    assert read(ladder[b"ACK"]).body == b""
    assert ladder.world.count("failed_closed", "ack") == 1
    assert ladder


def test_ack_parks_without_transaction() -> None:
    """design.md §5: it waits for the look-up, bounded, and goes on when it ends."""
    trunk = {
        "name": "named",
        "hosts": ["sip.carrier.example:5060"],
        "networks": ["198.51.100.0/24"],
        "listener": "main",
    }
    world = World(settings(trunks=[trunk], routes=[{"to": ["named"]}], limits={"parked": 1}))
    ladder = Ladder(world) >> INVITE << Sent(ALICE, 100)
    world.core.resume(1, plain(["198.51.100.7"]), world.now)
    ladder.left = world.sent[1:]
    ladder = ladder << Sent(CARRIER, b"INVITE")
    contact = b"<sip:gw@sip.carrier.example:5060>"
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200, contact=contact) << Sent(ALICE, 200)
    ack = ALICE.within(b"ACK", ladder[200], cseq=1)
    ladder = ladder >> ack << Silence()
    ladder = ladder >> ALICE.within(b"ACK", ladder[200], cseq=1, branch=b"z9hG4bKagain") << Silence()
    assert world.count("dropped", "parked-full") == 1
    before = len(world.sent)
    world.core.resume(2, plain(["198.51.100.7"]), world.now)
    assert [read(data).method for _, data in world.sent[before:]] == [b"ACK"]
    assert ladder
