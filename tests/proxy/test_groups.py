"""Groups of trunks, as draws and as ladders."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.groups import Group, Member, order
from proxy.hop import Hop
from proxy.outages import SILENT_FOR
from tests.agents import ALICE, CARRIER, PBX, PSAP, SECOND, Agent, Packet, read
from tests.ladder import Ladder, Restart, Sent, Silence, Wait, kind
from tests.world import SETTINGS, World, settings

INVITE = ALICE.invite()
THIRD = Agent(("198.51.100.9", 5060), b"gateway3")
MEMBERS = {"carrier": CARRIER, "second": SECOND, "third": THIRD}
BY_ADDRESS = {agent.address: agent for agent in (*MEMBERS.values(), PSAP)}


def world(*members: dict[str, Any], **changes: Any) -> World:
    """A world whose phones reach one group; by default its members are asked in the order of their names."""
    chosen = members or tuple({"trunk": name, "priority": number} for number, name in enumerate(MEMBERS))
    trunks = changes.pop("trunks", {})
    third = {"name": "third", "hosts": ["198.51.100.9:5060"], "listener": "main"}
    group = {"name": "all", "members": list(chosen), **changes.pop("group", {})}
    routes = changes.pop("routes", [{"source": "trunk", "to": ["core"]}, {"to": ["all"]}])
    return World(
        settings(
            trunks=[{**each, **trunks.get(each["name"], {})} for each in (*SETTINGS["trunks"], third)],
            groups=[group], routes=routes, **changes,
        )
    )  # fmt: skip


def called(*members: dict[str, Any], invite: Packet = INVITE, **changes: Any) -> Ladder:
    """A call that has reached the first member."""
    return Ladder(world(*members, **changes)) >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def refuse(ladder: Ladder, agent: Agent, status: int = 503, headers: tuple[bytes, ...] = ()) -> Ladder:
    return ladder >> agent.answer(ladder[b"INVITE"], status, headers=headers) << Sent(agent, b"ACK")


def reached(ladder: Ladder, number: int) -> Agent:
    """Place another call and return who got it."""
    ladder = ladder >> ALICE.invite(branch=b"z9hG4bKn%d" % number, call_id=b"%d@x" % number) << Sent(ALICE, 100)
    address, data = ladder.left.pop(0)
    ladder.seen[kind(data)] = data
    assert not ladder.left
    return BY_ADDRESS[address]


# --- the draw


def group(*members: tuple[int, int]) -> Group:
    party: Any = None
    hops = [Hop(party, str(number), 5060, ("", 0)) for number in range(len(members))]
    return Group("g", tuple([Member(hop, *each) for hop, each in zip(hops, members, strict=True)]), 5.0)


def names(found: Group, seed: bytes) -> list[int]:
    return [int(hop.host) for hop in order(found, seed)]


PLANS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 65535)), min_size=1, max_size=8)


@given(PLANS, st.binary(min_size=1, max_size=16))
def test_an_order_names_each_member_once_by_priority_and_is_repeated(plan: list[tuple[int, int]], seed: bytes) -> None:
    found = names(group(*plan), seed)
    assert sorted(found) == list(range(len(plan)))
    assert [plan[each][0] for each in found] == sorted(priority for priority, _ in plan)
    assert names(group(*plan), seed) == found


@given(PLANS, st.binary(min_size=1, max_size=16))
def test_weight_0_comes_after_all_others_of_its_priority(plan: list[tuple[int, int]], seed: bytes) -> None:
    found = [plan[each] for each in names(group(*plan), seed)]
    for one, other in pairwise(found):
        assert one[0] < other[0] or one[1] > 0 or other[1] == 0


@given(st.lists(st.integers(1, 20), min_size=2, max_size=4))
def test_weights_are_shares(weights: list[int]) -> None:
    """Within five standard deviations of what 400 draws allow."""
    found = Counter(names(group(*((1, weight) for weight in weights)), b"%d" % number)[0] for number in range(400))
    for number, weight in enumerate(weights):
        share = weight / sum(weights)
        assert abs(found[number] - 400 * share) <= 5 * (400 * share * (1 - share)) ** 0.5 + 1


# --- the ladders


def test_a_group_answers_like_a_trunk() -> None:
    ladder = called()
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    ladder = ladder >> ALICE.within(b"ACK", ladder[200], own=INVITE, cseq=1) << Sent(CARRIER, b"ACK")
    assert ladder >> ALICE.within(b"BYE", ladder[200], own=INVITE) << Sent(CARRIER, b"BYE") << Silence()


def test_a_request_is_repeated_to_the_same_member_after_a_restart() -> None:
    """By equal weights calls are spread, and the same one goes where it went, in the same branch."""
    even = [{"trunk": name} for name in MEMBERS]
    ladder = Ladder(world(*even))
    there = [reached(ladder, number) for number in range(12)]
    assert len(set(there)) == 3
    before = read(ladder[b"INVITE"]).via.branch
    ladder = ladder >> Restart()
    assert [reached(ladder, number) for number in range(12)] == there
    assert read(ladder[b"INVITE"]).via.branch == before


def test_503_goes_to_the_next_trunk_and_the_answer_of_the_last_one_is_the_caller_s() -> None:
    ladder = refuse(called(), CARRIER) << Sent(SECOND, b"INVITE") << Silence()
    ladder = refuse(ladder, SECOND) << Sent(THIRD, b"INVITE") << Silence()
    assert refuse(ladder, THIRD) << Sent(ALICE, 500) << Silence()
    assert ladder.world.count("failovers", "503") == 2


def test_the_addresses_of_a_trunk_are_tried_before_the_next_trunk() -> None:
    more = {"carrier": {"hosts": ["198.51.100.7:5060", "198.51.100.17:5060"]}}
    spare = Agent(("198.51.100.17", 5060), b"spare")
    ladder = refuse(called(trunks=more), CARRIER) << Sent(spare, b"INVITE")
    assert refuse(ladder, spare) << Sent(SECOND, b"INVITE")


def test_a_member_by_name_is_looked_up_when_its_turn_comes() -> None:
    named = {"second": {"hosts": ["gw.second.example"], "networks": ["198.51.100.8"]}}
    ladder = called(trunks=named)
    assert ladder.world.lookups == []
    ladder = refuse(ladder, CARRIER) << Silence()
    ticket, host, _ = ladder.world.lookups[0]
    assert host == "gw.second.example"
    before = len(ladder.world.sent)
    ladder.world.core.resume(ticket, (), ladder.world.now)  # served nowhere: the one after it
    ladder.left += ladder.world.sent[before:]
    assert ladder << Sent(THIRD, b"INVITE")


@pytest.mark.parametrize("status", [302, 404, 480, 486, 500, 502, 603])
def test_any_other_refusal_is_the_answer(status: int) -> None:
    assert refuse(called(), CARRIER, status) << Sent(ALICE, status) << Silence()


def test_what_has_rung_is_the_answer() -> None:
    ladder = called()
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    assert refuse(ladder, CARRIER) << Sent(ALICE, 500) << Silence()


def test_no_way_there_goes_on() -> None:
    there = world()
    there.refuse_send.add(CARRIER.address)
    assert Ladder(there) >> INVITE << Sent(ALICE, 100) >> Wait(0.1) << Sent(SECOND, b"INVITE")


# --- silence


def silent(ladder: Ladder, seconds: float = 5.05) -> Ladder:
    """Let time pass in which the first target says nothing, and overlook what is sent there again."""
    ladder = ladder >> Wait(seconds)
    ladder.left = [each for each in ladder.left if each[0] != CARRIER.address]
    return ladder


def test_a_group_has_less_patience_than_timer_b() -> None:
    """And the next calls have none: they begin with the others."""
    ladder = called() >> Wait(4.8)
    assert {address for address, _ in ladder.left} == {CARRIER.address}
    ladder.left.clear()
    ladder = silent(ladder, 0.3) << Sent(SECOND, b"INVITE") << Silence()
    assert ladder.world.count("failovers", "timeout") == 1
    ladder = ladder >> SECOND.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    assert reached(ladder, 1) is SECOND


def test_its_patience_is_configured() -> None:
    ladder = silent(called(group={"failover": 2.0}), 1.9) << Silence()
    assert silent(ladder, 0.2) << Sent(SECOND, b"INVITE")


def test_the_last_target_has_timer_b() -> None:
    ladder = called({"trunk": "carrier"}, {"trunk": "second", "priority": 2})
    ladder = silent(ladder) << Sent(SECOND, b"INVITE")
    ladder = ladder >> Wait(20)
    assert {address for address, _ in ladder.left} == {CARRIER.address, SECOND.address}
    ladder = ladder >> SECOND.answer(ladder[b"INVITE"], 180)
    assert ladder.left[-1][0] == ALICE.address


def test_100_is_a_word() -> None:
    ladder = called()
    assert ladder >> CARRIER.answer(ladder[b"INVITE"], 100) >> Wait(60) << Silence()


def test_a_caller_who_hangs_up_is_not_taken_elsewhere() -> None:
    """The CANCEL waits for a word of the silent target, and when its time has come no further one gets the call."""
    ladder = called() >> ALICE.cancel(INVITE) << Sent(ALICE, 200)
    assert silent(ladder, 10) << Silence()


def test_a_message_is_not_sent_twice_for_want_of_patience() -> None:
    """Nothing takes it back; a group's patience is for INVITE alone."""
    message = ALICE.request(b"MESSAGE")
    ladder = Ladder(world()) >> message << Sent(CARRIER, b"MESSAGE")
    ladder = ladder >> Wait(20)
    assert {address for address, data in ladder.left if data.startswith(b"MESSAGE")} == {CARRIER.address}


def test_members_that_are_out_come_last_and_one_call_tries_them() -> None:
    ladder = Ladder(world())
    for agent in (CARRIER, SECOND):
        ladder.world.core.outages.silent(agent.address, ladder.world.now)
    assert reached(ladder, 1) is THIRD
    ladder = refuse(ladder, THIRD) << Sent(CARRIER, b"INVITE")  # nobody is left out
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 486) << Sent(CARRIER, b"ACK") << Sent(ALICE, 486)
    ladder.world.core.outages.silent(CARRIER.address, ladder.world.now)
    ladder = ladder >> Wait(SILENT_FOR)
    ladder.left.clear()
    ladder.world.core.outages.silent(SECOND.address, ladder.world.now)
    assert [reached(ladder, number) for number in (2, 3)] == [CARRIER, THIRD]


# --- forks, breadth


def test_a_group_is_one_branch_of_a_fork() -> None:
    """It takes its share of Max-Breadth along (RFC 5393 §5.3.3), and a fork's 2xx ends the search."""
    routes = [{"to": ["all", "core"]}]
    ladder = Ladder(world({"trunk": "carrier"}, {"trunk": "second", "priority": 2}, routes=routes)) >> ALICE.invite(
        headers=(b"Max-Breadth: 7", b"Content-Type: application/sdp")
    )
    ladder = ladder << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    first = read(ladder[b"INVITE"])
    ladder = ladder << Sent(PBX, b"INVITE")
    core = ladder[b"INVITE"]
    ladder = ladder >> CARRIER.answer(first.raw, 503) << Sent(CARRIER, b"ACK") << Sent(SECOND, b"INVITE")
    second = ladder[b"INVITE"]
    assert read(second).value(b"max-breadth") == first.value(b"max-breadth") == b"4"
    ladder = ladder >> SECOND.answer(second, 100) >> PBX.answer(core, 200) << Sent(ALICE, 200)
    ladder = ladder << Sent(SECOND, b"CANCEL")
    assert ladder >> SECOND.answer(second, 487) << Sent(SECOND, b"ACK") << Silence()


def test_nobody_is_tried_once_another_branch_has_decided() -> None:
    routes = [{"to": ["all", "core"]}]
    ladder = Ladder(world(routes=routes)) >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    carrier = ladder[b"INVITE"]
    ladder = ladder << Sent(PBX, b"INVITE") >> CARRIER.answer(carrier, 100)
    ladder = ladder >> PBX.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200) << Sent(CARRIER, b"CANCEL")
    assert ladder >> CARRIER.answer(carrier, 503) << Sent(CARRIER, b"ACK") << Silence()


# --- contracts


SECRETS = (b"alice", b"Alice Liddell", b"iPhone")
SHOWN = {"name": "keep", "number": "keep", "network": "keep"}
OPEN = {"name": "keep", "number": "keep", "software": "keep"}


@pytest.mark.parametrize("strict_first", [True, False])
def test_no_contract_is_another_s(strict_first: bool) -> None:
    """Each member gets what its own contract lets it see, whichever comes first, in requests and in the dialog."""
    contracts = {"second" if strict_first else "carrier": {"privacy": OPEN, "trusted": True}}
    phone = ALICE.invite(headers=(b"User-Agent: iPhone", b"Content-Type: application/sdp"))
    ladder = called(invite=phone, trunks=contracts)
    first = ladder[b"INVITE"]
    ladder = refuse(ladder, CARRIER) << Sent(SECOND, b"INVITE")
    second = ladder[b"INVITE"]
    ladder = ladder >> SECOND.answer(second, 200) << Sent(ALICE, 200)
    ladder = ladder >> ALICE.within(b"INFO", ladder[200], own=phone, cseq=2, headers=(b"User-Agent: iPhone",))
    ladder = ladder << Sent(SECOND, b"INFO")
    strict, other = ([first], [second, ladder[b"INFO"]]) if strict_first else ([second, ladder[b"INFO"]], [first])
    assert not [secret for secret in SECRETS for data in strict if secret in data]
    assert b"Alice Liddell" in other[0]
    assert b"iPhone" in other[0]
    assert read(first).call_id != read(second).call_id or not strict_first


def test_what_one_member_may_not_have_the_next_may() -> None:
    """`Privacy: critical` that the first one's contract keeps from being done; both refusing, the caller hears it."""
    wish = (b"Privacy: header;critical", b"Content-Type: application/sdp")
    ladder = Ladder(world(trunks={"carrier": {"privacy": SHOWN}}))
    ladder = ladder >> ALICE.invite(headers=wish) << Sent(ALICE, 100) << Sent(SECOND, b"INVITE")
    assert ladder << Silence()
    open_all = {name: {"privacy": SHOWN} for name in MEMBERS}
    assert Ladder(world(trunks=open_all)) >> ALICE.invite(headers=wish) << Sent(ALICE, 500) << Silence()


@pytest.mark.parametrize("limit", [{"refuse_bodies": True}, {"max_datagram": 1300}])
def test_what_one_member_cannot_be_sent_the_next_can(limit: dict[str, Any]) -> None:
    """A body that may not pass, a datagram that is too large; where it is so for all, the caller hears it."""
    big = ALICE.invite(headers=(b"Content-Type: text/plain",), body=b"x" * 1300)
    content = {"privacy": {"content": "keep" if "max_datagram" in limit else "remove"}}
    ladder = Ladder(world(trunks={"carrier": {**limit, **content}, "second": {"privacy": {"content": "keep"}}}))
    ladder = ladder >> big << Sent(ALICE, 100) << Sent(SECOND, b"INVITE") << Silence()
    assert ladder.world.count("failovers", "contract") == 1
    none = Ladder(world(trunks={name: {**limit, **content} for name in MEMBERS})) >> big << Sent(ALICE, 100)
    assert none << Sent(ALICE, 513 if "max_datagram" in limit else 415) << Silence()


def test_a_failed_over_call_keeps_the_generation_that_it_came_in() -> None:
    """A reload that opens a contract meanwhile opens nothing for it."""
    ladder = called()
    there = ladder.world
    opened = [
        {**each, "privacy": OPEN} for each in (*SETTINGS["trunks"], {**SETTINGS["trunks"][1], "name": "third",
                                                                     "hosts": ["198.51.100.9:5060"]})
    ]  # fmt: skip
    there.reload(trunks=opened, groups=[], routes=[])
    ladder = refuse(ladder, CARRIER) << Sent(SECOND, b"INVITE")
    assert b"alice" not in ladder[b"INVITE"]


# --- emergency calls


def emergency_world() -> World:
    help_ = {"emergency": True}
    return world(
        {"trunk": "psap"}, {"trunk": "second", "priority": 2}, trunks={"second": help_},
        routes=[{"emergency": True, "to": ["all"]}],
    )  # fmt: skip


@pytest.mark.parametrize("status", [500, 502, 503, 580])
def test_an_emergency_call_goes_on_after_any_failure_of_a_server(status: int) -> None:
    """Complete, and even after ringing."""
    call = ALICE.invite(uri=b"urn:service:sos")
    ladder = Ladder(emergency_world()) >> call << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
    ladder = ladder >> PSAP.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    ladder = refuse(ladder, PSAP, status) << Sent(SECOND, b"INVITE")
    assert b"Alice Liddell" in ladder[b"INVITE"]
    assert ladder >> SECOND.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)


def test_an_emergency_call_does_not_go_on_after_busy() -> None:
    call = ALICE.invite(uri=b"urn:service:sos")
    ladder = Ladder(emergency_world()) >> call << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
    assert refuse(ladder, PSAP, 486) << Sent(ALICE, 486)
