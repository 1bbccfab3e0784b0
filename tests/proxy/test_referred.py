"""REFER from phones: whom a trunk may be asked to call (RFC 3515), by the routing table."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agents import ALICE, CARRIER, PBX, Agent
from tests.ladder import Ladder, Sent
from tests.world import World, settings

NARROW: list[dict[str, Any]] = [
    {"source": "access", "prefix": "+1555", "to": ["carrier"]},
    {"source": "access", "prefix": "+49", "methods": ["INVITE"], "to": ["second"]},
    {"source": "access", "prefix": "7", "to": ["core"]},
    {"source": "core", "to": ["carrier"]},
]
BARRED = [
    b"<sip:+19005550000@192.0.2.1>", b"<tel:+19005550000>", b"<sip:+1-900-555-0000@evil.example>",
    b"<sip:%2B19005550000@192.0.2.1>", b"<sip:*67+19005550000@192.0.2.1>", b"<sip:%2A67%2B1900@192.0.2.1>",
    b"<sip:5550000;phone-context=+1900@192.0.2.1>", b"<tel:5550000;phone-context=+1-900>", b"<sip:0900@192.0.2.1>",
    b"sip:+19005550000@192.0.2.1;method=INVITE", b"<sip:+19005550000@192.0.2.1?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>",
]  # fmt: skip
ALLOWED = [
    b"<sip:+15550142@192.0.2.1>", b"<tel:+1-555-0142>", b"<sip:+4930@192.0.2.1>",
    b"<sip:7001@192.0.2.1>", b"<sip:bob@192.0.2.1>",
]  # fmt: skip


def up(caller: Agent = ALICE) -> Ladder:
    """Return a call that is up at the carrier."""
    ladder = Ladder(World(settings(routes=NARROW))) >> caller.invite(uri=b"sip:+15550100@192.0.2.1")
    ladder = ladder << Sent(caller, 100) << Sent(CARRIER, b"INVITE")
    return ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(caller, 200)


def refer(ladder: Ladder, caller: Agent, target: bytes) -> Ladder:
    """Return the ladder with a REFER of the caller within the call."""
    own = caller.invite(uri=b"sip:+15550100@192.0.2.1")
    return ladder >> caller.within(b"REFER", ladder[200], own=own, headers=(b"Refer-To: " + target,))


@pytest.mark.parametrize("target", BARRED)
def test_a_number_that_it_may_not_call_it_has_not_called(target: bytes) -> None:
    """Within a call and outside, however it is written; the trunk would call it, and the operator pay."""
    assert refer(up(), ALICE, target) << Sent(ALICE, 403)
    alone = ALICE.request(b"REFER", b"sip:+15550100@192.0.2.1", headers=(b"Refer-To: " + target,))
    assert Ladder(World(settings(routes=NARROW))) >> alone << Sent(ALICE, 403)


@pytest.mark.parametrize("target", ALLOWED)
def test_whom_it_may_call_it_may_have_called(target: bytes) -> None:
    """By lines for other methods and to other places too; a name is nobody's number."""
    assert refer(up(), ALICE, target) << Sent(CARRIER, b"REFER")


def test_the_core_is_not_asked() -> None:
    assert refer(up(PBX), PBX, b"<sip:+19005550000@192.0.2.1>") << Sent(CARRIER, b"REFER")


def test_the_first_of_two_does_not_speak_for_the_second() -> None:
    both = b"<sip:+15550142@192.0.2.1>\r\nRefer-To: <sip:+19005550000@192.0.2.1>"
    ladder = refer(up(), ALICE, both)
    assert [data[8:11] in (b"400", b"403") for _, data in ladder.left] == [True]
    ladder.left.clear()


def test_what_cannot_be_read_goes_nowhere() -> None:
    ladder = refer(up(), ALICE, b"<sip:@@>")
    assert [(address, data[8:11]) for address, data in ladder.left] == [(ALICE.address, b"400")]
    ladder.left.clear()
