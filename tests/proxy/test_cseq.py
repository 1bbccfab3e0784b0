"""Numbers towards a trunk that asks for a password: 4·n + attempt, in whatever order requests and challenges come."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy import cseq
from proxy.errors import Malformed, Refused
from proxy.record import Mark
from tests.agents import ALICE, CARRIER, read
from tests.ladder import Ladder, Restart
from tests.passwords import ask, is_right, told, world

INVITE = ALICE.invite()


@given(st.integers(0, cseq.END - 1), st.integers(0, cseq.LAST_ATTEMPT))
def test_numbers_come_back_and_fit(number: int, attempt: int) -> None:
    outward = cseq.outward(number, attempt)
    assert outward // cseq.STEP == number
    assert outward < 2**31  # RFC 3261 §8.1.1.5
    assert outward < cseq.outward(number + 1, 0)


def test_what_leaves_no_room() -> None:
    cseq.check(cseq.END - 1)
    with pytest.raises(Refused) as caught:
        cseq.check(cseq.END)
    assert caught.value.code == 500


def test_each_side_of_a_dialog_has_its_mark() -> None:
    assert cseq.towards(Mark.CSEQ_MAPPED, callee=True)
    assert not cseq.towards(Mark.CSEQ_MAPPED, callee=False)
    assert cseq.towards(Mark.CSEQ_MAPPED_BACK, callee=False)
    assert not cseq.towards(Mark.EMERGENCY | Mark.FROM_CALLER, callee=True)


@pytest.mark.parametrize(
    ("line", "number"),
    [(b"RAck: 7 12 INVITE", 12), (b"RAck:  7\t12  INVITE ", 12), (b"RAck: 7 INVITE", -1), (b"RAck: x", -1)],
)
def test_what_a_prack_is_about(line: bytes, number: int) -> None:
    assert cseq.acknowledged(read(ALICE.request(b"PRACK", headers=(line,)).data)) == number


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (b"refer;id=93", 93),
        (b"Refer ; ID = 93", 93),
        (b"refer;x=y;id=93;z", 93),
        (b"refer", -1),
        (b"refer;id=x", -1),
        (b"referral;id=93", -1),
        (b"dialog;id=93", -1),
        (b"refer;id=12345678901", -1),
    ],
)
def test_what_a_subscribe_is_about(value: bytes, number: int) -> None:
    """Event packages are case-sensitive (RFC 6665 §8.2.1), and people write them as they like."""
    assert cseq.subscribed(read(ALICE.request(b"SUBSCRIBE", headers=(b"Event: " + value,)).data)) == number
    edited = cseq._refer_id(value, lambda n: 4 * n)
    assert edited == (value.replace(b"93", b"372") if number > 0 else value)


def test_a_rack_beyond_what_can_be_mapped() -> None:
    with pytest.raises(Malformed):
        cseq._rack(b"1 536870912 INVITE", 0)
    assert cseq._rack(b"garbage", 0) == b"garbage"


class Dialog:
    """A call of Alice's over a carrier that challenges as the example says, and what each side counts."""

    def __init__(self) -> None:
        self.ladder = Ladder(world())
        self.nonces = 0
        self.sent: list[int] = []
        self.own = 1
        self.formed = b""
        self.invited = b""

    def challenge(self, request: bytes) -> bytes:
        """Ask for another nonce, and return the answer to it."""
        self.nonces += 1
        self.deliver(ask(CARRIER, request, b"nonce%d" % self.nonces, b"stale=true"))
        return self.last(request.split(b" ")[0])

    def deliver(self, packet: object) -> None:
        self.ladder = self.ladder >> packet  # type: ignore[operator]

    def last(self, method: bytes) -> bytes:
        """Return the last request of a method that reached the carrier."""
        found = [data for address, data in self.ladder.left if address == CARRIER.address]
        return [data for data in found if data.startswith(method + b" ")][-1]

    def answer(self, request: bytes, status: int) -> bytes:
        """Let the carrier answer; return what Alice gets."""
        self.deliver(CARRIER.answer(request, status))
        response = [data for address, data in self.ladder.left if address == ALICE.address][-1]
        assert read(response).cseq == self.own
        return response

    def begin(self, challenges: int) -> None:
        self.deliver(INVITE)
        self.exchange(b"INVITE", challenges)

    def within(self, method: bytes, challenges: int) -> None:
        self.own += 1
        branch = b"z9hG4bKr%d" % self.own
        self.deliver(ALICE.within(method, self.formed, own=INVITE, cseq=self.own, branch=branch))
        self.exchange(method, challenges)

    def exchange(self, method: bytes, challenges: int) -> None:
        request = self.last(method)
        self.sent.append(read(request).cseq)
        for _ in range(challenges):
            request = self.challenge(request)
            self.sent.append(read(request).cseq)
            assert is_right(request)
            assert told(request)[b"nc"] == b"00000001"
        response = self.answer(request, 200)
        if method == b"INVITE":
            self.formed = response if not self.formed else self.formed
            self.invited = request
            ack = ALICE.within(b"ACK", response, own=INVITE, cseq=self.own, branch=b"z9hG4bKack%d" % self.own)
            self.deliver(ack)
            assert read(self.last(b"ACK")).cseq == read(request).cseq


STEPS = st.lists(
    st.tuples(st.sampled_from([b"INVITE", b"INFO", b"OPTIONS", b"MESSAGE"]), st.integers(0, 3), st.booleans()),
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 3), STEPS)
def test_cseq_rises_strictly_at_the_trunk_and_is_the_phone_s_own_at_the_phone(
    first: int, steps: list[tuple[bytes, int, bool]]
) -> None:
    """Whatever is challenged how often, and whenever the process is killed between two requests."""
    dialog = Dialog()
    dialog.begin(first)
    for method, challenges, restart in steps:
        if restart:
            dialog.deliver(Restart())
        dialog.within(method, challenges)
    dialog.within(b"BYE", 0)
    assert dialog.sent == sorted(set(dialog.sent))
    assert all(number // cseq.STEP for number in dialog.sent)
