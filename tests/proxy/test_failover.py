"""From one target to the next (RFC 3263 §4.3, RFC 3261 §16.9), as ladders."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.failover import MAX_TRIES
from proxy.location import Place, plain
from proxy.outages import SILENT_FOR
from proxy.transaction import ServerTransaction
from tests.agents import ALICE, CARRIER, PBX, SECOND, Agent, Packet, read
from tests.ladder import Ladder, Restart, Sent, Silence, Wait, kind
from tests.world import SETTINGS, World, settings

INVITE = ALICE.invite()
SPARE = Agent(("198.51.100.17", 5060), b"spare")
THIRD = Agent(("198.51.100.18", 5070), b"third")
LISTED = ["198.51.100.7", "198.51.100.17", "198.51.100.18:5070"]


def trunk(*hosts: str, **changes: Any) -> World:
    """A world whose carrier has these hosts; its networks hold SPARE and THIRD."""
    networks = ["198.51.100.7", "198.51.100.16/28"]
    carrier = {**SETTINGS["trunks"][0], "hosts": list(hosts), "networks": networks}
    return World(settings(trunks=[carrier, *SETTINGS["trunks"][1:]], **changes))


def called(*hosts: str, invite: Packet = INVITE, **changes: Any) -> Ladder:
    """A call that has reached the carrier's first host."""
    ladder = Ladder(trunk(*hosts or LISTED[:2], **changes))
    return ladder >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def refuse(ladder: Ladder, agent: Agent, status: int = 503, headers: tuple[bytes, ...] = ()) -> Ladder:
    """Let the last INVITE be refused by the agent that has it."""
    return ladder >> agent.answer(ladder[b"INVITE"], status, headers=headers)


def test_503_goes_to_the_next_target_in_a_branch_of_its_own() -> None:
    """RFC 3263 §4.3: a new transaction, a new branch, and an edit from what came, not from what left."""
    ladder = called()
    first = read(ladder[b"INVITE"])
    ladder = refuse(ladder, CARRIER) << Sent(CARRIER, b"ACK") << Sent(SPARE, b"INVITE") << Silence()
    second = read(ladder[b"INVITE"])
    assert first.via.branch != second.via.branch
    rest = [name for name in first.names if name not in (b"via", b"record-route")]
    same = [first.value(name) for name in rest] == [second.value(name) for name in rest]
    assert (same, first.uri, first.body) == (True, second.uri, second.body)
    assert len(second.items(b"via")) == 1
    ladder = ladder >> SPARE.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    ladder = ladder >> ALICE.within(b"ACK", ladder[200], own=INVITE, cseq=1) << Sent(SPARE, b"ACK")
    assert ladder >> ALICE.within(b"BYE", ladder[200], own=INVITE) << Sent(SPARE, b"BYE")
    assert ladder.world.count("failovers", "503") == 1
    assert "failover" in {event.kind for event in ladder.world.events}


def test_it_is_a_branch_that_a_restart_repeats() -> None:
    """Each target's branch follows from the request and the target (dialogs.md)."""
    ladder = refuse(called(), CARRIER) << Sent(CARRIER, b"ACK") << Sent(SPARE, b"INVITE")
    before = read(ladder[b"INVITE"]).via.branch
    ladder = ladder >> Restart() >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = refuse(ladder, CARRIER) << Sent(CARRIER, b"ACK") << Sent(SPARE, b"INVITE")
    assert read(ladder[b"INVITE"]).via.branch == before


def test_a_repeated_503_of_the_former_target_gets_its_ack_again() -> None:
    """The ACK belongs to the target that refused (RFC 3263 §4), and nothing else happens."""
    ladder = called()
    refused = CARRIER.answer(ladder[b"INVITE"], 503)
    ladder = ladder >> refused << Sent(CARRIER, b"ACK") << Sent(SPARE, b"INVITE")
    assert ladder >> refused << Sent(CARRIER, b"ACK") << Silence()


@pytest.mark.parametrize("status", [302, 403, 404, 408, 480, 486, 500, 502, 504, 603])
def test_any_other_refusal_is_the_answer(status: int) -> None:
    """§4.3 names 503 alone: another server of the same trunk would say the same."""
    assert refuse(called(), CARRIER, status) << Sent(CARRIER, b"ACK") << Sent(ALICE, status)


def test_when_all_have_refused_the_caller_hears_it() -> None:
    """503 goes back as 500 (§16.7 item 6), and once."""
    ladder = called(*LISTED)
    for agent, after in ((CARRIER, SPARE), (SPARE, THIRD)):
        ladder = refuse(ladder, agent) << Sent(agent, b"ACK") << Sent(after, b"INVITE")
    assert refuse(ladder, THIRD) << Sent(THIRD, b"ACK") << Sent(ALICE, 500) << Silence()


def test_no_answer_within_timer_b_goes_on() -> None:
    """And is remembered: the next call does not wait."""
    ladder = called() >> Wait(31.7)
    ladder.left.clear()  # retransmissions of timer A
    ladder = ladder >> Wait(0.5) << Sent(SPARE, b"INVITE") << Silence()
    ladder = ladder >> SPARE.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    again = ALICE.invite(branch=b"z9hG4bKnext", call_id=b"next@x")
    assert ladder >> again << Sent(ALICE, 100) << Sent(SPARE, b"INVITE")
    assert ladder.world.core.gauges()["sipveil_targets_passed_over"] == 1
    assert ladder.world.count("failovers", "timeout") == 1


def test_calls_of_the_next_seconds_do_not_wait_for_timer_b() -> None:
    """After 4 s without a word further calls go elsewhere; the one that waits may still be answered."""
    ladder = called() >> Wait(4.1)
    waiting = ladder[b"INVITE"]
    ladder.left.clear()
    ladder = ladder >> ALICE.invite(branch=b"z9hG4bKnext", call_id=b"next@x") << Sent(ALICE, 100)
    ladder = ladder << Sent(SPARE, b"INVITE") >> CARRIER.answer(waiting, 180) << Sent(ALICE, 180)
    ladder = ladder >> ALICE.invite(branch=b"z9hG4bKlast", call_id=b"last@x") << Sent(ALICE, 100)
    assert ladder << Sent(CARRIER, b"INVITE")


def test_a_target_that_rings_long_is_not_in_doubt() -> None:
    """100 is a word."""
    ladder = called() >> (lambda it: CARRIER.answer(it[b"INVITE"], 100)) << Silence() >> Wait(10) << Silence()
    assert not ladder.world.core.outages.marks


def test_a_late_answer_of_the_former_target_is_a_stray() -> None:
    """Its transaction has ended: what comes 32 s late disturbs nothing."""
    ladder = called()
    late = CARRIER.answer(ladder[b"INVITE"], 180)
    ladder = ladder >> Wait(33)
    ladder.left.clear()
    assert ladder >> late << Silence()
    assert ladder.world.count("dropped", "stray-response") == 1


def test_a_silent_target_is_tried_again_by_one_call() -> None:
    """The second call of that moment still passes it over; once it answers it is back for all."""
    ladder = called() >> Wait(33)
    spare = ladder.left[-1][1]
    ladder = ladder >> SPARE.answer(spare, 180) >> Wait(SILENT_FOR)
    ladder.left.clear()

    def call(number: int, reached: Agent) -> None:
        nonlocal ladder
        invite = ALICE.invite(branch=b"z9hG4bKn%d" % number, call_id=b"%d@x" % number)
        ladder = ladder >> invite << Sent(ALICE, 100) << Sent(reached, b"INVITE")

    call(1, CARRIER)
    probe = ladder[b"INVITE"]
    call(2, SPARE)
    ladder = ladder >> CARRIER.answer(probe, 180) << Sent(ALICE, 180)
    call(3, CARRIER)
    assert ladder


def test_no_way_there_goes_on_at_once() -> None:
    """§16.9: a transport error is as a 503."""
    world = trunk(*LISTED[:2])
    world.refuse_send.add(CARRIER.address)
    ladder = Ladder(world) >> INVITE << Sent(ALICE, 100) << Silence() >> Wait(0.1) << Sent(SPARE, b"INVITE")
    assert ladder
    assert world.count("failovers", "transport") == 1


@pytest.mark.parametrize(
    ("value", "reached"),
    [(b"60", SPARE), (b"60 (busy);duration=9", SPARE), (b"0", CARRIER), (b"soon", CARRIER), (None, CARRIER)],
)
def test_retry_after_keeps_a_target_out(value: bytes | None, reached: Agent) -> None:
    """RFC 3261 §21.5.4: nothing is sent there until then, and without the header nothing is known."""
    headers = (b"Retry-After: " + value,) if value else ()
    ladder = refuse(called(), CARRIER, headers=headers) << Sent(CARRIER, b"ACK") << Sent(SPARE, b"INVITE")
    again = ALICE.invite(branch=b"z9hG4bKnext", call_id=b"next@x")
    ladder = ladder >> again << Sent(ALICE, 100) << Sent(reached, b"INVITE")
    assert ladder
    ladder = ladder >> Wait(61)
    ladder.left.clear()
    assert (
        ladder >> ALICE.invite(branch=b"z9hG4bKlast", call_id=b"last@x") << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    )


def test_where_all_are_out_all_are_tried() -> None:
    """What is remembered never loses a call."""
    ladder = called()
    for agent in (CARRIER, SPARE):
        ladder.world.core.outages.silent(agent.address, ladder.world.now)
    again = ALICE.invite(branch=b"z9hG4bKnext", call_id=b"next@x")
    ladder = ladder >> again << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert refuse(ladder, CARRIER) << Sent(CARRIER, b"ACK") << Sent(SPARE, b"INVITE")


def test_one_host_is_never_out() -> None:
    """With no other to go to, a trunk that was silent is asked as before."""
    ladder = called("198.51.100.7")
    ladder.world.core.outages.silent(CARRIER.address, ladder.world.now)
    again = ALICE.invite(branch=b"z9hG4bKnext", call_id=b"next@x")
    assert ladder >> again << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_a_phone_is_not_remembered() -> None:
    """It has one address, and there are many of them."""
    ladder = Ladder() >> PBX.invite(uri=b"sip:alice@10.1.1.23:5062") << Sent(PBX, 100) << Sent(ALICE, b"INVITE")
    ladder = ladder >> Wait(33)
    assert not ladder.world.core.outages.marks


def test_cancel_ends_it() -> None:
    """A caller that has hung up is nobody's next call, whether the target refuses or stays silent."""
    ladder = called() >> ALICE.cancel(INVITE) << Sent(ALICE, 200) << Silence()
    assert refuse(ladder, CARRIER) << Sent(CARRIER, b"ACK") << Sent(ALICE, 500) << Silence()
    ladder = called() >> ALICE.cancel(INVITE) << Sent(ALICE, 200)
    ladder = ladder >> Wait(33)
    assert {(address, kind(data)) for address, data in ladder.left} == {
        (CARRIER.address, b"INVITE"), (ALICE.address, 487)
    }  # fmt: skip


def test_cancel_waits_for_a_word_of_the_target_that_has_the_call() -> None:
    """RFC 3261 §9.1: what the former target said is none of its."""
    ladder = called() >> (lambda it: CARRIER.answer(it[b"INVITE"], 100))
    ladder = refuse(ladder, CARRIER) << Sent(CARRIER, b"ACK") << Sent(SPARE, b"INVITE")
    ladder = ladder >> ALICE.cancel(INVITE) << Sent(ALICE, 200) << Silence()
    assert ladder >> SPARE.answer(ladder[b"INVITE"], 100) << Sent(SPARE, b"CANCEL")


def test_cancel_reaches_the_target_that_has_the_call() -> None:
    """RFC 3263 §4: CANCEL goes where the request went, and its branch is that one's."""
    ladder = refuse(called(), CARRIER) << Sent(CARRIER, b"ACK") << Sent(SPARE, b"INVITE")
    invite = ladder[b"INVITE"]
    ladder = ladder >> SPARE.answer(invite, 180) << Sent(ALICE, 180)
    ladder = ladder >> ALICE.cancel(INVITE) << Sent(ALICE, 200) << Sent(SPARE, b"CANCEL")
    assert read(ladder[b"CANCEL"]).via.branch == read(invite).via.branch
    assert ladder >> SPARE.answer(invite, 487) << Sent(SPARE, b"ACK") << Sent(ALICE, 487) << Silence()


def test_once_it_rings_its_answer_is_the_answer() -> None:
    """And the untouched request is let go of: a ringing call keeps what one with a single target keeps."""
    ladder = called()
    (server,) = (each for each in ladder.world.core.servers.values() if isinstance(each, ServerTransaction))
    assert server.context is not None
    assert server.context.request.body, "needed for the next target"
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 100) << Silence()
    assert server.context.request.body, "100 says nothing yet"
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    kept = server.context.request
    assert (kept.lines, kept.raw, kept.body) == ([], b"", b"")
    assert refuse(ladder, CARRIER) << Sent(CARRIER, b"ACK") << Sent(ALICE, 500) << Silence()


def test_the_last_target_keeps_nothing_either() -> None:
    """Nothing could be sent any more."""
    ladder = refuse(called(), CARRIER) << Sent(CARRIER, b"ACK") << Sent(SPARE, b"INVITE")
    (server,) = (each for each in ladder.world.core.servers.values() if isinstance(each, ServerTransaction))
    assert server.context is not None
    assert (server.context.request.lines, server.context.request.raw) == ([], b"")
    assert ladder >> SPARE.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)


def test_a_fork_fails_over_on_one_branch_with_its_share() -> None:
    """Max-Breadth is a branch's own: serial tries use it one after the other (RFC 5393 §5.3.3)."""
    invite = ALICE.request(uri=b"sip:9000@192.0.2.1")
    ladder = Ladder(trunk(*LISTED[:2])) >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    first = ladder[b"INVITE"]
    second = Agent(("198.51.100.8", 5060), b"second")
    ladder = ladder << Sent(second, b"INVITE")
    other = ladder[b"INVITE"]
    ladder = ladder >> CARRIER.answer(first, 503) << Sent(CARRIER, b"ACK") << Sent(SPARE, b"INVITE")
    assert read(ladder[b"INVITE"]).value(b"max-breadth") == read(first).value(b"max-breadth") == b"30"
    spare = ladder[b"INVITE"]
    ladder = ladder >> second.answer(other, 200, tag=b"s") << Sent(ALICE, 200)
    assert ladder >> SPARE.answer(spare, 100) << Sent(SPARE, b"CANCEL") << Silence()


def test_no_further_target_once_another_branch_has_decided() -> None:
    """A 503 that comes after a 2xx starts no second call."""
    invite = ALICE.request(uri=b"sip:9000@192.0.2.1")
    ladder = Ladder(trunk(*LISTED[:2])) >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    first = ladder[b"INVITE"]
    second = Agent(("198.51.100.8", 5060), b"second")
    ladder = ladder << Sent(second, b"INVITE")
    ladder = ladder >> second.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    assert ladder >> CARRIER.answer(first, 503) << Sent(CARRIER, b"ACK") << Silence()


def test_timer_c_bounds_all_tries_together() -> None:
    """Eight hosts that all are silent: no try begins after timer C."""
    hosts = [f"198.51.100.{number}" for number in range(17, 31)]
    ladder = Ladder(trunk(*hosts)) >> INVITE
    reached = {address for address, data in ladder.left if data.startswith(b"INVITE")}
    for _ in range(10):
        ladder = ladder >> Wait(33)
        reached |= {address for address, data in ladder.left if data.startswith(b"INVITE")}
    assert len(reached) == 6, "185 s are five times 32 s and some"
    assert read(ladder.left[-1][1]).status == 408


def test_tries_are_bounded() -> None:
    """However many hosts say 503 in however short a time."""
    agents = [Agent((f"198.51.100.{number}", 5060), b"x") for number in range(17, 31)]
    ladder = Ladder(trunk(*[agent.address[0] for agent in agents])) >> INVITE << Sent(ALICE, 100)
    for agent in agents[:MAX_TRIES]:
        ladder = ladder << Sent(agent, b"INVITE")
        ladder = refuse(ladder, agent) << Sent(agent, b"ACK")
    assert ladder << Sent(ALICE, 500)


def test_a_non_invite_fails_over_while_its_sender_waits() -> None:
    """On 503 and transport errors; after timer F the sender has given up and would be told twice (RFC 4320 §4)."""
    options = ALICE.request(b"OPTIONS")
    ladder = Ladder(trunk(*LISTED[:2])) >> options << Sent(CARRIER, b"OPTIONS")
    ladder = ladder >> CARRIER.answer(ladder[b"OPTIONS"], 503) << Sent(SPARE, b"OPTIONS")
    assert ladder >> SPARE.answer(ladder[b"OPTIONS"], 200) << Sent(ALICE, 200)
    ladder = Ladder(trunk(*LISTED[:2])) >> options << Sent(CARRIER, b"OPTIONS") >> Wait(40)
    assert SPARE.address not in {address for address, _ in ladder.left}
    ladder.left.clear()
    assert ladder >> ALICE.request(b"OPTIONS", branch=b"z9hG4bKnext") << Sent(SPARE, b"OPTIONS")


def test_a_target_that_said_something_was_not_silent() -> None:
    """100 and then nothing until timer F: it is slow, not dead."""
    ladder = Ladder(trunk(*LISTED[:2])) >> ALICE.request(b"OPTIONS") << Sent(CARRIER, b"OPTIONS")
    ladder = ladder >> CARRIER.answer(ladder[b"OPTIONS"], 100) >> Wait(40)
    ladder.left.clear()
    assert not ladder.world.core.outages.marks
    assert ladder


def test_what_the_former_target_said_is_none_of_the_next_ones() -> None:
    """The second one was silent, though the first had sent 100."""
    ladder = Ladder(trunk(*LISTED[:2])) >> ALICE.request(b"OPTIONS") << Sent(CARRIER, b"OPTIONS")
    request = ladder[b"OPTIONS"]
    ladder = (
        ladder >> CARRIER.answer(request, 100) >> CARRIER.answer(request, 503) << Sent(SPARE, b"OPTIONS") >> Wait(40)
    )
    assert set(ladder.world.core.outages.marks) == {SPARE.address}


def test_what_cannot_be_finished_is_not_tried_again() -> None:
    """513 is ours, and would be the same for the next host."""
    carrier = {**SETTINGS["trunks"][0], "hosts": LISTED[:2], "max_datagram": 1300}
    world = World(settings(trunks=[carrier, *SETTINGS["trunks"][1:]]))
    headers = tuple(b"Accept: application/sdp" for _ in range(40))
    assert Ladder(world) >> ALICE.request(headers=headers) << Sent(ALICE, 100) << Sent(ALICE, 513)


def test_requests_within_a_dialog_stay_where_it_is() -> None:
    """The dialog's state is at that host: its other hosts know nothing of it."""
    ladder = called() >> (lambda it: CARRIER.answer(it[b"INVITE"], 200)) << Sent(ALICE, 200)
    ladder = ladder >> ALICE.within(b"BYE", ladder[200], own=INVITE) << Sent(CARRIER, b"BYE")
    assert ladder >> CARRIER.answer(ladder[b"BYE"], 503) << Sent(ALICE, 500)


# --- emergency calls


def emergency() -> Ladder:
    """A call to a PSAP with two hosts."""
    psap = {**SETTINGS["trunks"][2], "hosts": ["198.51.100.112:5060", "198.51.100.113:5060"]}
    world = World(settings(trunks=[*SETTINGS["trunks"][:2], psap]))
    return Ladder(world) >> ALICE.invite(uri=b"urn:service:sos") << Sent(ALICE, 100)


PSAP_ONE, PSAP_TWO = Agent(("198.51.100.112", 5060), b"psap"), Agent(("198.51.100.113", 5060), b"psap2")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_emergency_call_goes_on_after_any_failure_of_a_server(status: int) -> None:
    """Even one that had begun to ring, and complete as the first one was."""
    ladder = emergency() << Sent(PSAP_ONE, b"INVITE")
    first = ladder[b"INVITE"]
    ladder = ladder >> PSAP_ONE.answer(first, 180) << Sent(ALICE, 180)
    ladder = refuse(ladder, PSAP_ONE, status) << Sent(PSAP_ONE, b"ACK") << Sent(PSAP_TWO, b"INVITE")
    assert read(ladder[b"INVITE"]).body == read(first).body
    assert read(ladder[b"INVITE"]).from_ == read(first).from_
    assert ladder >> PSAP_TWO.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)


def test_an_emergency_call_that_moved_on_stays_there() -> None:
    """What was sealed for the first target's ringing says nothing of the second: a fresh edit, in answers too."""
    contact = b"<sip:psap@inside.example>"
    ladder = emergency() << Sent(PSAP_ONE, b"INVITE")
    invite = ALICE.invite(uri=b"urn:service:sos")
    ladder = ladder >> PSAP_ONE.answer(ladder[b"INVITE"], 180, contact=contact) << Sent(ALICE, 180)
    ladder = refuse(ladder, PSAP_ONE) << Sent(PSAP_ONE, b"ACK") << Sent(PSAP_TWO, b"INVITE")
    ladder = ladder >> PSAP_TWO.answer(ladder[b"INVITE"], 200, contact=contact) << Sent(ALICE, 200)
    assert ladder >> ALICE.within(b"BYE", ladder[200], own=invite) << Sent(PSAP_TWO, b"BYE")


def test_an_emergency_call_is_nobodys_probe() -> None:
    """Others find out whether a silent target is back."""
    ladder = emergency() << Sent(PSAP_ONE, b"INVITE")
    ladder.world.core.outages.silent(PSAP_ONE.address, ladder.world.now - SILENT_FOR - 1)
    ladder = ladder >> ALICE.invite(uri=b"urn:service:sos", branch=b"z9hG4bKnext", call_id=b"n@x")
    assert ladder << Sent(ALICE, 100) << Sent(PSAP_TWO, b"INVITE")


def test_an_emergency_call_tries_those_that_are_out_too() -> None:
    """Last, but it does; and it is nobody's probe."""
    ladder = emergency() << Sent(PSAP_ONE, b"INVITE")
    ladder.world.core.outages.busy(PSAP_ONE.address, 300, ladder.world.now)
    ladder = ladder >> ALICE.invite(uri=b"urn:service:sos", branch=b"z9hG4bKnext", call_id=b"n@x")
    ladder = ladder << Sent(ALICE, 100) << Sent(PSAP_TWO, b"INVITE")
    assert refuse(ladder, PSAP_TWO) << Sent(PSAP_TWO, b"ACK") << Sent(PSAP_ONE, b"INVITE")


# --- names


def named(*hosts: str, **changes: Any) -> Ladder:
    """A call to a carrier that is configured by name, which is being looked up."""
    return Ladder(trunk(*hosts or ["sip.carrier.example"], **changes)) >> INVITE << Sent(ALICE, 100) << Silence()


def resume(ladder: Ladder, *places: Place) -> Ladder:
    """Answer the last look-up."""
    before = len(ladder.world.sent)
    ladder.world.core.resume(ladder.world.lookups[-1][0], places, ladder.world.now)
    ladder.left += ladder.world.sent[before:]
    return ladder


SRV = (
    Place(20, 0, 5070, ("198.51.100.18",)),
    Place(10, 0, 5060, ("203.0.113.66", "198.51.100.7")),
    Place(15, 0, 5060, ("2001:db8::1", "198.51.100.17")),
)


def test_srv_targets_are_tried_by_priority_and_asked_for_once() -> None:
    """One resolution a transaction (RFC 3263 §4); addresses that are not the trunk's count as none."""
    ladder = resume(named(), *SRV) << Sent(CARRIER, b"INVITE")
    ladder = refuse(ladder, CARRIER) << Sent(CARRIER, b"ACK") << Sent(SPARE, b"INVITE")
    ladder = refuse(ladder, SPARE) << Sent(SPARE, b"ACK") << Sent(THIRD, b"INVITE")
    assert refuse(ladder, THIRD) << Sent(THIRD, b"ACK") << Sent(ALICE, 500)
    assert ladder.world.lookups == [(1, "sip.carrier.example", 0)]


def test_weights_choose_the_same_after_a_restart() -> None:
    """The draw follows from the request: a repeated INVITE is no second call."""
    places = [Place(0, 10, 5060, (f"198.51.100.{number}",)) for number in range(16, 32)]
    reached: dict[str, set[tuple[str, bytes]]] = {}
    for number in range(12):
        invite = ALICE.invite(branch=b"z9hG4bK%d" % number, call_id=b"%d@x" % number)
        ladder = Ladder(trunk("sip.carrier.example"))
        for _ in range(2):
            ladder = resume(ladder >> invite, *places)
            (host, _), data = ladder.left[-1]
            reached.setdefault(f"call {number}", set()).add((host, read(data).via.branch))
            ladder = ladder >> Restart()
            ladder.world.lookups.clear()
    assert {len(each) for each in reached.values()} == {1}
    assert len({host for each in reached.values() for host, _ in each}) > 3


def test_the_next_host_serves_where_a_name_leads_nowhere() -> None:
    """Names and addresses may stand side by side; what two of them lead to is tried once."""
    ladder = named("sip.carrier.example", "198.51.100.17")
    assert resume(ladder) << Sent(SPARE, b"INVITE")
    ladder = resume(named("sip.carrier.example", "198.51.100.7", "198.51.100.17"), *plain(["198.51.100.7"]))
    ladder = refuse(ladder << Sent(CARRIER, b"INVITE"), CARRIER) << Sent(CARRIER, b"ACK") << Sent(SPARE, b"INVITE")
    assert ladder


def test_a_name_is_looked_up_when_it_is_its_turn() -> None:
    """A call that the first host answers asks no name server; while parked between two targets, CANCEL ends it."""
    ladder = called("198.51.100.7", "sip.carrier.example")
    assert ladder.world.lookups == []
    ladder = refuse(ladder, CARRIER) << Sent(CARRIER, b"ACK") << Silence()
    ladder = ladder >> ALICE.cancel(INVITE) << Sent(ALICE, 200) << Sent(ALICE, 487)
    assert resume(ladder, *plain(["198.51.100.17"])) << Silence()


def test_a_refusal_is_the_answer_where_the_next_name_leads_nowhere() -> None:
    """The caller hears what the last target said, as 500."""
    ladder = refuse(called("198.51.100.7", "sip.carrier.example"), CARRIER) << Sent(CARRIER, b"ACK")
    assert resume(ladder) << Sent(ALICE, 500) << Silence()


def test_a_look_up_that_another_branch_has_overtaken_starts_nothing() -> None:
    """A fork: the other trunk answered while this one's name was being looked up."""
    invite = ALICE.request(uri=b"sip:9000@192.0.2.1")
    second = Agent(("198.51.100.8", 5060), b"second")
    ladder = Ladder(trunk("sip.carrier.example")) >> invite << Sent(ALICE, 100) << Sent(second, b"INVITE")
    ladder = ladder >> second.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    assert resume(ladder, *plain(["198.51.100.7"])) << Silence()


def test_listed_hosts_stand_in_place_of_dns() -> None:
    """`[[hosts]]`: nobody is asked, nothing is parked; a reload takes it up, and the port beside the name counts."""
    hosts = [{"name": "SIP.carrier.example.", "addresses": ["198.51.100.7", "198.51.100.17"]}]
    ladder = called("sip.carrier.example", hosts=hosts)
    assert ladder.world.lookups == []
    ladder = refuse(ladder, CARRIER) << Sent(CARRIER, b"ACK") << Sent(SPARE, b"INVITE")
    carrier = {**ladder.world.settings.trunks[0].model_dump(), "hosts": ["sip.carrier.example:5070"]}
    hosts[0]["addresses"] = ["198.51.100.18"]
    ladder.world.reload(trunks=[carrier, *SETTINGS["trunks"][1:]], hosts=hosts)
    ladder = ladder >> ALICE.invite(branch=b"z9hG4bKn", call_id=b"n@x") << Sent(ALICE, 100) << Sent(THIRD, b"INVITE")
    assert ladder


def established(contact: bytes) -> Ladder:
    """A call that was answered by a carrier with this Contact."""
    ladder = resume(named(), *plain(["198.51.100.7"])) << Sent(CARRIER, b"INVITE")
    return ladder >> CARRIER.answer(ladder[b"INVITE"], 200, contact=contact) << Sent(ALICE, 200)


def test_requests_within_a_dialog_follow_a_configured_name() -> None:
    """RFC 3263 for a Contact whose host is the trunk's name: ACK and BYE go where it leads now."""
    ladder = established(b"<sip:gw@SIP.carrier.example>")
    ladder = ladder >> ALICE.within(b"ACK", ladder[200], own=INVITE, cseq=1) << Silence()
    assert ladder.world.lookups[-1][1:] == ("SIP.carrier.example", 0)
    ladder = resume(ladder, *plain(["198.51.100.17"])) << Sent(SPARE, b"ACK")
    ladder = ladder >> ALICE.within(b"BYE", ladder[200], own=INVITE) << Silence()
    assert resume(ladder, *plain(["198.51.100.17"])) << Sent(SPARE, b"BYE")


def test_without_dns_a_dialog_goes_where_it_was() -> None:
    """A call can always end: the host that answered is the last target of its name."""
    ladder = established(b"<sip:gw@sip.carrier.example>")
    ladder = ladder >> ALICE.within(b"ACK", ladder[200], own=INVITE, cseq=1)
    ladder = resume(ladder) << Sent(CARRIER, b"ACK")
    ladder = ladder >> ALICE.within(b"BYE", ladder[200], own=INVITE)
    assert resume(ladder) << Sent(CARRIER, b"BYE")


def test_names_of_others_are_never_looked_up() -> None:
    """A trunk's Contact makes us ask nobody: where the dialog was is where it is."""
    ladder = established(b"<sip:gw@leak-me.elsewhere.example>")
    before = len(ladder.world.lookups)
    assert ladder >> ALICE.within(b"BYE", ladder[200], own=INVITE) << Sent(CARRIER, b"BYE")
    assert len(ladder.world.lookups) == before


def test_a_route_of_the_core_may_name_a_trunk() -> None:
    """A believed Route with a trunk's name goes where that leads, whatever the routing table says."""
    second = {**SETTINGS["trunks"][1], "hosts": ["Sip.second.example:5070"], "networks": ["198.51.100.8"]}
    world = World(settings(trunks=[SETTINGS["trunks"][0], second, SETTINGS["trunks"][2]]))

    def call(number: int, route: bytes) -> Packet:
        uri, branch = b"sip:+15550100@192.0.2.1", b"z9hG4bKr%d" % number
        return PBX.invite(uri=uri, branch=branch, call_id=branch, headers=(b"Route: <sip:%b;lr>" % route,))

    ladder = Ladder(world) >> call(1, b"sip.Second.example") << Sent(PBX, 100) << Silence()
    assert world.lookups[-1][1:] == ("sip.Second.example", 0), "its own port, which is none"
    ladder = resume(ladder, *plain(["198.51.100.8"])) << Sent(SECOND, b"INVITE")
    ladder = ladder >> call(2, b"elsewhere.example") << Sent(PBX, 100) << Sent(CARRIER, b"INVITE")
    assert ladder
    assert len(world.lookups) == 1, "a name that nobody wrote down is asked of nobody"


def test_listed_hosts_serve_an_ack_too() -> None:
    """Without a look-up."""
    hosts = [{"name": "sip.carrier.example", "addresses": ["198.51.100.7"]}]
    ladder = called("sip.carrier.example", hosts=hosts)
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200, contact=b"<sip:gw@sip.carrier.example>")
    ladder = ladder << Sent(ALICE, 200) >> ALICE.within(b"ACK", ladder[200], own=INVITE, cseq=1)
    assert ladder << Sent(CARRIER, b"ACK")
    assert ladder.world.lookups == []


def test_an_address_that_no_listener_reaches_is_no_target() -> None:
    """Though it is the trunk's own: IPv6 without an IPv6 listener."""
    carrier = {**SETTINGS["trunks"][0], "hosts": ["sip.carrier.example"]}
    carrier["networks"] = ["2001:db8::/32", "198.51.100.7"]
    world = World(settings(trunks=[carrier, *SETTINGS["trunks"][1:]]))
    ladder = Ladder(world) >> INVITE << Sent(ALICE, 100)
    assert resume(ladder, *plain(["2001:db8::1", "198.51.100.7"])) << Sent(CARRIER, b"INVITE")
