"""Data that may not leave a region: which trunks a call reaches, in forks, groups and failover."""

from __future__ import annotations

from typing import Any

import pytest

from config.subscriber import EVERYWHERE, Setting, Value, profile
from config.subscribers import Mark, Subscribers
from tests.agents import ALICE, CARRIER, PBX, PSAP, SECOND, Agent
from tests.ladder import Ladder, Sent, Silence
from tests.proxy.test_groups import refuse, world
from tests.world import World, build

INVITE = ALICE.invite()
REGION = {"countries": ["DE", "FR"]}
ABROAD = {"carrier": {"country": "US"}, "second": {"country": "DE"}, "third": {}}


def with_(there: World, **said: str) -> World:
    """The same world where alice has said something; a word is `abroad` or `abroad__trunk`."""
    settings = [
        Setting(trunk or EVERYWHERE, word, Value(value))
        for key, value in said.items() for word, _, trunk in [key.partition("__")]
    ]  # fmt: skip
    subscribers = Subscribers(60)
    subscribers.replace({b"alice@sip.example.net": profile(settings)}, Mark(1, 1), there.now)
    there.privacy = build(there.settings, subscribers)
    there.new_core()
    return there


def bound(trunks: dict[str, Any] = ABROAD, **changes: Any) -> World:
    return world(trunks=trunks, region={**REGION, **changes.pop("region", {})}, **changes)


def test_without_a_region_nobody_is_kept_from_anything() -> None:
    assert Ladder(world(trunks=ABROAD)) >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_a_group_goes_to_the_member_of_the_region_and_to_no_other() -> None:
    """In failover too: a trunk without a country is abroad."""
    ladder = Ladder(bound()) >> INVITE << Sent(ALICE, 100) << Sent(SECOND, b"INVITE") << Silence()
    # No other is left, and why: what is said of a target ranks by its class, as a response would (RFC 3261 §16.7).
    assert refuse(ladder, SECOND) << Sent(ALICE, 403) << Silence()
    assert ladder.world.count("region_kept", "caller") == 2


def test_where_none_is_left_the_caller_is_told_why() -> None:
    ladder = Ladder(bound({"second": {"country": "GB"}})) >> INVITE << Sent(ALICE, 403) << Silence()
    told = ladder[403]
    assert told.startswith(b"SIP/2.0 403 Not Outside The Region\r\n")
    assert b"\r\nWarning: 399 sipveil " in told


@pytest.mark.parametrize(
    ("said", "default", "reached"),
    [
        ({}, "stay", SECOND),
        ({}, "leave", CARRIER),
        ({"abroad": "show"}, "stay", CARRIER),
        ({"abroad": "hide"}, "leave", SECOND),
        ({"abroad": "hide", "abroad__third": "show"}, "leave", SECOND),
        ({"abroad__carrier": "show"}, "stay", CARRIER),
        ({"abroad": "show", "abroad__carrier": "hide"}, "stay", SECOND),
    ],
)
def test_a_subscriber_decides_for_all_trunks_or_for_one(said: dict[str, str], default: str, reached: Agent) -> None:
    there = with_(bound(region={"default": default}), **said)
    assert Ladder(there) >> INVITE << Sent(ALICE, 100) << Sent(reached, b"INVITE")


def test_until_the_store_was_read_data_stay() -> None:
    there = bound(region={"default": "leave"})
    there.privacy = build(there.settings, Subscribers(60))
    there.new_core()
    assert Ladder(there) >> INVITE << Sent(ALICE, 100) << Sent(SECOND, b"INVITE")


@pytest.mark.parametrize(
    ("basis", "bases", "reached"),
    [
        ("adequacy", ["adequacy"], CARRIER),
        ("clauses", ["adequacy"], SECOND),
        ("clauses", ["adequacy", "clauses"], CARRIER),
        ("none", ["adequacy", "clauses", "rules"], SECOND),
    ],
)
def test_a_basis_of_transfer_is_enough(basis: str, bases: list[str], reached: Agent) -> None:
    trunks = {**ABROAD, "carrier": {"country": "US", "transfer_basis": basis}}
    there = bound(trunks, region={"bases": bases})
    assert Ladder(there) >> INVITE << Sent(ALICE, 100) << Sent(reached, b"INVITE")


def test_a_fork_goes_on_without_a_trunk_that_may_not_have_it() -> None:
    ladder = Ladder(bound(routes=[{"to": ["carrier", "second"]}])) >> INVITE << Sent(ALICE, 100)
    assert ladder << Sent(SECOND, b"INVITE") << Silence()


def test_a_message_stays_too() -> None:
    ladder = Ladder(bound(routes=[{"to": ["carrier"]}])) >> ALICE.request(b"MESSAGE")
    assert ladder << Sent(ALICE, 403) << Silence()


def test_that_there_is_no_room_is_told_rather_than_that_there_is_no_way() -> None:
    """What may be tried again is better news."""
    trunks = {**ABROAD, "second": {"country": "DE", "limits": {"calls": 1}}}
    ladder = Ladder(bound(trunks)) >> INVITE << Sent(ALICE, 100) << Sent(SECOND, b"INVITE")
    again = ALICE.invite(branch=b"z9hG4bKagain", call_id=b"again@x")
    assert ladder >> again << Sent(ALICE, 480)


def test_an_emergency_call_goes() -> None:
    """To a PSAP, and where there is none to whoever takes it."""
    call = ALICE.invite(uri=b"sip:112@192.0.2.1")
    routes = [{"emergency": True, "to": ["psap"]}]
    assert Ladder(bound(routes=routes)) >> call << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
    assert Ladder(bound(routes=[{"to": ["carrier"]}])) >> call << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_calls_through_the_core_are_the_subscriber_s_whom_it_asserts() -> None:
    there = with_(bound(region={"default": "leave"}), abroad="hide")
    asserted = (b"P-Asserted-Identity: <sip:alice@sip.example.net>",)
    call = PBX.invite(headers=(*asserted, b"Content-Type: application/sdp"))
    assert Ladder(there) >> call << Sent(PBX, 100) << Sent(SECOND, b"INVITE")


def test_who_forwards_a_call_counts() -> None:
    """The call is somebody else's; that she forwards it is hers."""
    there = with_(bound(region={"default": "leave"}), abroad="hide")
    diverted = (b"Diversion: <sip:alice@sip.example.net>;reason=unconditional", b"Content-Type: application/sdp")
    ladder = Ladder(there) >> PBX.invite(headers=diverted) << Sent(PBX, 100) << Sent(SECOND, b"INVITE")
    assert ladder.world.count("region_kept", "forwarder") == 1


def test_calls_from_a_trunk_to_a_trunk_are_of_no_subscriber() -> None:
    ladder = Ladder(bound(routes=[{"source": "trunk", "to": ["carrier"]}]))
    assert ladder >> SECOND.invite() << Sent(SECOND, 100) << Sent(CARRIER, b"INVITE")


def test_a_call_that_is_up_stays_up() -> None:
    """A dialog keeps what it began with."""
    there = bound(region={"default": "leave"})
    ladder = Ladder(there) >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    with_(there, abroad="hide")
    assert ladder >> ALICE.within(b"BYE", ladder[200], own=INVITE) << Sent(CARRIER, b"BYE")


def test_a_region_that_a_reload_takes_away_holds_for_what_is_on_its_way() -> None:
    """The generation that a request came in decides where it fails over to."""
    ladder = Ladder(bound()) >> INVITE << Sent(ALICE, 100) << Sent(SECOND, b"INVITE")
    ladder.world.reload(routes=[])
    # No other is left, and why: what is said of a target ranks by its class, as a response would (RFC 3261 §16.7).
    assert refuse(ladder, SECOND) << Sent(ALICE, 403) << Silence()
