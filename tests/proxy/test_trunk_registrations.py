"""All registrations of a core: they follow the settings, a restart and a stop."""

from __future__ import annotations

from typing import Any

import pytest

from config.keyring import KeyRing
from proxy.core import Core
from proxy.digest_client import Account
from tests.agents import ALICE, CARRIER, SECOND, Packet, read
from tests.ladder import Ladder, Restart, Sent, Silence, Wait
from tests.passwords import CREDENTIALS, USER, ask, is_right
from tests.proxy.registering import REGISTRATION, asked, contact, next_register, ok, registered, with_password, world
from tests.proxy.test_groups import reached
from tests.world import CORE, SETTINGS, World, keyring


def carrier(**section: Any) -> list[dict[str, Any]]:
    """The trunks with the carrier's registration changed."""
    first = {**SETTINGS["trunks"][0], "registration": {**REGISTRATION, **section}}
    return [first, *SETTINGS["trunks"][1:]]


def test_nobody_registers_unless_configured() -> None:
    assert Ladder() >> Wait(100) << Silence()


def test_a_restart_registers_the_same_contact_anew() -> None:
    ladder = registered()
    first = ladder[b"REGISTER"]
    ladder = ladder >> Restart() >> Wait(0.05) << Sent(CARRIER, b"REGISTER")
    assert contact(ladder[b"REGISTER"]) == contact(first)
    assert read(ladder[b"REGISTER"]).call_id != read(first).call_id


def test_a_further_key_changes_nothing() -> None:
    ladder = registered()
    first = contact(ladder[b"REGISTER"])
    ladder.world.ring = keyring(3, 4)
    ladder.world.reload(trunks=carrier())
    assert ladder >> Wait(1) << Silence()
    ladder = ladder >> Restart() >> Wait(0.05) << Sent(CARRIER, b"REGISTER")
    assert contact(ladder[b"REGISTER"]) == first


def test_a_key_that_is_gone_takes_its_contact_along() -> None:
    ladder = registered()
    first = contact(ladder[b"REGISTER"]).partition(b">")[0]
    ladder.world.ring = KeyRing(keyring(3, 4).keys[1:], 5)
    ladder.world.reload(trunks=carrier())
    sent = [data for _, data in ladder.world.wait(0.1)]
    assert [contact(each).endswith(b";expires=0") for each in sent] == [True, False]
    assert contact(sent[0]).startswith(first)
    assert not contact(sent[1]).startswith(first)


def test_a_reload_that_changes_nothing_of_it_renews_nothing() -> None:
    ladder = registered()
    trunks = carrier()
    trunks[0]["record_budget"] = 200
    ladder.world.reload(trunks=trunks)
    assert ladder >> Wait(60) << Silence()
    assert ladder.world.core.registrations.is_up("carrier")


@pytest.mark.parametrize("change", [{"expires": 900}, {"retry": 5.0}, {"number": "+15550101"}])
def test_a_reload_that_changes_it_renews_it_with_the_next_cseq(change: dict[str, Any]) -> None:
    ladder = registered()
    first = read(ladder[b"REGISTER"])
    ladder.world.reload(trunks=carrier(**change))
    ladder = ladder >> Wait(0.1) << Sent(CARRIER, b"REGISTER") << Silence()
    again = read(ladder[b"REGISTER"])
    assert (again.call_id, again.cseq) == (first.call_id, first.cseq + 1)


def test_another_password_renews_it() -> None:
    ladder = asked(with_password())
    there = ladder.world
    ladder = ladder >> ask(CARRIER, ladder[b"REGISTER"], status=401) << Sent(CARRIER, b"REGISTER")
    ladder = ladder >> ok(ladder[b"REGISTER"])
    there.passwords = {"carrier": Account(USER, b"another")}
    trunks = carrier()
    trunks[0]["credentials"] = CREDENTIALS
    there.reload(trunks=trunks)
    ladder = ladder >> Wait(0.1) << Sent(CARRIER, b"REGISTER")
    ladder = ladder >> ask(CARRIER, ladder[b"REGISTER"], b"n2", status=401) << Sent(CARRIER, b"REGISTER")
    assert is_right(ladder[b"REGISTER"], b"authorization", b"another")


def test_a_reload_while_one_is_on_its_way_uses_no_cseq_twice() -> None:
    ladder = asked(with_password())
    there = ladder.world
    first = ladder[b"REGISTER"]
    trunks = carrier(expires=900)
    trunks[0]["credentials"] = CREDENTIALS
    there.reload(trunks=trunks)
    ladder = ladder >> Wait(0.1) << Sent(CARRIER, b"REGISTER")
    second = ladder[b"REGISTER"]
    ladder = ladder >> ask(CARRIER, first, status=401) << Silence()
    ladder = ladder >> ask(CARRIER, second, b"n2", status=401) << Sent(CARRIER, b"REGISTER")
    assert [read(each).cseq for each in (first, second, ladder[b"REGISTER"])] == [1, 2, 3]


@pytest.mark.parametrize("after", [{"user": "+15550199"}, None])
def test_one_that_is_no_longer_wanted_is_taken_out(after: dict[str, Any] | None) -> None:
    ladder = registered()
    first = read(ladder[b"REGISTER"])
    ladder.world.reload(trunks=SETTINGS["trunks"] if after is None else carrier(**after))
    ladder = ladder >> Wait(0.1) << Sent(CARRIER, b"REGISTER")
    gone = ladder[b"REGISTER"]
    assert contact(gone).endswith(b";expires=0")
    assert (read(gone).call_id, read(gone).cseq, read(gone).to.uri) == (first.call_id, 2, first.to.uri)
    if after is not None:
        ladder = ladder << Sent(CARRIER, b"REGISTER")
        assert read(ladder[b"REGISTER"]).to.uri == b"sip:+15550199@carrier.example"
    ladder = ladder >> ok(gone, 0) << Silence()
    assert ladder.world.count("trunk_registrations", "taken-out") == 1


def test_a_stop_takes_it_out_and_tells_when_that_is_done() -> None:
    ladder = registered()
    core = ladder.world.core
    before = len(ladder.world.sent)
    core.leave(ladder.world.now)
    ((_, gone),) = ladder.world.sent[before:]
    assert contact(gone).endswith(b";expires=0")
    assert core.leaving == 1
    ladder = ladder >> CARRIER.answer(gone, 403) << Silence()
    assert core.leaving == 0
    assert ladder >> Wait(700) << Silence()


def test_a_stop_answers_a_challenge() -> None:
    ladder = asked(with_password())
    ladder = ladder >> ok(ladder[b"REGISTER"])
    before = len(ladder.world.sent)
    ladder.world.core.leave(ladder.world.now)
    ((_, gone),) = ladder.world.sent[before:]
    ladder = ladder >> ask(CARRIER, gone, status=401) << Sent(CARRIER, b"REGISTER")
    assert ladder.world.core.leaving == 1
    assert ladder >> ok(ladder[b"REGISTER"], 0) << Silence()
    assert ladder.world.core.leaving == 0


def test_where_there_is_nothing_a_stop_waits_for_nothing() -> None:
    ladder = asked()
    ladder = ladder >> CARRIER.answer(ladder[b"REGISTER"], 403)
    ladder.world.core.leave(ladder.world.now)
    assert ladder.world.core.leaving == 0
    assert ladder >> Wait(100) << Silence()


def test_one_worker_registers_for_all() -> None:
    there = world()
    there.core = Core(
        there.settings, there.ring, there.privacy, there, now=there.now, wall=there.wall, worker=1,
        passwords=there.passwords,
    )  # fmt: skip
    assert Ladder(there) >> Wait(60) << Silence()


GROUPS: dict[str, Any] = {
    "groups": [{"name": "both", "members": [{"trunk": "carrier"}, {"trunk": "second", "priority": 2}]}],
    "routes": [{"source": "access", "to": ["both"]}],
}


@pytest.mark.parametrize(("required", "expected"), [(True, SECOND), (False, CARRIER)])
def test_a_trunk_that_needs_it_comes_last_until_it_is_registered(required: bool, expected: object) -> None:
    ladder = asked(world({"required": required}, **GROUPS))
    register = ladder[b"REGISTER"]
    assert reached(ladder, 1) is expected
    ladder.left.clear()
    ladder = ladder >> ok(register, 600)
    assert reached(ladder, 2) is CARRIER
    assert ladder.world.core.outages.trunks == set()
    ladder.world.wait(601)
    assert ladder.world.core.outages.trunks == ({"carrier"} if required else set())


def test_a_reload_that_needs_it_no_longer_lets_calls_go_there() -> None:
    ladder = asked(world({"required": True}, **GROUPS))
    ladder.world.reload(trunks=carrier(required=False), **GROUPS)
    ladder = ladder >> Wait(0.1)
    ladder.left.clear()
    assert reached(ladder, 1) is CARRIER


def test_the_gauge_tells() -> None:
    ladder = asked()
    assert ladder.world.core.gauges()["sipveil_trunk_registered carrier"] == 0
    ladder = ladder >> ok(ladder[b"REGISTER"])
    assert ladder.world.core.gauges()["sipveil_trunk_registered carrier"] == 1


def test_no_event_tells_of_anybody() -> None:
    ladder = registered()
    assert [event for event in ladder.world.events if "15550100" in repr(event)] == []
    assert [(event.kind, event.peer) for event in ladder.world.events] == [("registered", "carrier")]


def stray(there: World) -> Packet:
    """What a trunk sends that knows of no registration."""
    return CARRIER.invite(uri=b"sip:+15550142@192.0.2.1")


def test_calls_for_numbers_go_on_as_before() -> None:
    ladder = registered()
    ladder = ladder >> stray(ladder.world)
    assert [address for address, _ in ladder.left][-1] == CORE


# --- several workers


def pair() -> tuple[Ladder, World]:
    """A first worker that has registered, and a second one that hears of it."""
    ladder = asked(world({"required": True}))
    second = another(1)
    ladder.world.core.registrations.tell = second.core.registrations.learn
    ladder = ladder >> ok(ladder[b"REGISTER"], 600, b"Service-Route: <sip:edge.carrier.example;lr>")
    return ladder, second


def another(number: int) -> World:
    """Another worker of the same configuration."""
    found = world({"required": True})
    found.core = Core(
        found.settings, found.ring, found.privacy, found, now=found.now, wall=found.wall, passwords=found.passwords,
        worker=number,
    )  # fmt: skip
    return found


def routed(there: World, number: int = 1) -> list[bytes]:
    """Return the Routes of a call to the carrier."""
    name = b"z9hG4bKr%d" % number
    ladder = Ladder(there) >> ALICE.invite(branch=name, call_id=name) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert ladder
    return read(ladder[b"INVITE"]).items(b"route")


SERVICE = [b"<sip:edge.carrier.example;lr>"]


def test_other_workers_know_the_service_route() -> None:
    """RFC 3608 §6.1 is about all initial requests, whichever worker they meet; and groups know that it is up."""
    ladder, second = pair()
    assert routed(ladder.world) == SERVICE
    assert routed(second) == SERVICE
    assert second.core.outages.trunks == set()
    assert not second.core.registrations.is_up("carrier"), "the gauge counts it once"


def test_before_they_have_heard_of_it_it_is_down() -> None:
    second = another(1)
    assert second.core.outages.trunks == {"carrier"}
    assert second.wait(60) == []


def test_they_learn_that_it_is_down() -> None:
    ladder, second = pair()
    ladder.world.core.leave(ladder.world.now)
    assert second.core.outages.trunks == {"carrier"}
    assert routed(second) == []


def test_one_that_begins_is_told() -> None:
    ladder, _ = pair()
    third = another(2)
    for said in ladder.world.core.registrations.known():
        third.core.registrations.learn(said)
    assert routed(third) == SERVICE


def test_a_first_worker_that_begins_anew_goes_on_with_what_the_others_know() -> None:
    """The binding of the one that was killed is still there; then what the registrar says counts, and nothing else."""
    _, second = pair()
    first = another(0)
    for said in second.core.registrations.known():
        first.core.registrations.learn(said)
    assert routed(first) == SERVICE
    assert first.core.outages.trunks == set()
    ladder = asked(first)
    ladder = ladder >> ok(ladder[b"REGISTER"], 600, b"Service-Route: <sip:new.carrier.example;lr>")
    for said in second.core.registrations.known():
        first.core.registrations.learn(said)
    assert routed(first, 2) == [b"<sip:new.carrier.example;lr>"]


def test_only_the_first_worker_is_believed() -> None:
    """Others may know what is old."""
    ladder, second = pair()
    old = second.core.registrations.known()
    third = another(2)
    for said in ladder.world.core.registrations.known() + old:
        third.core.registrations.learn(said)
    ladder.world.core.registrations.tell = third.core.registrations.learn
    ladder.world.core.leave(ladder.world.now)
    third.core.registrations.learn(bytes((1,)) + old[0][1:])
    assert routed(third) == []


def test_nothing_is_told_twice() -> None:
    """A renewal that changes nothing is no news."""
    ladder, _ = pair()
    told: list[bytes] = []
    ladder.world.core.registrations.tell = told.append
    renewal = next_register(ladder, 600)
    assert renewal is not None
    ladder >> ok(renewal, 600, b"Service-Route: <sip:edge.carrier.example;lr>")
    assert told == []
