"""OPTIONS to trunks, and what calls have of them."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.outages import SILENT_FOR
from proxy.probes import FIRST_AFTER
from tests.agents import ALICE, CARRIER, SECOND, read
from tests.ladder import Ladder, Sent, Silence, Wait, kind
from tests.passwords import ask, is_right
from tests.passwords import world as with_password
from tests.proxy.test_groups import reached, refuse, world
from tests.world import SETTINGS, World

EVERY = {"health": {"options": 10.0}}


def probed(**changes: Any) -> Ladder:
    """A world that has just asked the carrier."""
    ladder = Ladder(world(trunks={"carrier": EVERY}, **changes))
    ladder.world.wait(0.05)
    return ladder >> Wait(FIRST_AFTER) << Sent(CARRIER, b"OPTIONS") << Silence()


def options(ladder: Ladder) -> list[tuple[str, int]]:
    """Return who was asked, and forget it."""
    left, ladder.left = ladder.left, []
    return [address for address, data in left if kind(data) == b"OPTIONS"]


def test_nobody_is_asked_unless_configured() -> None:
    assert Ladder() >> Wait(100) << Silence()


def test_it_says_nothing_of_anybody() -> None:
    sent = read(probed()[b"OPTIONS"])
    assert (sent.uri, sent.from_.uri, sent.to.uri) == (
        b"sip:198.51.100.7:5060", b"sip:192.0.2.1:5060", b"sip:198.51.100.7:5060"
    )  # fmt: skip
    assert not {b"user-agent", b"record-route", b"p-asserted-identity"} & set(sent.names)


def test_it_is_repeated_at_its_interval_with_another_call_id() -> None:
    ladder = probed()
    first = ladder[b"OPTIONS"]
    ladder = ladder >> CARRIER.answer(first, 200) >> Wait(9.9) << Silence()
    ladder = ladder >> Wait(0.2) << Sent(CARRIER, b"OPTIONS")
    assert read(first).call_id != read(ladder[b"OPTIONS"]).call_id
    assert ladder.world.count("probes", "answered") == 1


def test_a_silent_trunk_costs_no_caller_a_second() -> None:
    """4 s without an answer and calls begin elsewhere; the answer to a later one brings it back."""
    ladder = probed()
    assert reached(ladder, 1) is CARRIER
    ladder = ladder >> Wait(4.2)
    ladder.left.clear()
    assert ladder.world.count("probes", "silent") == 1
    assert reached(ladder, 2) is SECOND
    ladder = ladder >> Wait(6)
    ladder.left = [each for each in ladder.left if kind(each[1]) == b"OPTIONS"][:1]
    ladder = ladder << Sent(CARRIER, b"OPTIONS")
    ladder = ladder >> CARRIER.answer(ladder[b"OPTIONS"], 404)
    assert reached(ladder, 3) is CARRIER


def test_503_with_retry_after_is_honoured_and_404_is_an_answer() -> None:
    ladder = probed()
    busy = CARRIER.answer(ladder[b"OPTIONS"], 503, headers=(b"Retry-After: 25",))
    ladder = ladder >> busy << Silence()
    assert ladder.world.count("probes", "refused") == 1
    assert reached(ladder, 1) is SECOND
    ladder = probed() >> (lambda it: CARRIER.answer(it[b"OPTIONS"], 404))
    assert reached(ladder, 1) is CARRIER


def test_no_way_there_is_an_outage() -> None:
    there = world(trunks={"carrier": EVERY})
    there.refuse_send.add(CARRIER.address)
    ladder = Ladder(there) >> Wait(FIRST_AFTER + 0.2) << Silence()
    assert ladder.world.count("probes", "unreachable") == 1
    assert reached(ladder, 1) is SECOND


def test_a_trunk_that_refuses_calls_is_half_open_after_a_probe() -> None:
    """Its 200 to OPTIONS is no word on calls: one finds out."""
    ladder = Ladder(world(trunks={"carrier": {"health": {"options": 10.0, "failures": 2}}}))
    ladder = ladder >> Wait(0.05)
    for number in (1, 2):
        assert reached(ladder, number) is CARRIER
        ladder = refuse(ladder, CARRIER) << Sent(SECOND, b"INVITE")
    assert reached(ladder, 3) is SECOND
    ladder = ladder >> Wait(FIRST_AFTER)
    ladder.left = [each for each in ladder.left if kind(each[1]) == b"OPTIONS"]
    ladder = ladder << Sent(CARRIER, b"OPTIONS")
    ladder = ladder >> CARRIER.answer(ladder[b"OPTIONS"], 200)
    assert [reached(ladder, number) for number in (4, 5)] == [CARRIER, SECOND]


def test_without_a_probe_one_call_of_each_half_minute_finds_out() -> None:
    ladder = Ladder(world(trunks={"carrier": {"health": {"failures": 1}}}))
    assert reached(ladder, 1) is CARRIER
    ladder = refuse(ladder, CARRIER) << Sent(SECOND, b"INVITE")
    ladder = ladder >> Wait(SILENT_FOR)
    ladder.left.clear()
    ladder.world.core.outages.silent(SECOND.address, ladder.world.now)
    assert reached(ladder, 2) is CARRIER
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    assert reached(ladder, 3) is CARRIER


@pytest.mark.parametrize("after", [{"health": {"options": 0.0}}, None])
def test_a_reload_ends_them_and_begins_them(after: dict[str, Any] | None) -> None:
    """Also where the trunk is gone; and never twice as many."""
    there = World()
    trunks = [{**SETTINGS["trunks"][0], **EVERY}, *SETTINGS["trunks"][1:]]
    ladder = Ladder(there)
    there.reload(trunks=trunks)
    there.reload(trunks=trunks)
    ladder = ladder >> Wait(1.2)
    assert options(ladder)[:1] == [CARRIER.address]
    there.reload(trunks=trunks)
    ladder = ladder >> Wait(5)
    options(ladder)
    ladder = ladder >> Wait(5)
    assert len({read(data).call_id for _, data in ladder.left}) == 1
    routes = [{"to": ["second"]}]
    there.reload(trunks=SETTINGS["trunks"][1:] if after is None else SETTINGS["trunks"], routes=routes)
    options(ladder)
    ladder = ladder >> Wait(40)
    options(ladder)
    assert ladder >> Wait(40) << Silence()


def test_a_name_is_looked_up_and_each_of_its_addresses_is_asked() -> None:
    named = {"hosts": ["gw.carrier.example"], "networks": ["198.51.100.16/28"], **EVERY}
    listed = {"name": "gw.carrier.example", "addresses": ["198.51.100.17", "198.51.100.18"]}
    ladder = Ladder(world(trunks={"carrier": named}, hosts=[listed])) >> Wait(FIRST_AFTER + 0.1)
    assert sorted(options(ladder)) == [("198.51.100.17", 5060), ("198.51.100.18", 5060)]


def test_a_challenge_is_an_answer_and_is_answered() -> None:
    """The carrier is there whatever it says afterwards, or does not."""
    ladder = Ladder(with_password({"health": {"options": 10.0}}))
    ladder = ladder >> Wait(FIRST_AFTER + 0.05) << Sent(CARRIER, b"OPTIONS")
    ladder = ladder >> ask(CARRIER, ladder[b"OPTIONS"], status=401) << Sent(CARRIER, b"OPTIONS")
    assert is_right(ladder[b"OPTIONS"], b"authorization")
    ladder = ladder >> Wait(4.2)
    assert (ladder.world.count("probes", "answered"), ladder.world.count("probes", "silent")) == (1, 0)
    assert not ladder.world.core.outages.marks


def test_a_challenge_that_we_cannot_answer_is_an_answer() -> None:
    ladder = probed()
    ladder = ladder >> ask(CARRIER, ladder[b"OPTIONS"], status=401) << Silence()
    assert ladder.world.count("probes", "answered") == 1
