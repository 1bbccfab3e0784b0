"""Who is private in a call is private in the metadata of its recording, though the client does not say so again."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.wish_table import WishTable, in_memory, size_of
from proxy.wishes import BRIEFLY, MOST_NAMES, WISHES_A_MINUTE
from tests.accounts import accounts, proof
from tests.agents import ALICE, CARRIER, PBX, Agent, Packet, read
from tests.filters.recording import RFC
from tests.ladder import Ladder, Sent
from tests.recording_sessions import (
    MIXED,
    SIPREC,
    SRC,
    SRS,
    SRS_CONTACT,
    multipart,
    offer,
    opened,
    record,
    recording_world,
)
from tests.world import OTHER_PHONE, WALL, World, keyring

SHOWN = {"default": {"recording": "keep", "number": "keep", "name": "keep"}}
NAMED = b"sip:alice@sip.example.net"
"""Whom `told` has the metadata name in the place of Alice Canary, and which name she has."""
ID = (b"Privacy: id", b"Content-Type: application/sdp")
PLAIN = (b"Content-Type: application/sdp",)
DAVE = Agent(OTHER_PHONE, b"dave", b"Dave ")
DAY = 172_800


def the_world(**changes: Any) -> World:
    """Return a world in which recorders are told everything of who has said nothing."""
    return recording_world(privacy=SHOWN, **changes)


def told(there: World, aor: bytes = NAMED, name: bytes = b"Alice Canary", number: int = 1) -> bytes:
    """Return what a recorder is told of a call of somebody by a client that knows of no wish."""
    metadata = RFC.replace(b"sip:+15550123@example.net", aor).replace(b"Alice Canary", name)
    invite = record(
        multipart(metadata=metadata),
        branch=b"z9hG4bKrec%d" % number,
        call_id=b"rec-%d@pbx" % number,
        tag=b"r%d" % number,
    )
    ladder = Ladder(there) >> invite << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    return opened(ladder[b"INVITE"])


def hides(there: World, aor: bytes = NAMED, **changes: Any) -> bool:
    """Tell whether name and address of a participant are both kept from the recorder; one of them alone never is."""
    found = told(there, aor, **changes)
    hidden = [text not in found for text in (b"Alice Canary", aor)]
    assert hidden[0] is hidden[1], found
    assert b"Bob Canary" in found, "others keep their own treatment"
    return hidden[0]


def called(there: World, invite: Packet, far: Agent = CARRIER) -> Ladder:
    """Let a call begin."""
    return Ladder(there) >> invite << Sent(_agent(invite), 100) << Sent(far, b"INVITE")


def answered(ladder: Ladder, invite: Packet, far: Agent = CARRIER, **changes: Any) -> Packet:
    """Let it be answered and acknowledged; return the answer."""
    near = _agent(invite)
    answer = far.answer(ladder[b"INVITE"], 200, **changes)
    assert (
        ladder >> answer << Sent(near, 200) >> near.within(b"ACK", ladder[200], own=invite, cseq=1) << Sent(far, b"ACK")
    )
    return answer


def _agent(packet: Packet) -> Agent:
    return next(each for each in (ALICE, DAVE, CARRIER, PBX) if each.address == packet.source)


def invite(agent: Agent = ALICE, headers: tuple[bytes, ...] = ID, **changes: Any) -> Packet:
    return agent.invite(headers=headers, **changes)


# --- who asks


@pytest.mark.parametrize(
    ("headers", "uri"),
    [
        (ID, b"sip:+15550100@192.0.2.1"), ((b"Privacy: user;critical", *PLAIN), b"sip:+15550100@192.0.2.1"),
        ((b"Privacy: whatever", *PLAIN), b"sip:+15550100@192.0.2.1"), (PLAIN, b"sip:*67+15550100@192.0.2.1"),
        ((b"Remote-Party-ID: <sip:alice@sip.example.net>;privacy=full", *PLAIN), b"sip:+15550100@192.0.2.1"),
    ],
    ids=["id", "user", "unknown", "prefix", "rpid"],
)  # fmt: skip
def test_a_caller_who_wants_privacy_is_private_in_the_metadata(headers: tuple[bytes, ...], uri: bytes) -> None:
    there = the_world()
    assert not hides(there, number=1)
    called(there, invite(headers=headers, uri=uri))
    assert hides(there, number=2)
    assert hides(there, b"sip:ALICE@203.0.113.5", number=3), "as a PBX may write her"
    assert not hides(there, b"sip:carol@sip.example.net", number=4)
    assert there.count("privacy_wishes", "noted") == 1
    assert there.count("privacy_wishes", "applied") == 2


@pytest.mark.parametrize("headers", [PLAIN, (b"Privacy: none", *PLAIN), (b"Privacy: history", *PLAIN)])
def test_who_wants_nothing_of_the_kind_is_told(headers: tuple[bytes, ...]) -> None:
    there = the_world()
    called(there, invite(headers=headers))
    assert not hides(there)
    assert there.count("privacy_wishes", "noted") == 0


def test_a_header_that_hides_less_hides_no_more_than_in_the_clients_own_message() -> None:
    there = the_world()
    called(there, invite(headers=(b"Privacy: header", *PLAIN)))
    assert b"Alice Canary" in told(there)


def test_an_account_is_private_by_all_its_addresses_however_they_are_written() -> None:
    there = the_world(authentication={"realm": "sip.example.net"})
    there.accounts = accounts("dave", alice=("alice@sip.example.net", "+15550123"))
    there.new_core()
    asked = ALICE.invite(headers=PLAIN).data.replace(
        b'From: "Alice Liddell" <sip:alice@sip.example.net>', b"From: <sip:anonymous@anonymous.invalid>"
    )
    packet = Packet(ALICE.address, asked)
    ladder = Ladder(there) >> packet << Sent(ALICE, 407)
    assert not hides(there, b"tel:+15550123", number=1)
    proved = Packet(packet.source, asked.replace(b"Max-Forwards", proof(packet, ladder[407]) + b"\r\nMax-Forwards"))
    proved = Packet(proved.source, proved.data.replace(b"CSeq: 1", b"CSeq: 2").replace(b"z9hG4bKone", b"z9hG4bKtwo"))
    assert ladder >> proved << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    told_as = (b"tel:+1-555-0123", b"sip:+15550123@203.0.113.5", b"sip:015550123@pbx.example", NAMED)
    for number, aor in enumerate(told_as, 2):
        assert hides(there, aor, number=number)


def test_nobody_hides_somebody_else_whom_it_is_not() -> None:
    """Who proves nothing reaches no table, and who proves to be Dave is Dave, whatever From says."""
    there = the_world(authentication={"realm": "sip.example.net"})
    there.accounts = accounts("dave", "alice")
    there.new_core()
    ladder = Ladder(there) >> invite() << Sent(ALICE, 407)
    packet = Packet(DAVE.address, invite(DAVE).data.replace(b"<sip:dave@", b"<sip:alice@"))
    ladder = ladder >> packet << Sent(DAVE, 407)
    line = proof(packet, ladder[407], "dave")
    forged = Packet(
        DAVE.address, packet.data.replace(b"Max-Forwards", line + b"\r\nMax-Forwards").replace(b"Kone", b"Ktwo")
    )
    assert ladder >> forged << Sent(DAVE, 403)
    assert not hides(there)
    assert there.count("privacy_wishes", "noted") == 0


def test_a_caller_whom_the_core_asserts_is_private() -> None:
    there = the_world()
    pai = b"P-Asserted-Identity: <sip:alice@sip.example.net>, <tel:+15550123>"
    packet = invite(PBX, (pai, *PLAIN), uri=b"sip:+15550100@192.0.2.1")
    packet = Packet(
        packet.source, packet.data.replace(b"<sip:pbx@sip.example.net>", b"<sip:anonymous@anonymous.invalid>")
    )
    called(there, packet)
    assert hides(there, number=1)
    assert hides(there, b"sip:+15550123@pbx.example", number=2)


def test_a_caller_from_a_trunk_is_private_but_no_subscriber_by_its_word() -> None:
    there = the_world()
    stranger = b"sip:+49305550123@carrier.example"
    packet = invite(CARRIER, uri=b"sip:alice@192.0.2.1")
    outside = Packet(packet.source, packet.data.replace(b"sip:gateway@sip.example.net", stranger))
    called(there, outside, PBX)
    assert hides(there, b"tel:+49305550123", number=1)
    assert not hides(there, b"tel:+15550123", number=2), "whose last digits are the same"
    claimed = (
        packet.data.replace(b"sip:gateway@", b"sip:alice@").replace(b"Kone", b"Ktwo").replace(b"call-1", b"call-2")
    )
    called(there, Packet(packet.source, claimed), PBX)
    assert not hides(there, number=3)


def test_a_callee_who_wants_privacy_is_private() -> None:
    there = the_world()
    packet = invite(headers=PLAIN, uri=b"sip:+49305550100@192.0.2.1")
    ladder = called(there, packet)
    answer = answered(ladder, packet, headers=(b"Privacy: id",))
    assert hides(there, b"tel:+49305550100", number=1)
    assert not hides(there, number=2)
    assert b"Bob Canary" in told(there, number=9), "others keep their own treatment"
    bye = ALICE.within(b"BYE", ladder[200], own=packet)
    assert ladder >> bye << Sent(CARRIER, b"BYE") >> CARRIER.answer(ladder[b"BYE"], 200) << Sent(ALICE, 200)
    there.wall = 0
    there.now += BRIEFLY + 1
    assert not hides(there, b"tel:+49305550100", number=3), "the dialog's records know of it"
    assert answer


@pytest.mark.parametrize("within", [False, True], ids=["begins", "within"])
@pytest.mark.parametrize(
    "line",
    [b"P-Asserted-Identity: <sip:alice@sip.example.net>", b"Diversion: <sip:alice@pbx.example>;reason=unconditional"],
    ids=["pai", "diversion"],
)
def test_headers_of_the_recording_session_name_nobody_who_is_private(line: bytes, within: bool) -> None:
    there = recording_world(privacy={"default": {**SHOWN["default"], "history": "keep", "network": "keep"}})

    def sent(number: int) -> bytes:
        """Return the head of what a recorder gets that names Alice, in the INVITE or in an UPDATE."""
        headers = () if within else (line,)
        packet = record(headers=(*SIPREC, *headers, *MIXED), branch=b"z9hG4bKh%d" % number, call_id=b"h%d@pbx" % number)
        ladder = Ladder(there) >> packet << Sent(SRC, 100) << Sent(SRS, b"INVITE")
        if within:
            answer = SRS.answer(ladder[b"INVITE"], 200, contact=SRS_CONTACT, headers=PLAIN, body=offer(b"recvonly"))
            ladder = ladder >> answer << Sent(SRC, 200)
            update = SRC.within(b"UPDATE", ladder[200], own=packet, headers=(line,), branch=b"z9hG4bKu%d" % number)
            return (ladder >> update << Sent(SRS, b"UPDATE"))[b"UPDATE"]
        return ladder[b"INVITE"].partition(b"\r\n\r\n")[0]

    assert b"alice" in sent(1)
    called(there, invite())
    assert b"alice" not in sent(2)
    assert b"siprec" in sent(3) or within, "a recording session all the same"


def test_a_from_that_names_who_is_private_is_nobodys() -> None:
    there = the_world()
    called(there, invite())
    packet = record()
    packet = Packet(packet.source, packet.data.replace(b"sip:src@sip.example.net", NAMED))
    ladder = Ladder(there) >> packet << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    assert read(ladder[b"INVITE"]).from_.uri == b"sip:anonymous@anonymous.invalid"


# --- how long


def test_it_holds_while_the_call_does_and_a_little_longer() -> None:
    there = the_world()
    packet = invite()
    ladder = called(there, packet)
    answered(ladder, packet)
    there.now += 100_000
    assert hides(there, number=1)
    update = ALICE.within(b"INFO", ladder[200], own=packet)
    assert ladder >> update << Sent(CARRIER, b"INFO") >> CARRIER.answer(ladder[b"INFO"], 200) << Sent(ALICE, 200)
    there.now += 100_000
    assert hides(there, number=2), "what comes within it keeps it alive"
    there.now += DAY - 100_000
    assert not hides(there, number=3), "what nothing is heard of for as long is no dialog of ours any more"


@pytest.mark.parametrize("tag", [b"to1", b"00-0a-95-a0-e1-28"], ids=["plain", "sealed"])
@pytest.mark.parametrize("who", ["caller", "callee"])
def test_its_end_ends_it_a_little_later(who: str, tag: bytes) -> None:
    there = the_world()
    packet = invite()
    ladder = called(there, packet)
    answer = answered(ladder, packet, tag=tag)
    if who == "callee":
        bye = CARRIER.within(b"BYE", ladder[b"INVITE"], own=answer)
        assert ladder >> bye << Sent(ALICE, b"BYE") >> ALICE.answer(ladder[b"BYE"], 200) << Sent(CARRIER, 200)
    else:
        bye = ALICE.within(b"BYE", ladder[200], own=packet)
        assert ladder >> bye << Sent(CARRIER, b"BYE") >> CARRIER.answer(ladder[b"BYE"], 481) << Sent(ALICE, 481)
    there.now += BRIEFLY - 1
    assert hides(there, number=1), "its recording session ends a little later"
    there.now += 1
    assert not hides(there, number=2)


def test_a_bye_that_the_other_side_refuses_ends_nothing() -> None:
    there = the_world()
    packet = invite()
    ladder = called(there, packet)
    answer = answered(ladder, packet)
    bye = CARRIER.within(b"BYE", ladder[b"INVITE"], own=answer)
    assert ladder >> bye << Sent(ALICE, b"BYE") >> ALICE.answer(ladder[b"BYE"], 500) << Sent(CARRIER, 500)
    there.now += BRIEFLY
    assert hides(there)


def test_a_second_call_of_the_same_caller_neither_shows_nor_ends_it() -> None:
    there = the_world()
    private, open_ = invite(), invite(headers=PLAIN, call_id=b"call-2@10.1.1.23", branch=b"z9hG4bKtwo", tag=b"from2")
    ladder = called(there, private)
    answered(ladder, private)
    other = called(there, open_)
    answered(other, open_)
    assert hides(there, number=1)
    bye = ALICE.within(b"BYE", other[200], own=open_, branch=b"z9hG4bKbye2")
    assert other >> bye << Sent(CARRIER, b"BYE") >> CARRIER.answer(other[b"BYE"], 200) << Sent(ALICE, 200)
    there.now += BRIEFLY
    assert hides(there, number=2)


def test_a_call_that_nobody_takes_is_over_soon() -> None:
    there = the_world()
    packet = invite()
    ladder = called(there, packet)
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 486) << Sent(CARRIER, b"ACK") << Sent(ALICE, 486)
    there.now += BRIEFLY - 1
    assert hides(there, number=1)
    there.now += 1
    assert not hides(there, number=2)


def test_a_call_that_rings_for_long_is_remembered_while_it_does() -> None:
    there = the_world()
    packet = invite()
    ladder = called(there, packet)
    began = there.now
    while there.now <= began + there.settings.timers.timer_c + BRIEFLY:
        there.now += 60
        ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    assert hides(there)


@pytest.mark.parametrize("ends", ["first", "second"])
def test_a_dialog_of_a_fork_that_is_ended_does_not_end_the_call(ends: str) -> None:
    there = the_world()
    packet = invite()
    ladder = called(there, packet)
    answered(ladder, packet)
    answers = {"first": ladder[200]}
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200, tag=b"to2") << Sent(ALICE, 200)
    answers["second"] = ladder[200]
    ack = ALICE.within(b"ACK", answers["second"], own=packet, cseq=1, branch=b"z9hG4bKack2")
    assert ladder >> ack << Sent(CARRIER, b"ACK")
    for number, each in enumerate((ends, *answers.keys() - {ends})):
        bye = ALICE.within(b"BYE", answers[each], own=packet, branch=b"z9hG4bKbye%d" % number)
        assert ladder >> bye << Sent(CARRIER, b"BYE") >> CARRIER.answer(ladder[b"BYE"], 200) << Sent(ALICE, 200)
        there.now += BRIEFLY
        assert hides(there, number=number) is (number == 0), "with the last one it is over"


def test_a_bye_to_which_nobody_answers_ends_it() -> None:
    there = the_world()
    packet = invite()
    ladder = called(there, packet)
    answered(ladder, packet)
    assert ladder >> ALICE.within(b"BYE", ladder[200], own=packet) << Sent(CARRIER, b"BYE")
    there.wait(33)
    there.now += BRIEFLY
    assert not hides(there)


# --- restarts, reloads, workers


def shared(there: World, worker: int = 0, workers: int = 1, block: bytearray | None = None) -> bytearray:
    """Give a world a table that outlives its core, as tap/ does."""
    block = block if block is not None else bytearray(size_of(1))
    there.make_wishes = lambda: WishTable(memoryview(block), worker, workers, 1)
    there.new_core()
    return block


def test_it_outlives_kill_9() -> None:
    there = the_world()
    shared(there)
    packet = invite()
    ladder = called(there, packet)
    answered(ladder, packet)
    there.new_core()
    assert hides(there, number=1)
    bye = ALICE.within(b"BYE", ladder[200], own=packet)
    assert ladder >> bye << Sent(CARRIER, b"BYE") >> CARRIER.answer(ladder[b"BYE"], 200) << Sent(ALICE, 200)
    there.now += BRIEFLY
    assert not hides(there, number=2)


def test_another_worker_knows_it_and_ends_it() -> None:
    one, other = the_world(), the_world()
    block = shared(one, 0, 2)
    shared(other, 1, 2, block)
    packet = invite()
    ladder = called(one, packet)
    answer = answered(ladder, packet)
    assert hides(other, number=1)
    beside = Ladder(other) >> CARRIER.within(b"BYE", ladder[b"INVITE"], own=answer) << Sent(ALICE, b"BYE")
    assert beside >> ALICE.answer(beside[b"BYE"], 200) << Sent(CARRIER, 200)
    one.now += BRIEFLY
    assert not hides(one, number=2)


def test_a_reload_and_a_new_key_change_nothing() -> None:
    there = the_world()
    packet = invite()
    ladder = called(there, packet)
    answered(ladder, packet)
    there.core.adopt(there.settings, keyring(3, 4), there.privacy)
    assert hides(there, number=1)
    bye = ALICE.within(b"BYE", ladder[200], own=packet)
    assert ladder >> bye << Sent(CARRIER, b"BYE") >> CARRIER.answer(ladder[b"BYE"], 200) << Sent(ALICE, 200)
    there.now += BRIEFLY
    assert not hides(there, number=2)


def test_what_was_lost_is_known_again_by_the_next_message_of_the_call() -> None:
    there = the_world()
    packet = invite()
    ladder = called(there, packet)
    answered(ladder, packet)
    there.new_core()
    assert not hides(there, number=1)
    info = CARRIER.within(b"INFO", ladder[b"INVITE"], own=CARRIER.answer(ladder[b"INVITE"], 200))
    assert ladder >> info << Sent(ALICE, b"INFO")
    assert hides(there, number=2)


@pytest.mark.parametrize("age", [100, DAY], ids=["young", "old"])
def test_a_call_that_nobody_knows_makes_all_private_only_where_it_may_have_been_lost(age: int) -> None:
    """By a late message of a call that has ended nobody hides everybody."""
    there = the_world()
    packet = invite(uri=b"sip:8100@192.0.2.1")
    ladder = called(there, packet, PBX)
    answered(ladder, packet, PBX)
    there.make_wishes = lambda: _made(WALL - age)
    there.new_core()
    info = ALICE.within(b"INFO", ladder[200], own=packet)
    info = Packet(info.source, info.data.replace(NAMED, b"sip:mallory@sip.example.net"))
    there.receive(*info)
    assert (b"Bob Canary" not in told(there)) is (age < DAY)
    assert there.count("privacy_wishes", "unknown") == 1


def _made(wall: int) -> WishTable:
    table = in_memory()
    table.begin(wall)
    table.begin(WALL)
    return table


# --- bounds


def test_a_table_without_room_makes_all_private() -> None:
    there = the_world()
    there.make_wishes = lambda: in_memory(1, 0, 64)
    there.new_core()
    for number in range(40):
        who = Agent((f"10.2.{number}.1", 5060), b"u%d" % number)
        there.receive(*invite(who, branch=b"z9hG4bKf%d" % number, call_id=b"f%d@x" % number, tag=b"f%d" % number))
    assert there.count("privacy_wishes", "full") > 0
    found = told(there, b"sip:carol@sip.example.net")
    assert b"Alice Canary" not in found
    assert b"Bob Canary" not in found
    assert there.count("privacy_wishes", "strict") == 2, "for its headers, and for its metadata"
    assert there.core.gauges()["sipveil_privacy_wishes_strict_until_seconds"] > WALL
    there.now += there.settings.timers.timer_c + BRIEFLY + 1
    assert b"Bob Canary" in told(there, number=2)


def test_who_need_not_prove_anything_fills_no_table() -> None:
    there = the_world(guard={"source_rate": 10_000})
    there.make_wishes = lambda: in_memory(8)
    there.new_core()
    for number in range(WISHES_A_MINUTE + 5):
        who = Agent(ALICE.address, b"u%d" % number)
        there.receive(*invite(who, branch=b"z9hG4bKf%d" % number, call_id=b"f%d@x" % number, tag=b"f%d" % number))
    assert there.count("privacy_wishes", "noted") == WISHES_A_MINUTE
    assert there.count("privacy_wishes", "limited") == 5
    plain = ALICE.invite(call_id=b"plain@x", branch=b"z9hG4bKplain")
    assert Ladder(there) >> plain << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert MOST_NAMES >= 64, "as many as an account has addresses"


def test_within_a_call_nobody_hides_another_by_its_from() -> None:
    there = the_world()
    packet = invite(DAVE, PLAIN)
    ladder = called(there, packet)
    answered(ladder, packet)
    forged = DAVE.within(b"INFO", ladder[200], own=packet, headers=(b"Privacy: id",))
    forged = Packet(forged.source, forged.data.replace(b"sip:dave@sip.example.net", b"sip:alice@sip.example.net"))
    there.receive(*forged)
    assert not hides(there)


def test_a_wish_that_comes_within_a_call_counts_too() -> None:
    there = the_world()
    packet = invite(headers=PLAIN)
    ladder = called(there, packet)
    answered(ladder, packet)
    assert not hides(there, number=1)
    assert ladder >> ALICE.within(b"INFO", ladder[200], own=packet, headers=(b"Privacy: id",)) << Sent(CARRIER, b"INFO")
    assert hides(there, number=2)


# --- what it does not touch


def test_an_emergency_call_goes_on_and_hides_nobody() -> None:
    there = the_world()
    for number in range(WISHES_A_MINUTE + 5):
        packet = invite(uri=b"urn:service:sos", branch=b"z9hG4bKe%d" % number, call_id=b"e%d@x" % number)
        sent = there.receive(*packet)
        assert read(sent[-1][1]).method == b"INVITE"
    assert not hides(there)


def test_without_recorders_nothing_is_kept_and_no_record_has_the_mark() -> None:
    there = World()
    there.make_wishes = _nobody_asks
    there.new_core()
    packet = invite()
    answered(called(there, packet), packet)
    assert there.core.generation.wishes is None
    assert there.core.wishes.table is None


def _nobody_asks() -> WishTable:
    raise AssertionError("no table is needed")


def test_no_plain_call_is_looked_up() -> None:
    """With a recorder too: only calls with a wish cost anything."""
    there = the_world()
    wishes = there.core.generation.wishes
    assert wishes is not None
    packet = invite(headers=PLAIN)
    ladder = called(there, packet)
    answered(ladder, packet)
    bye = ALICE.within(b"BYE", ladder[200], own=packet)
    assert ladder >> bye << Sent(CARRIER, b"BYE") >> CARRIER.answer(ladder[b"BYE"], 200) << Sent(ALICE, 200)
    assert wishes.table.calls(WALL) == 0
    assert there.count("privacy_wishes", "noted") == 0


def test_what_is_kept_names_nobody() -> None:
    there = the_world()
    block = shared(there)
    called(there, invite(uri=b"sip:+15550100@192.0.2.1"))
    assert any(block[512:])
    for secret in (b"alice", b"15550100", b"5550100", b"call-1"):
        assert secret not in bytes(block)
