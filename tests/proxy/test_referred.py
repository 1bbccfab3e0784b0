"""REFER from phones: whom a trunk may be asked to call (RFC 3515), by the routing table."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agents import ALICE, CARRIER, PBX, Agent, Packet
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


# --- what a trunk asks of a phone


def called(*lines: dict[str, Any]) -> tuple[Ladder, Packet]:
    """Return a call of the carrier's to a phone that is up, and the carrier's INVITE."""
    routes = [{"source": "trunk", "to": ["access"]}, *NARROW]
    invite = CARRIER.invite(uri=b"sip:alice@10.1.1.23:5062")
    ladder = Ladder(World(settings(routes=[*lines, *routes]))) >> invite << Sent(CARRIER, 100) << Sent(ALICE, b"INVITE")
    return ladder >> ALICE.answer(ladder[b"INVITE"], 200) << Sent(CARRIER, 200), invite


def asked(ladder: Ladder, invite: Packet, target: bytes) -> Ladder:
    return ladder >> CARRIER.within(b"REFER", ladder[200], own=invite, headers=(b"Refer-To: " + target,))


@pytest.mark.parametrize("target", [*ALLOWED[:3], b"<sip:*67+15550142@192.0.2.1>", b"<sip:+15550142@evil.example>"])
def test_who_calls_from_outside_has_no_phone_call_outside(target: bytes) -> None:
    """The phone may; but its caller pays nothing, and no line takes that one from one trunk to another."""
    assert asked(*called(), target) << Sent(CARRIER, 403)
    outside = CARRIER.request(b"REFER", b"sip:alice@10.1.1.23:5062", headers=(b"Refer-To: " + target,))
    ladder = Ladder(World(settings(routes=[{"source": "trunk", "to": ["access"]}, *NARROW])))
    assert ladder >> outside << Sent(CARRIER, 403)


@pytest.mark.parametrize("target", [b"<sip:7001@192.0.2.1>", b"<sip:bob@192.0.2.1>", b"<sip:+1900@192.0.2.1>"])
def test_what_costs_nothing_is_the_phones_affair(target: bytes) -> None:
    """Somebody at the core, a name, and a number that the phone may not call either."""
    assert asked(*called(), target) << Sent(ALICE, b"REFER")


def test_a_line_from_trunk_to_trunk_lets_it() -> None:
    line = {"source": "trunk", "prefix": "+1555", "to": ["carrier"]}
    assert asked(*called(line), b"<sip:+15550142@192.0.2.1>") << Sent(ALICE, b"REFER")
    assert asked(*called(line), b"<sip:+4930@192.0.2.1>") << Sent(CARRIER, 403)


def test_nobody_has_another_call_for_help() -> None:
    help_ = {"emergency": True, "to": ["psap"]}
    assert asked(*called(help_), b"<sip:112@192.0.2.1>") << Sent(CARRIER, 403)
