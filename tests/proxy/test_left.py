"""What becomes of an INVITE that a silent target keeps."""

from __future__ import annotations

from tests.agents import ALICE, CARRIER, SECOND
from tests.ladder import Sent, Silence, Wait
from tests.proxy.test_groups import INVITE, called, silent


def test_a_target_that_was_left_and_rings_is_cancelled() -> None:
    """RFC 3261 §9.1; its 487 disturbs nobody, and no phone rings for a call that is elsewhere."""
    ladder = called()
    first = ladder[b"INVITE"]
    ladder = silent(ladder) << Sent(SECOND, b"INVITE")
    ladder = ladder >> CARRIER.answer(first, 180) << Sent(CARRIER, b"CANCEL") << Silence()
    ladder = ladder >> CARRIER.answer(first, 180) >> CARRIER.answer(ladder[b"CANCEL"], 200) << Silence()
    ladder = ladder >> CARRIER.answer(first, 487) << Sent(CARRIER, b"ACK") << Silence()
    assert ladder >> SECOND.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)


def test_a_target_that_was_left_and_answers_is_hung_up_on() -> None:
    """It would be billed otherwise."""
    ladder = called()
    first = ladder[b"INVITE"]
    ladder = silent(ladder) << Sent(SECOND, b"INVITE")
    ladder = ladder >> SECOND.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    answer = CARRIER.answer(first, 200, tag=b"late")
    ladder = ladder >> answer << Sent(CARRIER, b"ACK") << Sent(CARRIER, b"BYE") << Silence()
    assert ladder >> answer << Sent(CARRIER, b"ACK") << Silence()


def test_a_target_that_was_left_is_not_waited_for() -> None:
    """Neither where it stays silent, nor where it rings and forgets its 487."""
    for rings in (False, True):
        ladder = called()
        first = ladder[b"INVITE"]
        ladder = silent(ladder) << Sent(SECOND, b"INVITE")
        ladder = ladder >> SECOND.answer(ladder[b"INVITE"], 486) << Sent(SECOND, b"ACK") << Sent(ALICE, 486)
        ladder = ladder >> ALICE.ack_failure(INVITE, ladder[486])
        if rings:
            ladder = ladder >> CARRIER.answer(first, 183) << Sent(CARRIER, b"CANCEL")
            ladder = ladder >> CARRIER.answer(ladder[b"CANCEL"], 200)
        ladder = ladder >> Wait(70)
        assert not ladder.world.core.clients
