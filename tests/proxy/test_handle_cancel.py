"""CANCEL at any moment (RFC 3261 §9.2, §16.10)."""

from __future__ import annotations

from proxy.location import plain
from tests.agents import ALICE, CARRIER, read
from tests.ladder import Ladder, Sent, Silence, Wait
from tests.world import World, settings

INVITE = ALICE.invite()


def called() -> Ladder:
    """A call that has not been answered."""
    return Ladder() >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_cancel_while_ringing() -> None:
    """200 to the CANCEL at once, CANCEL onward, 487 back from the far side."""
    ladder = called()
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    ladder = ladder >> ALICE.cancel(INVITE) << Sent(ALICE, 200) << Sent(CARRIER, b"CANCEL")
    ladder = ladder >> CARRIER.answer(ladder[b"CANCEL"], 200) << Silence()
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 487) << Sent(CARRIER, b"ACK") << Sent(ALICE, 487)
    assert ladder >> ALICE.ack_failure(INVITE, ladder[487]) << Silence()


def test_cancel_repeats_what_the_invite_said() -> None:
    """§9.1: Request-URI, Call-ID, From, To, CSeq number and the single Via of the INVITE that went out."""
    ladder = called()
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    ladder = ladder >> ALICE.cancel(INVITE) << Sent(ALICE, 200) << Sent(CARRIER, b"CANCEL")
    sent, cancel = read(ladder[b"INVITE"]), read(ladder[b"CANCEL"])
    assert (cancel.uri, cancel.call_id, cancel.from_, cancel.to, cancel.cseq) == (
        sent.uri, sent.call_id, sent.from_, sent.to, sent.cseq,
    )  # fmt: skip
    assert cancel.values(b"via") == sent.values(b"via")[:1]
    assert ladder


def test_cancel_before_any_response_waits() -> None:
    """§9.1: the CANCEL goes out when the first provisional response comes."""
    ladder = called() >> ALICE.cancel(INVITE) << Sent(ALICE, 200) << Silence()
    assert ladder >> CARRIER.answer(ladder[b"INVITE"], 100) << Sent(CARRIER, b"CANCEL")


def test_cancel_crosses_the_answer() -> None:
    """A 2xx that was on its way goes back all the same."""
    ladder = called()
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    ladder = ladder >> ALICE.cancel(INVITE) << Sent(ALICE, 200) << Sent(CARRIER, b"CANCEL")
    assert ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)


def test_cancel_after_the_answer_changes_nothing() -> None:
    """§9.2: no effect once a final response was sent."""
    ladder = called()
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    assert ladder >> ALICE.cancel(INVITE) << Sent(ALICE, 200) << Silence()


def test_cancel_of_nothing_gets_481() -> None:
    """design.md §5: a CANCEL that matches nothing is answered, not forwarded."""
    assert Ladder() >> ALICE.cancel(INVITE) << Sent(ALICE, 481)


def test_a_repeated_cancel_gets_the_same_answer() -> None:
    """It has a server transaction of its own."""
    ladder = called() >> ALICE.cancel(INVITE) << Sent(ALICE, 200)
    assert ladder >> ALICE.cancel(INVITE) << Sent(ALICE, 200)


def test_a_far_side_that_ignores_the_cancel_does_not_hold_the_caller() -> None:
    """§9.1: after 64*T1 the INVITE counts as cancelled."""
    ladder = called()
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    ladder = ladder >> ALICE.cancel(INVITE) << Sent(ALICE, 200) << Sent(CARRIER, b"CANCEL")
    ladder = ladder >> CARRIER.answer(ladder[b"CANCEL"], 200) >> Wait(31) << Silence()
    assert ladder >> Wait(1.2) << Sent(ALICE, 487)


def test_the_cause_of_a_reason_passes_its_text_does_not() -> None:
    """RFC 3326: protocol and cause are function, the text is room for anything."""
    ladder = called()
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    cancel = ALICE.cancel(INVITE, headers=(b'Reason: SIP;cause=200;text="alice took it in Lisbon"',))
    ladder = ladder >> cancel << Sent(ALICE, 200) << Sent(CARRIER, b"CANCEL")
    assert read(ladder[b"CANCEL"]).value(b"reason") == b"SIP;cause=200"
    assert ladder


def test_cancel_while_parked_voids_the_look_up() -> None:
    """design.md §5: a CANCEL answers 487 and voids the resume."""
    trunk = {"name": "named", "hosts": ["sip.carrier.example"], "networks": ["198.51.100.7"], "listener": "main"}
    world = World(settings(trunks=[trunk], routes=[{"to": ["named"]}]))
    ladder = Ladder(world) >> INVITE << Sent(ALICE, 100)
    assert world.lookups == [(1, "sip.carrier.example", 0)]
    ladder = ladder >> ALICE.cancel(INVITE) << Sent(ALICE, 200) << Sent(ALICE, 487)
    world.core.resume(1, plain(["198.51.100.7"]), world.now)
    assert ladder << Silence()
    assert len(world.sent) == 3, "nothing went to the trunk"
