"""Requests of our own to a trunk that asks for a password."""

from __future__ import annotations

from proxy.authorised import Authorised
from proxy.message import Message
from proxy.originate import Ask, hops_of
from tests.agents import CARRIER, read
from tests.ladder import Ladder, Sent, Silence, Wait
from tests.passwords import ask, is_right, told, world


class Heard:
    """Collects what it is told."""

    def __init__(self) -> None:
        self.statuses: list[int] = []

    def answered(self, status: int, response: Message | None, now: float) -> None:
        self.statuses.append(status)


def asked(ladder: Ladder | None = None) -> tuple[Ladder, Heard, Authorised]:
    """A world that has asked the carrier for its OPTIONS."""
    ladder, heard = ladder or Ladder(world()), Heard()
    core = ladder.world.core
    party = core.generation.network.party_of(CARRIER.address)
    assert party is not None
    what = Ask(b"OPTIONS", b"sip:c.example", b"<sip:192.0.2.1>", b"<sip:c.example>", b"call-id-%d" % ladder.world.now)
    asking = Authorised(core, hops_of(core, party)[0], what, heard)
    before = len(ladder.world.sent)
    asking.begin(ladder.world.now)
    ladder.left += ladder.world.sent[before:]
    return ladder << Sent(CARRIER, b"OPTIONS"), heard, asking


def test_a_challenge_is_answered_and_the_outcome_told_once() -> None:
    ladder, heard, asking = asked()
    first = ladder[b"OPTIONS"]
    assert told(first) == {}
    ladder = ladder >> ask(CARRIER, first) << Sent(CARRIER, b"OPTIONS")
    again = ladder[b"OPTIONS"]
    assert is_right(again)
    assert (read(again).cseq, asking.cseq, asking.challenged) == (2, 2, True)
    assert read(again).via.branch != read(first).via.branch
    assert heard.statuses == []
    assert ladder >> CARRIER.answer(again, 200) >> Wait(40) << Silence()
    assert heard.statuses == [200]


def test_the_next_one_is_not_challenged() -> None:
    ladder, _, _ = asked()
    ladder = ladder >> ask(CARRIER, ladder[b"OPTIONS"]) << Sent(CARRIER, b"OPTIONS")
    ladder = ladder >> CARRIER.answer(ladder[b"OPTIONS"], 200) >> Wait(1)
    ladder, heard, _ = asked(ladder)
    assert is_right(ladder[b"OPTIONS"])
    assert told(ladder[b"OPTIONS"])[b"nc"] == b"00000002"
    assert ladder >> CARRIER.answer(ladder[b"OPTIONS"], 200)
    assert heard.statuses == [200]


def test_a_password_that_is_not_taken_is_told() -> None:
    ladder, heard, _ = asked()
    ladder = ladder >> ask(CARRIER, ladder[b"OPTIONS"]) << Sent(CARRIER, b"OPTIONS")
    assert ladder >> ask(CARRIER, ladder[b"OPTIONS"], b"n2") << Silence()
    assert heard.statuses == [407]


def test_who_asks_for_ever_is_answered_four_times() -> None:
    ladder, heard, _ = asked()
    for number in range(3):
        ladder = ladder >> ask(CARRIER, ladder[b"OPTIONS"], b"n%d" % number, b"stale=true") << Sent(CARRIER, b"OPTIONS")
    assert ladder >> ask(CARRIER, ladder[b"OPTIONS"], b"last", b"stale=true") << Silence()
    assert heard.statuses == [407]


def test_one_that_was_stopped_says_and_sends_nothing_more() -> None:
    ladder, heard, asking = asked()
    assert asking.stop() == 1
    assert ladder >> ask(CARRIER, ladder[b"OPTIONS"]) << Silence()
    assert heard.statuses == []


def test_a_trunk_without_a_password_is_not_answered() -> None:
    ladder, heard, _ = asked(Ladder())
    assert ladder >> ask(CARRIER, ladder[b"OPTIONS"]) << Silence()
    assert heard.statuses == [407]
