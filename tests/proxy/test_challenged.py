"""A trunk that asks for a password, as ladders (RFC 3261 §22, dialogs.md "CSeq when Sipveil answers a challenge")."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.digest_client import Account
from tests.agents import ALICE, CARRIER, PBX, PSAP, SECOND, Agent, Packet, read
from tests.ladder import Ladder, Restart, Sent, Silence, Wait
from tests.passwords import ACCOUNTS, CREDENTIALS, PASSWORD, USER, ask, challenge, is_right, told, world
from tests.world import SETTINGS, World, settings

INVITE = ALICE.invite()
SPARE = Agent(("198.51.100.17", 5060), b"spare")


def called(the: World | None = None, invite: Packet = INVITE) -> Ladder:
    """A call that has reached the carrier."""
    return Ladder(the or world()) >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def asked(the: World | None = None, nonce: bytes = b"n1", *more: bytes, invite: Packet = INVITE, **how: Any) -> Ladder:
    """A call whose password the carrier has asked for, and got."""
    ladder = called(the, invite) >> (lambda it: ask(CARRIER, it[b"INVITE"], nonce, *more, **how))
    return ladder << Sent(CARRIER, b"ACK") << Sent(CARRIER, b"INVITE")


def answered(the: World | None = None, invite: Packet = INVITE, **changes: Any) -> Ladder:
    """A call that was asked and accepted, up to its ACK."""
    ladder = asked(the, invite=invite) >> (lambda it: CARRIER.answer(it[b"INVITE"], 200, **changes)) << Sent(ALICE, 200)
    ladder = ladder >> ALICE.within(b"ACK", ladder[200], own=invite, cseq=read(invite.data).cseq)
    return ladder << Sent(CARRIER, b"ACK")


def cseq(data: bytes) -> int:
    return read(data).cseq


def test_a_challenge_is_answered_with_the_next_cseq_in_a_branch_of_its_own() -> None:
    """§22.2: same Call-ID, From and To, next CSeq; all else is a fresh edit of what the phone sent."""
    ladder = called()
    first = read(ladder[b"INVITE"])
    assert (first.cseq, told(ladder[b"INVITE"])) == (4, {})
    ladder = ladder >> ask(CARRIER, ladder[b"INVITE"]) << Sent(CARRIER, b"ACK") << Sent(CARRIER, b"INVITE")
    second = read(ladder[b"INVITE"])
    assert (second.cseq, is_right(ladder[b"INVITE"])) == (5, True)
    assert (cseq(ladder[b"ACK"]), read(ladder[b"ACK"]).via.branch) == (4, first.via.branch)
    assert second.via.branch != first.via.branch
    same = [name for name in first.names if name not in (b"via", b"cseq")]
    assert [second.value(name) for name in same] == [first.value(name) for name in same]
    assert (second.uri, second.body) == (first.uri, first.body)
    assert told(ladder[b"INVITE"])[b"username"] == USER
    assert ladder << Silence()
    assert ladder.world.count("trunk_challenges", "answered") == 1


def test_the_phone_sees_nothing_of_it() -> None:
    """Its own CSeq comes back in everything, and no challenge."""
    ladder = asked() >> (lambda it: CARRIER.answer(it[b"INVITE"], 180)) << Sent(ALICE, 180)
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200) << Silence()
    for status in (180, 200):
        assert read(ladder[status]).cseq == 1
        assert b"authenticate" not in ladder[status].lower()
    ladder = ladder >> ALICE.within(b"ACK", ladder[200], own=INVITE, cseq=1) << Sent(CARRIER, b"ACK")
    assert cseq(ladder[b"ACK"]) == 5
    ladder = ladder >> ALICE.within(b"BYE", ladder[200], own=INVITE, cseq=2) << Sent(CARRIER, b"BYE")
    assert cseq(ladder[b"BYE"]) == 8
    ladder = ladder >> CARRIER.answer(ladder[b"BYE"], 200) << Sent(ALICE, 200)
    assert read(ladder[200]).cseq == 2
    assert ladder


def test_401_and_www_authenticate_too() -> None:
    ladder = asked(status=401)
    assert is_right(ladder[b"INVITE"], b"authorization")
    assert told(ladder[b"INVITE"]) == {}


def test_the_ack_of_a_2xx_repeats_the_credentials() -> None:
    """§22.1: nobody can challenge an ACK."""
    ladder = answered()
    assert told(ladder[b"ACK"])[b"nonce"] == b"n1"
    assert told(ladder[b"ACK"]) == told(ladder[b"INVITE"])


def test_what_worked_is_used_at_once_and_counted() -> None:
    """§22.3: no second round trip; nc rises, cnonces differ."""
    ladder = answered()
    first = told(ladder[b"INVITE"])
    again = ALICE.invite(branch=b"z9hG4bKnext", call_id=b"next@x")
    ladder = called(ladder.world, again)
    second = told(ladder[b"INVITE"])
    assert (first[b"nc"], second[b"nc"], cseq(ladder[b"INVITE"])) == (b"00000001", b"00000002", 4)
    assert first[b"cnonce"] != second[b"cnonce"]
    assert is_right(ladder[b"INVITE"])


def test_a_nonce_that_did_not_work_is_not_kept() -> None:
    """What nobody has accepted is no password's."""
    ladder = asked() >> (lambda it: ask(CARRIER, it[b"INVITE"], b"n2")) << Sent(CARRIER, b"ACK") << Sent(ALICE, 500)
    ladder = called(ladder.world, ALICE.invite(branch=b"z9hG4bKnext", call_id=b"next@x"))
    assert told(ladder[b"INVITE"]) == {}


def test_in_dialog_requests_are_answered_too() -> None:
    """BYE: 4·2, challenged (another nonce: the kept one has gone stale), 4·2+1; the next one is above both."""
    ladder = answered()
    ladder = ladder >> ALICE.within(b"INVITE", ladder[200], own=INVITE, cseq=2) << Sent(ALICE, 100)
    ladder = ladder << Sent(CARRIER, b"INVITE")
    assert (cseq(ladder[b"INVITE"]), told(ladder[b"INVITE"])[b"nonce"]) == (8, b"n1")
    ladder = ladder >> ask(CARRIER, ladder[b"INVITE"], b"n2", b"stale=true") << Sent(CARRIER, b"ACK")
    ladder = ladder << Sent(CARRIER, b"INVITE")
    assert (cseq(ladder[b"INVITE"]), told(ladder[b"INVITE"])[b"nonce"]) == (9, b"n2")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    ladder = ladder >> ALICE.within(b"ACK", ladder[200], own=INVITE, cseq=2, branch=b"z9hG4bKack2")
    ladder = ladder << Sent(CARRIER, b"ACK")
    assert cseq(ladder[b"ACK"]) == 9
    assert ladder.world.count("trunk_challenges", "stale") == 1


def test_a_wrong_password_is_500_and_tried_once() -> None:
    """§22.2: what was rejected is not repeated; the caller hears of an error of ours, not of its own password."""
    ladder = asked() >> (lambda it: ask(CARRIER, it[b"INVITE"], b"n2")) << Sent(CARRIER, b"ACK") << Sent(ALICE, 500)
    assert ladder << Silence()
    assert b"authenticate" not in ladder[500].lower()
    assert ladder.world.count("trunk_challenges", "rejected") == 1


@pytest.mark.parametrize("more", [(b"stale=true",), ()])
def test_a_kept_nonce_that_is_refused_is_no_wrong_password(more: tuple[bytes, ...]) -> None:
    """Some servers forget to say `stale`: one that worked before may be asked anew once."""
    ladder = answered()
    ladder = called(ladder.world, ALICE.invite(branch=b"z9hG4bKnext", call_id=b"next@x"))
    ladder = (
        ladder >> ask(CARRIER, ladder[b"INVITE"], b"n2", *more) << Sent(CARRIER, b"ACK") << Sent(CARRIER, b"INVITE")
    )
    assert (told(ladder[b"INVITE"])[b"nonce"], cseq(ladder[b"INVITE"])) == (b"n2", 5)
    ladder = ladder >> ask(CARRIER, ladder[b"INVITE"], b"n3") << Sent(CARRIER, b"ACK") << Sent(ALICE, 500)
    assert ladder << Silence()


def test_the_same_nonce_again_ends_it() -> None:
    ladder = asked() >> (lambda it: ask(CARRIER, it[b"INVITE"], b"n1", b"stale=true"))
    assert ladder << Sent(CARRIER, b"ACK") << Sent(ALICE, 500) << Silence()


def test_nonces_that_are_good_once_are_not_used_twice() -> None:
    """A server that refused the first second use is not tried with a second use for a while."""
    ladder = answered()
    for number in range(2, 5):
        invite = ALICE.invite(branch=b"z9hG4bK%d" % number, call_id=b"call-%d@x" % number)
        ladder = called(ladder.world, invite)
        assert bool(told(ladder[b"INVITE"])) is (number == 2)
        ladder = ladder >> ask(CARRIER, ladder[b"INVITE"], b"n%d" % number) << Sent(CARRIER, b"ACK")
        ladder = ladder << Sent(CARRIER, b"INVITE") >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    ladder.world.wait(301)
    ladder = answered(ladder.world, ALICE.invite(branch=b"z9hG4bKlater", call_id=b"later@x"))
    ladder = called(ladder.world, ALICE.invite(branch=b"z9hG4bKlast", call_id=b"last@x"))
    assert told(ladder[b"INVITE"])


def test_four_attempts_are_all_there_are() -> None:
    """Attempts 0 to 3: every one more would take the CSeq of the phone's next request."""
    ladder = called()
    for number in range(3):
        ladder = ladder >> ask(CARRIER, ladder[b"INVITE"], b"n%d" % number, b"stale=true") << Sent(CARRIER, b"ACK")
        ladder = ladder << Sent(CARRIER, b"INVITE")
        assert cseq(ladder[b"INVITE"]) == 5 + number
    ladder = ladder >> ask(CARRIER, ladder[b"INVITE"], b"last", b"stale=true") << Sent(CARRIER, b"ACK")
    assert ladder << Sent(ALICE, 500) << Silence()
    assert ladder.world.count("trunk_challenges", "attempts") == 1


def test_two_proxies_in_a_row_ask_for_two_passwords() -> None:
    """Credentials for each realm, both in the last attempt."""
    ladder = asked() >> (lambda it: ask(CARRIER, it[b"INVITE"], b"m1", status=401, realm=b"behind.example"))
    ladder = ladder << Sent(CARRIER, b"ACK") << Sent(CARRIER, b"INVITE")
    sent = ladder[b"INVITE"]
    assert (told(sent)[b"nonce"], told(sent, b"authorization")[b"nonce"], cseq(sent)) == (b"n1", b"m1", 6)
    assert told(sent)[b"nc"] == b"00000002"


def test_another_realm_than_the_configured_one_gets_nothing() -> None:
    the = world({"credentials": {**CREDENTIALS, "realm": "carrier.example"}})
    the.passwords = {"carrier": Account(USER, PASSWORD, b"carrier.example")}
    the.new_core()
    ladder = called(the) >> (lambda it: ask(CARRIER, it[b"INVITE"], realm=b"evil.example"))
    ladder = ladder << Sent(CARRIER, b"ACK") << Sent(ALICE, 500)
    assert ladder << Silence()
    assert ladder.world.count("trunk_challenges", "unanswerable") == 1


def test_md5_is_not_used_where_the_trunk_has_better() -> None:
    lines = tuple(
        challenge(b"n1", b"algorithm=" + name) for name in (b"MD5", b"SHA-256")
    )  # the trunk prefers MD5, we do not
    ladder = called() >> (lambda it: CARRIER.answer(it[b"INVITE"], 407, headers=lines))
    ladder = ladder << Sent(CARRIER, b"ACK") << Sent(CARRIER, b"INVITE")
    assert told(ladder[b"INVITE"])[b"algorithm"] == b"SHA-256"


def test_other_methods() -> None:
    """MESSAGE and OPTIONS have no dialog, and all the same the next CSeq."""
    message = ALICE.request(b"MESSAGE", contact=False)
    ladder = Ladder(world()) >> message << Sent(CARRIER, b"MESSAGE")
    assert cseq(ladder[b"MESSAGE"]) == 4
    ladder = ladder >> ask(CARRIER, ladder[b"MESSAGE"]) << Sent(CARRIER, b"MESSAGE")
    assert (cseq(ladder[b"MESSAGE"]), is_right(ladder[b"MESSAGE"])) == (5, True)
    ladder = ladder >> CARRIER.answer(ladder[b"MESSAGE"], 200) << Sent(ALICE, 200)
    assert read(ladder[200]).cseq == 1


def test_cancel_carries_the_number_of_the_attempt_that_it_is_about() -> None:
    ladder = asked() >> (lambda it: CARRIER.answer(it[b"INVITE"], 180)) << Sent(ALICE, 180)
    ladder = ladder >> ALICE.cancel(INVITE) << Sent(ALICE, 200) << Sent(CARRIER, b"CANCEL")
    assert cseq(ladder[b"CANCEL"]) == 5
    assert read(ladder[b"CANCEL"]).via.branch == read(ladder[b"INVITE"]).via.branch
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 487) << Sent(CARRIER, b"ACK") << Sent(ALICE, 487)
    assert cseq(ladder[b"ACK"]) == 5
    assert ladder


def test_a_challenge_that_meets_a_cancel_is_487() -> None:
    """The caller has hung up: nothing is repeated, and no challenge goes back."""
    ladder = called() >> ALICE.cancel(INVITE) << Sent(ALICE, 200) << Silence()
    ladder = ladder >> (lambda it: ask(CARRIER, it[b"INVITE"])) << Sent(CARRIER, b"ACK") << Sent(ALICE, 487)
    assert ladder << Silence()


def test_a_challenge_after_it_has_rung_goes_no_further() -> None:
    ladder = asked() >> (lambda it: CARRIER.answer(it[b"INVITE"], 180)) << Sent(ALICE, 180)
    ladder = ladder >> ask(CARRIER, ladder[b"INVITE"], b"late") << Sent(CARRIER, b"ACK") << Sent(ALICE, 500)
    assert b"late" not in ladder[500]


def test_a_repeated_challenge_gets_its_ack_again() -> None:
    ladder = called()
    refused = ask(CARRIER, ladder[b"INVITE"])
    ladder = ladder >> refused << Sent(CARRIER, b"ACK") << Sent(CARRIER, b"INVITE")
    assert ladder >> refused << Sent(CARRIER, b"ACK") << Silence()
    assert cseq(ladder[b"ACK"]) == 4


def test_a_repeated_invite_of_the_phone_is_absorbed_meanwhile() -> None:
    ladder = asked()
    assert ladder >> INVITE << Sent(ALICE, 100) << Silence()


def test_every_attempt_is_repeated_by_timer_a_as_it_was() -> None:
    ladder = asked()
    sent = ladder[b"INVITE"]
    ladder = ladder >> Wait(0.6) << Sent(CARRIER, b"INVITE")
    assert ladder[b"INVITE"] == sent


@pytest.mark.parametrize("number", [2**29, 2**31 - 1])
def test_a_cseq_that_leaves_no_room_is_refused(number: int) -> None:
    ladder = Ladder(world()) >> ALICE.invite(cseq=number) << Sent(ALICE, 500) << Silence()
    assert read(ladder[500]).reason == b"CSeq Too High"


def test_the_last_cseq_with_room() -> None:
    ladder = called(invite=ALICE.invite(cseq=2**29 - 1))
    assert cseq(ladder[b"INVITE"]) == 2**31 - 4


def test_an_emergency_call_with_such_a_cseq_goes_through() -> None:
    trunks = [*SETTINGS["trunks"][:2], {**SETTINGS["trunks"][2], "credentials": CREDENTIALS}]
    the = World(settings(trunks=trunks), passwords={"psap": ACCOUNTS["carrier"]})
    invite = ALICE.invite(uri=b"urn:service:sos", cseq=2**30)
    ladder = Ladder(the) >> invite << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
    assert cseq(ladder[b"INVITE"]) == 2**30


def test_an_emergency_call_is_answered_for() -> None:
    trunks = [*SETTINGS["trunks"][:2], {**SETTINGS["trunks"][2], "credentials": CREDENTIALS}]
    the = World(settings(trunks=trunks), passwords={"psap": ACCOUNTS["carrier"]})
    ladder = Ladder(the) >> ALICE.invite(uri=b"urn:service:sos") << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
    ladder = ladder >> ask(PSAP, ladder[b"INVITE"]) << Sent(PSAP, b"ACK") << Sent(PSAP, b"INVITE")
    assert is_right(ladder[b"INVITE"])


def test_the_ack_after_a_restart() -> None:
    """No transaction is left: the Contact of the 200 tells the attempt."""
    ladder = asked() >> (lambda it: CARRIER.answer(it[b"INVITE"], 200)) << Sent(ALICE, 200)
    ladder = ladder >> Restart() >> ALICE.within(b"ACK", ladder[200], own=INVITE, cseq=1) << Sent(CARRIER, b"ACK")
    assert cseq(ladder[b"ACK"]) == 5
    ladder = ladder >> ALICE.within(b"BYE", ladder[200], own=INVITE, cseq=2) << Sent(CARRIER, b"BYE")
    assert cseq(ladder[b"BYE"]) == 8


def test_the_ack_of_a_re_invite_after_a_restart() -> None:
    """Its own Contact counts, not that of the call's beginning."""
    ladder = answered()
    ladder = ladder >> ALICE.within(b"INVITE", ladder[200], own=INVITE, cseq=2) << Sent(ALICE, 100)
    ladder = ladder << Sent(CARRIER, b"INVITE") >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    formed = ladder[200]
    ack = ALICE.within(b"ACK", formed, own=INVITE, cseq=2, branch=b"z9hG4bKack2")
    ladder = ladder >> Restart() >> ack << Sent(CARRIER, b"ACK")
    assert cseq(ladder[b"ACK"]) == 8


def test_a_restart_between_the_attempts_repeats_the_branches() -> None:
    """The phone repeats its INVITE, and all begins anew in the same branches (dialogs.md)."""
    ladder = called()
    first = read(ladder[b"INVITE"]).via.branch
    ladder = ladder >> ask(CARRIER, ladder[b"INVITE"]) << Sent(CARRIER, b"ACK") << Sent(CARRIER, b"INVITE")
    second = read(ladder[b"INVITE"]).via.branch
    ladder = ladder >> Restart() >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert read(ladder[b"INVITE"]).via.branch == first
    ladder = ladder >> ask(CARRIER, ladder[b"INVITE"]) << Sent(CARRIER, b"ACK") << Sent(CARRIER, b"INVITE")
    assert read(ladder[b"INVITE"]).via.branch == second


def test_a_further_2xx_carries_the_attempt_too() -> None:
    """RFC 6026: the repetition passes, with the very same Contact."""
    ladder = asked() >> (lambda it: CARRIER.answer(it[b"INVITE"], 200)) << Sent(ALICE, 200)
    first = ladder[200]
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    assert ladder[200] == first
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200, tag=b"fork") << Sent(ALICE, 200)
    ack = ALICE.within(b"ACK", ladder[200], own=INVITE, cseq=1, branch=b"z9hG4bKfork")
    ladder = ladder >> Restart() >> ack << Sent(CARRIER, b"ACK")
    assert cseq(ladder[b"ACK"]) == 5


def test_prack_names_the_invite_as_the_trunk_knows_it() -> None:
    """RFC 3262 §7.2: RAck is RSeq, and the CSeq of the INVITE; the PRACK has a CSeq of its own."""
    ladder = asked() >> (
        lambda it: CARRIER.answer(it[b"INVITE"], 183, headers=(b"Require: 100rel", b"RSeq: 777"))
    ) << Sent(ALICE, 183)  # fmt: skip
    prack = ALICE.within(b"PRACK", ladder[183], own=INVITE, cseq=2, headers=(b"RAck: 777 1 INVITE",))
    ladder = ladder >> prack << Sent(CARRIER, b"PRACK")
    sent = read(ladder[b"PRACK"])
    assert (sent.cseq, sent.value(b"rack")) == (8, b"777 5 INVITE")
    ladder = ladder >> ask(CARRIER, ladder[b"PRACK"], b"p1", b"stale=true") << Sent(CARRIER, b"PRACK")
    sent = read(ladder[b"PRACK"])
    assert (sent.cseq, sent.value(b"rack")) == (9, b"777 5 INVITE")
    assert ladder >> CARRIER.answer(ladder[b"PRACK"], 200) << Sent(ALICE, 200)


def test_prack_after_a_restart() -> None:
    ladder = asked() >> (
        lambda it: CARRIER.answer(it[b"INVITE"], 183, headers=(b"Require: 100rel", b"RSeq: 777"))
    ) << Sent(ALICE, 183)  # fmt: skip
    prack = ALICE.within(b"PRACK", ladder[183], own=INVITE, cseq=2, headers=(b"RAck: 777 1 INVITE",))
    ladder = ladder >> Restart() >> prack << Sent(CARRIER, b"PRACK")
    assert read(ladder[b"PRACK"]).value(b"rack") == b"777 5 INVITE"


def test_the_trunk_s_own_requests_count_by_themselves() -> None:
    """Its CSeq reaches the phone as it is, and comes back so."""
    ladder = answered()
    bye = CARRIER.within(b"BYE", ladder[b"INVITE"], own=CARRIER.answer(ladder[b"INVITE"], 200), cseq=93)
    ladder = ladder >> bye << Sent(ALICE, b"BYE")
    assert cseq(ladder[b"BYE"]) == 93
    ladder = ladder >> ALICE.answer(ladder[b"BYE"], 200) << Sent(CARRIER, 200)
    assert read(ladder[200]).cseq == 93


def incoming(the: World | None = None) -> tuple[Ladder, Packet]:
    """A call from the carrier that the PBX has taken, and what the carrier sent."""
    invite = CARRIER.invite(uri=b"sip:+15550142@192.0.2.1", cseq=77)
    ladder = Ladder(the or world()) >> invite << Sent(CARRIER, 100) << Sent(PBX, b"INVITE")
    assert cseq(ladder[b"INVITE"]) == 77
    ladder = ladder >> PBX.answer(ladder[b"INVITE"], 200) << Sent(CARRIER, 200)
    assert read(ladder[200]).cseq == 77
    ack = CARRIER.within(b"ACK", ladder[200], own=invite, cseq=77)
    ladder = ladder >> ack << Sent(PBX, b"ACK")
    assert cseq(ladder[b"ACK"]) == 77
    return ladder, invite


def test_a_call_from_the_trunk_is_mapped_one_way() -> None:
    """The trunk's numbers pass; those of the core's requests in the same dialog are mapped and may be challenged."""
    ladder, _ = incoming()
    own = PBX.answer(ladder[b"INVITE"], 200)
    bye = PBX.within(b"BYE", ladder[b"INVITE"], own=own, cseq=9)
    ladder = ladder >> Restart() >> bye << Sent(CARRIER, b"BYE")
    assert cseq(ladder[b"BYE"]) == 36
    ladder = ladder >> ask(CARRIER, ladder[b"BYE"]) << Sent(CARRIER, b"BYE")
    assert (cseq(ladder[b"BYE"]), is_right(ladder[b"BYE"])) == (37, True)
    ladder = ladder >> CARRIER.answer(ladder[b"BYE"], 200) << Sent(PBX, 200)
    assert read(ladder[200]).cseq == 9


def test_a_trunk_may_ask_of_a_re_invite_back_to_it() -> None:
    """A call from the trunk, a re-INVITE of the core: the ACK finds its attempt where Contact is not sealed."""
    ladder, _ = incoming()
    own = PBX.answer(ladder[b"INVITE"], 200)
    formed = ladder[b"INVITE"]
    ladder = ladder >> PBX.within(b"INVITE", formed, own=own, cseq=9) << Sent(PBX, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> ask(CARRIER, ladder[b"INVITE"]) << Sent(CARRIER, b"ACK") << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(PBX, 200)
    ladder = ladder >> PBX.within(b"ACK", formed, own=own, cseq=9, branch=b"z9hG4bKack9") << Sent(CARRIER, b"ACK")
    assert cseq(ladder[b"ACK"]) == 37


def test_refer_and_its_notify_agree_on_the_number() -> None:
    """RFC 3515 §2.4.6: `id` is the CSeq of the REFER, which the trunk knows as another number."""
    ladder = answered()
    refer = ALICE.within(b"REFER", ladder[200], own=INVITE, cseq=23, headers=(b"Refer-To: <sip:+15550199@192.0.2.1>",))
    ladder = ladder >> refer << Sent(CARRIER, b"REFER")
    ladder = ladder >> ask(CARRIER, ladder[b"REFER"], b"r2", b"stale=true") << Sent(CARRIER, b"REFER")
    assert cseq(ladder[b"REFER"]) == 93
    formed = ladder[200]
    ladder = ladder >> CARRIER.answer(ladder[b"REFER"], 202) << Sent(ALICE, 202)
    notify = CARRIER.within(
        b"NOTIFY", ladder[b"INVITE"], own=CARRIER.answer(ladder[b"INVITE"], 200), cseq=5,
        headers=(b"Event: refer;id=93", b"Subscription-State: active"),
    )  # fmt: skip
    ladder = ladder >> notify << Sent(ALICE, b"NOTIFY")
    sent = read(ladder[b"NOTIFY"])
    assert (sent.cseq, sent.value(b"event")) == (5, b"refer;id=23")
    subscribe = ALICE.within(
        b"SUBSCRIBE", formed, own=INVITE, cseq=24, headers=(b"Event: refer;id=23", b"Expires: 0")
    )  # fmt: skip
    ladder = ladder >> subscribe << Sent(CARRIER, b"SUBSCRIBE")
    assert read(ladder[b"SUBSCRIBE"]).value(b"event") == b"refer;id=93"


def test_a_notify_of_the_phone_keeps_the_trunk_s_number() -> None:
    """The trunk's REFER passed with its own CSeq, so the phone's NOTIFY names that."""
    ladder = answered()
    notify = ALICE.within(
        b"NOTIFY", ladder[200], own=INVITE, cseq=3,
        headers=(b"Event: refer;id=93", b"Subscription-State: active"),
    )  # fmt: skip
    ladder = ladder >> notify << Sent(CARRIER, b"NOTIFY")
    assert read(ladder[b"NOTIFY"]).value(b"event") == b"refer;id=93"


# --- reloads


def without_credentials(the: World) -> None:
    the.passwords = {}
    the.reload()


def test_a_trunk_that_loses_its_credentials_keeps_counting_in_calls_that_are_up() -> None:
    ladder = answered()
    without_credentials(ladder.world)
    ladder = ladder >> ALICE.within(b"BYE", ladder[200], own=INVITE, cseq=2) << Sent(CARRIER, b"BYE")
    assert (cseq(ladder[b"BYE"]), told(ladder[b"BYE"])) == (8, {})
    ladder = called(ladder.world, ALICE.invite(branch=b"z9hG4bKnext", call_id=b"next@x"))
    assert cseq(ladder[b"INVITE"]) == 1


def test_a_trunk_that_gets_credentials_leaves_calls_that_are_up_as_they_are() -> None:
    """Their numbers cannot change in mid-call; a challenge there is refused, and none of the phone's business."""
    the = World()
    ladder = called(the) >> (lambda it: CARRIER.answer(it[b"INVITE"], 200)) << Sent(ALICE, 200)
    ladder = ladder >> ALICE.within(b"ACK", ladder[200], own=INVITE, cseq=1) << Sent(CARRIER, b"ACK")
    the.passwords = ACCOUNTS
    the.reload(trunks=list(world().settings.model_dump()["trunks"]))
    ladder = ladder >> ALICE.within(b"BYE", ladder[200], own=INVITE, cseq=2) << Sent(CARRIER, b"BYE")
    assert cseq(ladder[b"BYE"]) == 2
    ladder = ladder >> ask(CARRIER, ladder[b"BYE"]) << Sent(ALICE, 500)
    assert ladder << Silence()


def test_another_password_is_used_at_once_and_the_old_nonces_are_not() -> None:
    ladder = answered()
    ladder.world.passwords = {"carrier": Account(USER, b"another")}
    ladder.world.reload(trunks=list(world().settings.model_dump()["trunks"]))
    ladder = called(ladder.world, ALICE.invite(branch=b"z9hG4bKnext", call_id=b"next@x"))
    assert told(ladder[b"INVITE"]) == {}
    ladder = ladder >> ask(CARRIER, ladder[b"INVITE"], b"n9") << Sent(CARRIER, b"ACK") << Sent(CARRIER, b"INVITE")
    assert is_right(ladder[b"INVITE"], password=b"another")


def test_a_retired_trunk_is_still_answered_in_its_calls() -> None:
    ladder = answered()
    ladder.world.passwords = {}
    ladder.world.reload(trunks=SETTINGS["trunks"][1:], routes=[{"emergency": True, "to": ["psap"]}, {"to": ["second"]}])
    ladder = ladder >> ALICE.within(b"BYE", ladder[200], own=INVITE, cseq=2) << Sent(CARRIER, b"BYE")
    ladder = ladder >> ask(CARRIER, ladder[b"BYE"], b"n2", b"stale=true") << Sent(CARRIER, b"BYE")
    assert (cseq(ladder[b"BYE"]), is_right(ladder[b"BYE"])) == (9, True)


# --- several targets and forks


def two_hosts() -> World:
    return world({"hosts": ["198.51.100.7", "198.51.100.17"], "networks": ["198.51.100.7", "198.51.100.16/28"]})


def test_the_next_target_begins_anew_outside_dialogs() -> None:
    """It is asked by itself, and has all attempts."""
    ladder = asked(two_hosts()) >> (lambda it: CARRIER.answer(it[b"INVITE"], 503))
    ladder = ladder << Sent(CARRIER, b"ACK") << Sent(SPARE, b"INVITE")
    assert cseq(ladder[b"INVITE"]) == 4
    for number in range(3):
        ladder = ladder >> ask(SPARE, ladder[b"INVITE"], b"s%d" % number, b"stale=true") << Sent(SPARE, b"ACK")
        ladder = ladder << Sent(SPARE, b"INVITE")
    assert cseq(ladder[b"INVITE"]) == 7
    assert ladder


def test_a_challenge_is_the_answer_of_its_target() -> None:
    """No failover for it: another server of the same trunk wants the same password."""
    ladder = asked(two_hosts()) >> (lambda it: ask(CARRIER, it[b"INVITE"], b"n2"))
    assert ladder << Sent(CARRIER, b"ACK") << Sent(ALICE, 500) << Silence()


def test_within_a_dialog_the_next_target_counts_on() -> None:
    """CSeq rises strictly at the trunk, whichever of its machines looks (RFC 3261 §12.2.2)."""
    hosts = {"hosts": ["sip.carrier.example"], "networks": ["198.51.100.7", "198.51.100.16/28"]}
    listed = [{"name": "sip.carrier.example", "addresses": ["198.51.100.7", "198.51.100.17"]}]
    ladder = answered(world(hosts, hosts=listed), contact=b"<sip:gw@sip.carrier.example>")
    ladder = ladder >> ALICE.within(b"INVITE", ladder[200], own=INVITE, cseq=2) << Sent(ALICE, 100)
    ladder = ladder << Sent(CARRIER, b"INVITE")
    ladder = ladder >> ask(CARRIER, ladder[b"INVITE"], b"n2", b"stale=true") << Sent(CARRIER, b"ACK")
    ladder = ladder << Sent(CARRIER, b"INVITE") >> CARRIER.answer(ladder[b"INVITE"], 503) << Sent(CARRIER, b"ACK")
    ladder = ladder << Sent(SPARE, b"INVITE")
    assert cseq(ladder[b"INVITE"]) == 9
    ladder = ladder >> SPARE.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    ladder = ladder >> ALICE.within(b"ACK", ladder[200], own=INVITE, cseq=2, branch=b"z9hG4bKack2")
    ladder = ladder << Sent(SPARE, b"ACK")
    assert cseq(ladder[b"ACK"]) == 9


def test_a_fork_to_two_trunks_answers_each_for_itself() -> None:
    """The challenge of the one that has no password with us goes back where nothing better came; ours never."""
    invite = ALICE.invite(uri=b"sip:9123@192.0.2.1")
    ladder = Ladder(world()) >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    to_carrier = ladder[b"INVITE"]
    ladder = ladder << Sent(SECOND, b"INVITE")
    to_second = ladder[b"INVITE"]
    assert (cseq(to_carrier), cseq(to_second)) == (4, 1)
    ladder = ladder >> ask(CARRIER, to_carrier) << Sent(CARRIER, b"ACK") << Sent(CARRIER, b"INVITE")
    ladder = ladder >> ask(SECOND, to_second, realm=b"second.example") << Sent(SECOND, b"ACK") << Silence()
    ladder = ladder >> ask(CARRIER, ladder[b"INVITE"], b"n2") << Sent(CARRIER, b"ACK") << Sent(ALICE, 407)
    assert b"second.example" in ladder[407]
    assert b"carrier.example" not in ladder[407]


def test_a_trunk_without_a_password_asks_the_caller_as_ever() -> None:
    ladder = called(World()) >> (lambda it: ask(CARRIER, it[b"INVITE"])) << Sent(CARRIER, b"ACK") << Sent(ALICE, 407)
    assert cseq(ladder[b"INVITE"]) == 1


# --- nothing of it reaches anybody else


def test_the_password_and_what_is_made_of_it_go_to_that_trunk_alone() -> None:
    """Search everything that ever left, events too: user, response, nonce and cnonce of ours."""
    ladder = answered()
    the = ladder.world
    info = (b'Proxy-Authentication-Info: rspauth="0123456789abcdef", nextnonce="n9"', challenge(b"n8"))
    ladder = ladder >> ALICE.within(b"BYE", ladder[200], own=INVITE, cseq=2) << Sent(CARRIER, b"BYE")
    ladder = ladder >> CARRIER.answer(ladder[b"BYE"], 200, headers=info) << Sent(ALICE, 200)
    ladder = ladder >> ALICE.invite(uri=b"sip:9123@192.0.2.1", branch=b"z9hG4bKf", call_id=b"f@x") << Sent(ALICE, 100)
    ladder = ladder << Sent(CARRIER, b"INVITE") << Sent(SECOND, b"INVITE")
    canaries = [USER, PASSWORD, b"rspauth", b"carrier.example", b'"n1"', b"n8"]
    canaries += [told(ladder.seen[b"BYE"])[name] for name in (b"response", b"cnonce")]
    for address, data in the.sent:
        found = [canary for canary in canaries if canary in data]
        assert PASSWORD not in data
        assert not found or address == CARRIER.address, (address, found)
    said = repr(the.events) + repr(the.core.logins.__class__) + repr(the.core.counters.values)
    assert USER.decode() not in said
    assert PASSWORD.decode() not in said


def test_a_phone_s_own_credentials_for_the_trunk_give_way_to_ours() -> None:
    """Two for one realm would be a riddle; and a phone cannot use our account by saying so."""
    the = world({"privacy": {"credentials": "keep"}})
    line = b'Proxy-Authorization: Digest username="x", realm="carrier.example", nonce="n", uri="sip:y", response="z"'
    invite = ALICE.invite(headers=(b"Content-Type: application/sdp", line))
    ladder = asked(the, invite=invite)
    assert told(ladder[b"INVITE"])[b"username"] == USER


def test_uniform_puts_it_in_its_place() -> None:
    ladder = asked(world({"uniform": True}))
    assert is_right(ladder[b"INVITE"])
    assert cseq(ladder[b"INVITE"]) == 5


def test_where_the_contact_carries_the_whole_record() -> None:
    """Trunks that keep no Record-Route."""
    ladder = answered(world({"record_route": False}))
    ladder = ladder >> Restart() >> ALICE.within(b"BYE", ladder[200], own=INVITE, cseq=2) << Sent(CARRIER, b"BYE")
    assert cseq(ladder[b"BYE"]) == 8
    bye = CARRIER.within(b"BYE", ladder[b"INVITE"], own=CARRIER.answer(ladder[b"INVITE"], 200), cseq=93)
    ladder = ladder >> bye << Sent(ALICE, b"BYE")
    assert cseq(ladder[b"BYE"]) == 93


def group() -> World:
    """Calls go to a group of the carrier, which asks for a password, and a second trunk, which does not."""
    members = [{"trunk": "carrier"}, {"trunk": "second", "priority": 2}]
    return world(
        {"hosts": ["198.51.100.7", "198.51.100.17"], "networks": ["198.51.100.7", "198.51.100.16/28"]},
        groups=[{"name": "both", "members": members}],
        routes=[{"source": "access", "to": ["both"]}],
    )


def test_a_trunk_that_does_not_take_our_password_costs_no_call_in_a_group() -> None:
    """Its other machine would ask as well; the next trunk gets the phone's own numbers, and nothing of the first."""
    ladder = asked(group()) >> (lambda it: ask(CARRIER, it[b"INVITE"], b"n2")) << Sent(CARRIER, b"ACK")
    ladder = ladder << Sent(SECOND, b"INVITE") << Silence()
    assert (cseq(ladder[b"INVITE"]), told(ladder[b"INVITE"])) == (1, {})
    assert ladder.world.count("failovers", "password") == 1
    ladder = ladder >> ask(SECOND, ladder[b"INVITE"], realm=b"second.example") << Sent(SECOND, b"ACK")
    assert ladder << Sent(ALICE, 407)  # a trunk that we have no password for asks the caller, as ever


def test_a_group_goes_on_from_an_attempt_with_credentials() -> None:
    ladder = asked(group()) >> (lambda it: CARRIER.answer(it[b"INVITE"], 503)) << Sent(CARRIER, b"ACK")
    ladder = ladder << Sent(SPARE, b"INVITE")
    assert (cseq(ladder[b"INVITE"]), told(ladder[b"INVITE"])[b"nonce"]) == (4, b"n1")
    ladder = ladder >> SPARE.answer(ladder[b"INVITE"], 503) << Sent(SPARE, b"ACK") << Sent(SECOND, b"INVITE")
    ladder = ladder >> SECOND.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    ladder = ladder >> ALICE.within(b"ACK", ladder[200], own=INVITE, cseq=1) << Sent(SECOND, b"ACK")
    assert (cseq(ladder[b"ACK"]), told(ladder[b"ACK"])) == (1, {})


def test_a_cseq_without_room_goes_to_the_trunk_that_can_take_it() -> None:
    """A member of a group that cannot have the request is passed over."""
    ladder = Ladder(group()) >> ALICE.invite(cseq=2**30) << Sent(ALICE, 100) << Sent(SECOND, b"INVITE")
    assert cseq(ladder[b"INVITE"]) == 2**30


def test_a_call_that_was_challenged_is_counted_once() -> None:
    """What a trunk takes at most (`[trunks.limits]`) counts calls, not attempts; one that fails is counted no more."""
    the = world({"limits": {"calls": 5}})
    ladder = asked(the)
    assert the.core.limits.calls("carrier") == 1
    ladder = ladder >> ask(CARRIER, ladder[b"INVITE"], b"n2") << Sent(CARRIER, b"ACK") << Sent(ALICE, 500)
    assert ladder
    assert the.core.limits.calls("carrier") == 0
