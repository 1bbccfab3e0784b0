"""How many calls a trunk has, as ladders."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.trunk_limits import TrunkLimits
from tests.agents import ALICE, CARRIER, PBX, SECOND, Agent, Packet, read
from tests.ladder import Ladder, Restart, Sent, Silence, Wait
from tests.proxy.test_groups import MEMBERS, emergency_world, reached, refuse, silent, world
from tests.world import SETTINGS, World, settings

ALL_LIMITED = {name: {"limits": {"calls": 1}} for name in MEMBERS}
ROUTES = [{"source": "trunk", "to": ["core"]}, {"to": ["carrier"]}]


def alone(**limits: Any) -> Ladder:
    """A world with one trunk for phones, which has these limits."""
    trunks = [{**SETTINGS["trunks"][0], "limits": limits}, *SETTINGS["trunks"][1:]]
    return Ladder(World(settings(trunks=trunks, routes=ROUTES)))


def call(number: int) -> Packet:
    return ALICE.invite(branch=b"z9hG4bKc%d" % number, call_id=b"c%d@x" % number)


def placed(ladder: Ladder, number: int, agent: Agent = CARRIER) -> Ladder:
    return ladder >> call(number) << Sent(ALICE, 100) << Sent(agent, b"INVITE")


def is_full(ladder: Ladder, number: int) -> bool:
    """Place a call that is refused."""
    invite = call(number)
    ladder = ladder >> invite << Sent(ALICE, 480) << Silence()
    told = ladder[480].split(b"\r\n")
    assert (told[0], any(line.startswith(b"Retry-After: ") for line in told)) == (b"SIP/2.0 480 Trunk Is Full", True)
    ladder >> ALICE.ack_failure(invite, ladder[480])
    return True


def counted(ladder: Ladder) -> int:
    return ladder.world.core.limits.calls("carrier")


def test_a_full_trunk_takes_no_further_call() -> None:
    ladder = placed(placed(alone(calls=2), 1), 2)
    assert is_full(ladder, 3)
    assert ladder.world.count("trunk_limits_reached", "calls") == 1


def test_a_group_passes_over_a_full_member() -> None:
    limits = {"limits": {"calls": 1}}
    ladder = Ladder(world(trunks={"carrier": limits, "second": limits}))
    assert [reached(ladder, number) for number in range(4)] == [*MEMBERS.values(), MEMBERS["third"]]


def test_where_all_are_full_the_caller_is_told() -> None:
    ladder = Ladder(world(trunks=ALL_LIMITED))
    assert [reached(ladder, number) for number in range(3)] == list(MEMBERS.values())
    assert is_full(ladder, 9)


def test_failover_passes_over_a_full_member_too() -> None:
    """And counts the call where it is, not where it failed."""
    ladder = Ladder(world(trunks=ALL_LIMITED))
    ladder = placed(ladder, 1)
    first = ladder[b"INVITE"]
    ladder = placed(ladder, 2, SECOND)
    ladder = ladder >> CARRIER.answer(first, 503) << Sent(CARRIER, b"ACK") << Sent(MEMBERS["third"], b"INVITE")
    limits = ladder.world.core.limits
    assert [limits.calls(name) for name in MEMBERS] == [0, 1, 1]
    assert reached(ladder, 3) is CARRIER


def test_a_call_that_was_taken_from_a_silent_member_is_not_counted_there() -> None:
    ladder = placed(Ladder(world(trunks=ALL_LIMITED)), 1)
    ladder = silent(ladder) << Sent(SECOND, b"INVITE")
    assert [ladder.world.core.limits.calls(name) for name in MEMBERS] == [0, 1, 0]


@pytest.mark.parametrize("status", [486, 500, 503, 603])
def test_a_call_that_fails_is_counted_no_more(status: int) -> None:
    ladder = refuse(placed(alone(calls=1), 1), CARRIER, status)
    ladder.left.clear()
    assert placed(ladder, 2)


def test_a_call_that_is_cancelled_is_counted_no_more() -> None:
    ladder = placed(alone(calls=1), 1)
    invite = ladder[b"INVITE"]
    ladder = ladder >> CARRIER.answer(invite, 180) << Sent(ALICE, 180) >> ALICE.cancel(call(1))
    ladder = ladder << Sent(ALICE, 200) << Sent(CARRIER, b"CANCEL") >> CARRIER.answer(invite, 487)
    assert counted(ladder) == 0


def up(ladder: Ladder, number: int = 1) -> tuple[Ladder, Packet]:
    """A call that is up, and the carrier's answer."""
    ladder = placed(ladder, number)
    answer = CARRIER.answer(ladder[b"INVITE"], 200)
    return ladder >> answer << Sent(ALICE, 200), answer


@pytest.mark.parametrize("by_trunk", [True, False])
def test_a_bye_from_either_side_ends_it(by_trunk: bool) -> None:
    ladder, answer = up(alone(calls=1))
    assert is_full(ladder, 2)
    if by_trunk:
        assert ladder >> CARRIER.within(b"BYE", ladder[b"INVITE"], own=answer) << Sent(ALICE, b"BYE")
    else:
        assert ladder >> ALICE.within(b"BYE", ladder[200], own=call(1)) << Sent(CARRIER, b"BYE")
    assert counted(ladder) == 0
    assert placed(ladder, 3)


def test_a_reinvite_that_is_refused_ends_nothing() -> None:
    ladder, _ = up(alone(calls=1))
    ladder = ladder >> ALICE.within(b"INVITE", ladder[200], own=call(1)) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert refuse(ladder, CARRIER, 488) << Sent(ALICE, 488)
    assert counted(ladder) == 1


def test_a_quiet_call_is_forgotten_and_a_lively_one_is_not() -> None:
    """A BYE that never came costs the trunk a call for a while, and not for ever."""
    ladder, _ = up(alone(calls=2, quiet=600))
    ladder = ladder << Silence()
    ladder, _ = up(ladder, 2)
    ladder = ladder >> Wait(400)
    ladder.left.clear()
    lively = ALICE.within(b"UPDATE", ladder[200], own=call(2), cseq=3)
    ladder = ladder >> lively << Sent(CARRIER, b"UPDATE")
    assert is_full(ladder, 3)
    ladder = ladder >> Wait(300)
    ladder.left.clear()
    assert placed(ladder, 4)
    assert counted(ladder) == 2


def test_a_call_from_before_a_restart_is_counted_from_its_reinvite_on() -> None:
    ladder, _ = up(alone(calls=1))
    ladder = ladder >> Restart()
    assert counted(ladder) == 0
    ladder = ladder >> ALICE.within(b"INVITE", ladder[200], own=call(1)) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert is_full(ladder, 2)


def test_a_call_that_comes_from_the_trunk_is_not_limited() -> None:
    """The trunk limits those itself; and what comes within them counts nothing but calls."""
    ladder = alone(calls=1)
    ladder = ladder >> CARRIER.invite(call_id=b"in@x") << Sent(CARRIER, 100) << Sent(PBX, b"INVITE")
    assert counted(ladder) == 0
    assert placed(ladder, 1)


def test_a_rate_is_a_second_s_worth_at_once() -> None:
    ladder = placed(placed(alone(rate=2.0), 1), 2)
    assert is_full(ladder, 3)
    ladder = ladder >> Wait(0.5)
    ladder.left.clear()
    assert is_full(placed(ladder, 4), 5)
    assert ladder.world.count("trunk_limits_reached", "rate") == 2
    assert counted(ladder) == 0, "there is no limit of calls, so none is remembered"


def test_a_slow_rate_lets_one_call_in() -> None:
    ladder = placed(alone(rate=0.1), 1)
    assert is_full(ladder, 2)
    ladder = ladder >> Wait(10.05)
    ladder.left.clear()
    assert placed(ladder, 3)


def test_other_methods_are_no_calls() -> None:
    ladder = placed(alone(calls=1, rate=1.0), 1)
    message = ALICE.request(b"MESSAGE", branch=b"z9hG4bKm", call_id=b"m@x")
    assert ladder >> message << Sent(CARRIER, b"MESSAGE")


def test_emergency_calls_are_never_limited() -> None:
    """They are counted, for they take the trunk's room."""
    there = emergency_world()
    trunks = [
        each.model_copy(update={"limits": settings(
            trunks=[{**SETTINGS["trunks"][0], "limits": {"calls": 1, "rate": 1.0}}], routes=[]
        ).trunks[0].limits})
        for each in there.settings.trunks
    ]  # fmt: skip
    ladder = Ladder(World(there.settings.model_copy(update={"trunks": tuple(trunks)})))
    for number in range(5):
        sos = ALICE.invite(uri=b"urn:service:sos", branch=b"z9hG4bKs%d" % number, call_id=b"s%d@x" % number)
        ladder = ladder >> sos << Sent(ALICE, 100)
        assert read(ladder.left.pop()[1]).method == b"INVITE"
    assert ladder.world.core.limits.calls("psap") == 2, "memory is bounded all the same"


def test_a_reload_forgets_trunks_that_are_limited_no_more() -> None:
    ladder = placed(alone(calls=1), 1)
    ladder.world.reload(routes=ROUTES)
    assert (counted(ladder), ladder.world.core.limits.active) == (0, False)
    assert placed(ladder, 2)


def test_workers_share_a_limit() -> None:
    trunk = settings(trunks=[{**SETTINGS["trunks"][0], "limits": {"calls": 5, "rate": 8.0}}], routes=[]).trunks[0]
    limits = TrunkLimits(2)
    for number in range(3):
        assert limits.reached(trunk, 0.0) == ""
        limits.take(trunk, b"%d" % number, 0.0)
    assert limits.reached(trunk, 0.0) == "calls"
    for number in range(3):
        limits.take(trunk, b"%d" % number, 0.0)
    assert limits.calls("carrier") == 3
