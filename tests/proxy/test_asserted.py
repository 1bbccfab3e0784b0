"""Asserted identity at the border of the trust domain (RFC 3325 §5, §7, RFC 5876), as ladders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.vocabulary import Zone
from filters.engine import build
from filters.leaks import found_in
from proxy.asserted import assert_identity
from proxy.message import Draft, Message
from proxy.party import Party
from tests import world
from tests.agents import ALICE, CARRIER, PBX, Agent, read
from tests.ladder import Ladder, Sent
from tests.world import OTHER_PHONE, PHONE, World

NUMBER = b"+15550142"
CALLER = Agent(PHONE, NUMBER, b'"Alice Liddell" ')
FORGED = b"P-Asserted-Identity: <sip:+15559999@sip.example.net>"
SHOWN = {"name": "keep", "number": "keep"}
PAI = b"p-asserted-identity"
TRUSTED = [{**world.SETTINGS["trunks"][0], "trusted": True}, *world.SETTINGS["trunks"][1:]]


def place(*, default: Any = None, **trunk: Any) -> World:
    """Return a world whose first trunk has these keys."""
    first = {**world.SETTINGS["trunks"][0], **trunk}
    return World(world.settings(trunks=[first, *world.SETTINGS["trunks"][1:]], privacy={"default": default or {}}))


def sent(world_: World, *headers: bytes, method: bytes = b"INVITE", caller: Agent = CALLER, **how: Any) -> Message:
    """Return what the trunk gets of a caller's request."""
    world_.receive(caller.address, caller.request(method, headers=headers, **how).data)
    return next(read(data) for peer, data in world_.sent if peer == CARRIER.address)


def test_a_trusted_trunk_is_told_a_hidden_number_by_indicator() -> None:
    """peers.md rows 3 and 6: From is anonymous, the number stands in PAI alone, and Privacy says what it is."""
    message = sent(place(trusted=True))
    assert message.from_.address == b'"Anonymous" <sip:anonymous@anonymous.invalid>'
    assert message.items(PAI) == [b"<sip:%b@192.0.2.1:5060>" % NUMBER]
    assert message.items(b"privacy") == [b"id"]
    rest = b"\r\n".join(line for line in message.lines if not line.lower().startswith(PAI))
    assert not found_in(rest, [NUMBER, b"Alice"])


def test_a_stranger_is_never_told_it() -> None:
    """RFC 3325 §7, MUST."""
    message = sent(place(), b"Privacy: id", FORGED)
    assert PAI not in message.index
    assert b"privacy" not in message.index, "performed values go (RFC 3323 §5)"
    assert not found_in(message.raw, [NUMBER])


def test_no_contract_opens_a_withheld_number_to_a_stranger() -> None:
    """The contract stands above a subscriber's wish, but not above RFC 3325."""
    world_ = place(privacy={"name": "keep", "number": "keep", "network": "keep"})
    assert not found_in(sent(world_, b"Privacy: id").raw, [NUMBER, b"Alice"])


def test_a_number_that_is_shown_is_asserted_without_privacy() -> None:
    message = sent(place(trusted=True, privacy=SHOWN))
    assert message.items(PAI) == [b'"Alice Liddell" <sip:%b@192.0.2.1:5060>' % NUMBER]
    assert b"privacy" not in message.index


def test_what_a_phone_asserts_is_replaced_by_who_it_is() -> None:
    """RFC 3325 §5; PPI is a hint for us and leaves towards nobody (§6)."""
    for trusted in (True, False):
        preferred = b"P-Preferred-Identity: <sip:+15558888@sip.example.net>"
        message = sent(place(trusted=trusted, privacy=SHOWN), FORGED, preferred)
        assert not found_in(message.raw, [b"+15559999", b"+15558888"])
        assert message.items(PAI) == [b'"Alice Liddell" <sip:%b@192.0.2.1:5060>' % NUMBER]


@pytest.mark.parametrize("trusted", [True, False])
def test_a_contract_that_hides_numbers_tells_none(trusted: bool) -> None:
    """Also inside the trust domain."""
    message = sent(place(trusted=trusted, privacy={"number": "anonymise"}), FORGED)
    assert PAI not in message.index
    assert not found_in(message.raw, [NUMBER])


def test_the_telephone_network_is_told_whatever_the_floor_says() -> None:
    """47 CFR 64.1601(a): by indicator, not by leaving it out."""
    world_ = place(trusted=True, pstn=True, privacy={"number": "anonymise"})
    message = sent(world_)
    assert message.items(PAI) == [b"<sip:%b@192.0.2.1:5060>" % NUMBER]
    assert message.items(b"privacy") == [b"id"]


def test_nobody_is_asserted_for_an_anonymous_phone() -> None:
    """A From that is nobody's names nobody."""
    caller = Agent(PHONE, b"anonymous")
    data = caller.request().data.replace(b"sip:anonymous@sip.example.net", b"sip:anonymous@anonymous.invalid")
    world_ = place(trusted=True)
    world_.receive(caller.address, data)
    message = next(read(data) for peer, data in world_.sent if peer == CARRIER.address)
    assert PAI not in message.index


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (b"<sip:+1555@pbx.example>, <tel:+1555>", b"<sip:+1555@192.0.2.1:5060>, <sip:+1555@192.0.2.1:5060;user=phone>"),
        (b"<sip:+1555@pbx.example>, <sip:+1666@pbx.example>", b"<sip:+1555@192.0.2.1:5060>"),
        (b"<sip:+1555@pbx.example;cpc=ordinary>;x=1", b"<sip:+1555@192.0.2.1:5060>"),
    ],
)
def test_the_cores_identities_pass_one_of_each_scheme(given: bytes, left: bytes) -> None:
    """RFC 5876 §4.5; hosts of the core are topology."""
    world_ = place(trusted=True)
    world_.receive(
        PBX.address, PBX.request(uri=b"sip:+15550100@192.0.2.1", headers=(b"P-Asserted-Identity: " + given,)).data
    )
    message = next(read(data) for peer, data in world_.sent if peer == CARRIER.address)
    assert message.value(PAI) == left


def test_unreadable_identities_fall() -> None:
    world_ = place(trusted=True)
    headers = (b'P-Asserted-Identity: "broken <sip:+1555@pbx.example>',)
    world_.receive(PBX.address, PBX.request(uri=b"sip:+15550100@192.0.2.1", headers=headers).data)
    message = next(read(data) for peer, data in world_.sent if peer == CARRIER.address)
    assert not found_in(message.raw, [b"+1555@"])


@pytest.mark.parametrize("method", [b"REGISTER", b"ACK"])
def test_some_methods_assert_nobody(method: bytes) -> None:
    """RFC 5876 §3.2."""
    world_ = place(trusted=True)
    world_.receive(CALLER.address, CALLER.request(method, headers=(FORGED,)).data)
    assert all(b"P-Asserted-Identity" not in data for _, data in world_.sent)


def test_requests_within_the_dialog_assert_where_the_phone_does() -> None:
    """A re-INVITE's PAI is replaced as the first one's was."""
    invite = CALLER.invite()
    ladder = Ladder(place(trusted=True)) >> invite << Sent(CALLER, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(CALLER, 200)
    update = CALLER.within(b"UPDATE", ladder[200], own=invite, headers=(FORGED,))
    ladder = ladder >> update << Sent(CARRIER, b"UPDATE")
    message = read(ladder[b"UPDATE"])
    assert message.items(PAI) == [b"<sip:%b@192.0.2.1:5060>" % NUMBER]
    assert message.items(b"privacy") == [b"id"]


def test_a_callee_that_withholds_is_withheld() -> None:
    """A 200 with PAI and `Privacy: id` from a trusted trunk: the phone may not see who answered (RFC 3325 §7)."""
    invite = CALLER.invite()
    headers = (b"P-Asserted-Identity: <sip:+15550177@carrier.example>", b"Privacy: id")
    for also, seen in ((headers, False), (headers[:1], True)):
        ladder = Ladder(place(trusted=True)) >> invite << Sent(CALLER, 100) << Sent(CARRIER, b"INVITE")
        ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200, headers=also) << Sent(CALLER, 200)
        assert bool(found_in(ladder[200], [b"+15550177"])) is seen
        assert b"privacy" not in read(ladder[200]).index


def test_what_a_phone_asserts_in_a_response_nobody_believes() -> None:
    """RFC 5876 §5: a response cannot be authenticated."""
    bob = Agent(OTHER_PHONE, b"bob")
    ladder = Ladder() >> PBX.invite(uri=b"sip:bob@10.1.1.99") << Sent(PBX, 100) << Sent(bob, b"INVITE")
    ladder = ladder >> bob.answer(ladder[b"INVITE"], 200, headers=(FORGED,)) << Sent(PBX, 200)
    assert not found_in(ladder[200], [b"+15559999"])


def test_an_emergency_call_keeps_what_it_says() -> None:
    """Complete (standards.md §2.6)."""
    world_ = place()
    world_.receive(ALICE.address, ALICE.request(uri=b"urn:service:sos", headers=(FORGED, b"Privacy: id")).data)
    data = next(data for peer, data in world_.sent if peer == world.PSAP)
    assert FORGED in data
    assert b"Privacy: id" in data


@pytest.mark.parametrize("line", ["p-asserted-identity = {category = 'number', ", "privacy = {category = 'unknown', "])
def test_what_never_goes_to_a_trunk_is_not_added_either(tmp_path: Path, line: str) -> None:
    """An operator's catalogue has the last word on a header, whoever writes it."""
    path = tmp_path / "own.toml"
    path.write_text(f"[headers]\n{line}zones = {{trusted = 'remove'}}}}")
    message = sent(World(world.settings(trunks=TRUSTED, catalogue=[str(path)])))
    assert line.partition(" ")[0].encode() not in message.index
    assert {PAI, b"privacy"} & set(message.index), "the other of the two goes on"


def test_what_is_added_can_be_read_by_later_stages() -> None:
    """A draft shows its own edits (design.md §2): who is asserted stands in it like any other line."""
    message = read(CALLER.request().data)
    draft, party = Draft(message), Party(Zone.TRUNK, world.settings(trunks=TRUSTED).trunks[0])
    engine = build(world.settings(trunks=TRUSTED))
    assert_identity(draft, message, Party(Zone.ACCESS), party, engine.plan(engine.towards(party), party))
    assert draft.first(PAI) == b'"Alice Liddell" <sip:%b@sip.example.net>' % NUMBER
    assert draft.first(b"privacy") == b"id"


def test_a_device_id_in_place_of_a_number_is_not_asserted() -> None:
    """From hides it by its pattern; the line beside it must not tell it."""
    phone = Agent(PHONE, b"SEP001122334455")
    message = sent(place(trusted=True, privacy=SHOWN), caller=phone)
    assert not found_in(message.raw, [b"SEP001122334455"])


def test_a_re_invite_that_insists_is_refused_and_the_call_stays() -> None:
    """RFC 3323 §5: 500 that names the value; what cannot be done is never left undone in silence."""
    invite = CALLER.invite()
    ladder = Ladder(place()) >> invite << Sent(CALLER, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(CALLER, 200)
    again = CALLER.within(b"INVITE", ladder[200], own=invite, headers=(b"Privacy: session;critical",))
    ladder = ladder >> again << Sent(CALLER, 100) << Sent(CALLER, 500)
    assert ladder[500].startswith(b"SIP/2.0 500 Privacy cannot be met: session\r\n")
    ladder = ladder >> CALLER.ack_failure(again, ladder[500])
    bye = CALLER.within(b"BYE", ladder[200], own=invite, cseq=3, headers=(b"Privacy: session;critical",))
    assert ladder >> bye << Sent(CARRIER, b"BYE")


def test_what_a_contract_keeps_us_from_is_asked_of_who_comes_next() -> None:
    """RFC 3323 §5: only performed values leave the header."""
    world_ = place(trusted=True, privacy={"network": "keep"}, default={"number": "keep"})
    message = sent(world_, b"Privacy: header, history")
    assert message.items(b"privacy") == [b"header"]
    assert sent(place(trusted=True, default={"number": "keep"}), b"Privacy: header, history").items(b"privacy") == []
