"""Which of the answers of a branch's targets its caller hears, in groups that lose patience."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.best_response import Tried, better, rank
from tests.agents import ALICE, CARRIER, SECOND, Packet, read
from tests.ladder import Ladder, Sent, Silence, Wait
from tests.passwords import ACCOUNTS, CREDENTIALS, ask
from tests.proxy.test_groups import INVITE, THIRD, called, refuse, silent

SAID = read(b"SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\nFrom: <sip:a@a.example>;tag=1\r\n"
            b"To: <sip:b@b.example>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n")  # fmt: skip


def tried(status: int, *, said: bool = True) -> Tried:
    response = SAID if said else None
    nothing: Any = None
    return Tried(status, response, nothing, nothing)


@pytest.mark.parametrize(
    ("one", "other", "best"),
    [
        (tried(503), tried(408, said=False), 503),
        (tried(408, said=False), tried(503), 503),
        (tried(503), tried(415, said=False), 415),
        (tried(486), tried(503), 486),
        (tried(486), tried(603), 603),
        (tried(408, said=False), tried(503, said=False), 503),
        (tried(503, said=False), tried(408, said=False), 408),
        (tried(404), tried(420, said=False), 420),
        (tried(404), tried(404, said=False), 404),
    ],
)
def test_the_better_of_two(one: Tried, other: Tried, best: int) -> None:
    assert better(one, other).status == best


def test_the_later_of_equals_counts_and_the_first_needs_no_other() -> None:
    first, second = tried(503), tried(503)
    assert better(first, second) is second
    assert better(None, first) is first


def test_ranks_are_those_of_the_rfc() -> None:
    order = [(603, False), (407, False), (404, False), (404, True), (500, False)]
    assert sorted(order, key=lambda each: rank(each[0], is_ours=each[1])) == order


def end(ladder: Ladder) -> int:
    """Return what alice hears in the end."""
    (status,) = {read(data).status for address, data in ladder.left if address == ALICE.address}
    return status


def test_a_group_that_lost_patience_says_what_others_have_said() -> None:
    """503 of the first, silence of the second, no way to the third: not 408, which nobody has said."""
    ladder = refuse(called(), CARRIER) << Sent(SECOND, b"INVITE")
    ladder.world.refuse_send.add(THIRD.address)
    ladder = ladder >> Wait(6)
    assert end(ladder) == 500


def test_what_a_contract_refuses_is_better_than_a_silence() -> None:
    """The last one may not have the body: the caller is told what to do without."""
    changes: dict[str, Any] = {"trunks": {"third": {"refuse_bodies": True}}}
    body = ALICE.invite(headers=(b"Content-Type: text/plain",), body=b"secret")
    ladder = called({"trunk": "carrier"}, {"trunk": "third", "priority": 2}, invite=body, **changes)
    ladder = ladder >> Wait(6)
    assert end(ladder) == 415


def left_alone(**changes: Any) -> tuple[Ladder, bytes]:
    """A call that the second one has, after the first one was silent."""
    ladder = called({"trunk": "carrier"}, {"trunk": "second", "priority": 2}, **changes)
    first = ladder[b"INVITE"]
    return silent(ladder) << Sent(SECOND, b"INVITE"), first


def late(ladder: Ladder, first: bytes, status: int, **how: Any) -> Packet:
    return CARRIER.answer(first, status, **how)


def test_a_late_refusal_counts() -> None:
    """It is edited as that trunk's: its own tag and Call-ID come back."""
    ladder, first = left_alone()
    ladder = ladder >> late(ladder, first, 486, tag=b"busy") << Sent(CARRIER, b"ACK") << Silence()
    ladder = ladder >> SECOND.answer(ladder[b"INVITE"], 503) << Sent(SECOND, b"ACK") << Sent(ALICE, 486)
    answer, asked = read(ladder[486]), read(INVITE.data)
    assert (answer.call_id, answer.from_tag, answer.cseq) == (asked.call_id, asked.from_tag, asked.cseq)


def test_a_late_refusal_is_no_better_than_a_call() -> None:
    ladder, first = left_alone()
    ladder = ladder >> late(ladder, first, 603) << Sent(CARRIER, b"ACK") << Silence()
    assert ladder >> SECOND.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)


def test_a_late_487_that_we_asked_for_counts_for_nothing() -> None:
    ladder, first = left_alone()
    ladder = ladder >> CARRIER.answer(first, 180) << Sent(CARRIER, b"CANCEL")
    ladder = ladder >> CARRIER.answer(first, 487) << Sent(CARRIER, b"ACK")
    ladder = ladder >> SECOND.answer(ladder[b"INVITE"], 503) << Sent(SECOND, b"ACK")
    assert end(ladder) == 500


def test_a_late_challenge_is_none_of_the_caller_s() -> None:
    ladder, first = left_alone(trunks={"carrier": {"credentials": CREDENTIALS}})
    ladder.world.core.logins.adopt(ACCOUNTS, frozenset())
    ladder = ladder >> ask(CARRIER, first) << Sent(CARRIER, b"ACK")
    ladder = ladder >> SECOND.answer(ladder[b"INVITE"], 503) << Sent(SECOND, b"ACK")
    assert end(ladder) == 500


def test_who_has_cancelled_hears_487() -> None:
    ladder, first = left_alone()
    ladder = ladder >> late(ladder, first, 486) << Sent(CARRIER, b"ACK")
    ladder = ladder >> SECOND.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    ladder = ladder >> ALICE.cancel(INVITE) << Sent(ALICE, 200) << Sent(SECOND, b"CANCEL")
    assert ladder >> SECOND.answer(ladder[b"INVITE"], 487) << Sent(SECOND, b"ACK") << Sent(ALICE, 487)
