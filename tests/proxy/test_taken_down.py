"""The BYE of a call that may not stay up, at a trunk that asks for a password."""

from __future__ import annotations

from tests.agents import ALICE, CARRIER, SECOND, read
from tests.ladder import Ladder, Sent, Silence, Wait
from tests.passwords import ask, is_right, told, world
from tests.proxy.test_handle_response import BROKEN, SDP
from tests.world import World

INVITE = ALICE.invite()


def taken_down(there: World | None = None) -> Ladder:
    """A call whose 2xx could not be passed on."""
    ladder = Ladder(there or world()) >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    answer = CARRIER.answer(ladder[b"INVITE"], 200, headers=SDP, body=BROKEN, routes=(b"sip:198.51.100.17;lr",))
    ladder = ladder >> answer << Sent(CARRIER, b"ACK") << Sent(CARRIER, b"BYE") << Sent(ALICE, 500)
    return ladder >> ALICE.ack_failure(INVITE, ladder[500])


def test_a_challenge_is_answered() -> None:
    ladder = taken_down()
    first = read(ladder[b"BYE"])
    ladder = ladder >> ask(CARRIER, ladder[b"BYE"]) << Sent(CARRIER, b"BYE") << Silence()
    assert is_right(ladder[b"BYE"])
    again = read(ladder[b"BYE"])
    assert again.cseq == first.cseq + 1
    assert again.via.branch != first.via.branch
    same = (b"from", b"to", b"call-id", b"route")
    assert [again.values(name) for name in same] == [first.values(name) for name in same]
    assert again.uri == first.uri
    assert ladder >> CARRIER.answer(ladder[b"BYE"], 200) >> Wait(40) << Silence()


def test_a_nonce_that_is_too_old_is_answered_too_and_a_wrong_password_is_not() -> None:
    ladder = taken_down() >> (lambda it: ask(CARRIER, it[b"BYE"])) << Sent(CARRIER, b"BYE")
    ladder = ladder >> ask(CARRIER, ladder[b"BYE"], b"n2", b"stale=true") << Sent(CARRIER, b"BYE")
    assert told(ladder[b"BYE"])[b"nonce"] == b"n2"
    assert ladder >> ask(CARRIER, ladder[b"BYE"], b"n3") << Silence()


def test_who_asks_for_ever_is_answered_thrice() -> None:
    ladder = taken_down()
    for number in range(3):
        ladder = ladder >> ask(CARRIER, ladder[b"BYE"], b"n%d" % number, b"stale=true") << Sent(CARRIER, b"BYE")
    assert ladder >> ask(CARRIER, ladder[b"BYE"], b"last", b"stale=true") << Silence()


def test_a_stranger_s_challenge_is_none() -> None:
    """Nor does it end the transaction: what the trunk says counts."""
    ladder = taken_down()
    assert ladder >> ask(SECOND, ladder[b"BYE"]) << Silence()
    assert ladder >> ask(CARRIER, ladder[b"BYE"]) << Sent(CARRIER, b"BYE")


def test_without_a_password_that_is_all() -> None:
    ladder = taken_down(World())
    assert ladder >> ask(CARRIER, ladder[b"BYE"]) >> Wait(1) << Silence()
