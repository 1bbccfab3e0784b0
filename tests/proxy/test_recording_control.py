"""Commands to record: who may give them, outside and within a call, and that a refused one goes nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from config.subscriber import EVERYWHERE, Setting, Value, profile
from config.subscribers import Mark, Subscribers
from config.vocabulary import Category
from tests.agents import ALICE, CARRIER, PBX, PSAP, Agent, Packet
from tests.ladder import Ladder, Sent, Silence
from tests.world import World, build, settings

RECORD = b"Record: on"
KEEP: dict[str, Any] = {"privacy": {"default": {"recording": "keep"}}}
TO_CORE = b"sip:85550142@sip.example.net"


def world(**changes: Any) -> World:
    return World(settings(**changes))


def with_(there: World, said: str) -> World:
    """The same world where alice has said `recording=said`."""
    subscribers = Subscribers(60)
    wants = profile([Setting(EVERYWHERE, "recording", Value(said))])
    subscribers.replace({b"alice@sip.example.net": wants}, Mark(1, 1), there.now)
    there.privacy = build(there.settings, subscribers)
    there.new_core()
    return there


def button(to: bytes = b"sip:+15550142@sip.example.net", *headers: bytes) -> Packet:
    return ALICE.request(b"INFO", uri=to, headers=headers or (RECORD,))


@pytest.mark.parametrize("to", [b"sip:+15550142@sip.example.net", TO_CORE])
def test_by_default_nobody_starts_a_recording_anywhere(to: bytes) -> None:
    ladder = Ladder(world()) >> button(to) << Sent(ALICE, 403) << Silence()
    assert ladder[403].startswith(b"SIP/2.0 403 Recording Not Allowed\r\n")
    assert ladder.world.count("recording", "refused") == 1


@pytest.mark.parametrize(
    ("changes", "said", "allowed"),
    [
        ({}, "show", True),
        ({}, "hide", False),
        (KEEP, "hide", False),
        (KEEP, "show", True),
        ({"privacy": {"floor": {"recording": "remove"}}}, "show", False),
    ],
)
def test_the_subscriber_decides_within_the_operators_floor(changes: dict[str, Any], said: str, allowed: bool) -> None:
    ladder = Ladder(with_(world(**changes), said)) >> button(TO_CORE)
    assert ladder << (Sent(PBX, b"INFO") if allowed else Sent(ALICE, 403)) << Silence()
    assert ladder.world.count("recording", "allowed" if allowed else "refused") == 1
    if allowed:
        assert b"\r\n" + RECORD + b"\r\n" in ladder[b"INFO"]


def test_the_default_profile_may_allow_it() -> None:
    assert Ladder(world(**KEEP)) >> button(TO_CORE) << Sent(PBX, b"INFO") << Silence()


def test_everybody_is_refused_while_nobodys_settings_are_known() -> None:
    there = world(**KEEP)
    there.privacy = build(there.settings, Subscribers(60))
    there.new_core()
    assert Ladder(there) >> button(TO_CORE) << Sent(ALICE, 403) << Silence()


def call(there: World, caller: Agent = ALICE, callee: Agent = CARRIER) -> tuple[Ladder, Packet, bytes, Packet]:
    """Return a call that is up: the ladder, the caller's INVITE, the answer as the caller has it, the callee's own."""
    invite = caller.invite()
    ladder = Ladder(there) >> invite << Sent(caller, 100) << Sent(callee, b"INVITE")
    answer = callee.answer(ladder[b"INVITE"], 200)
    ladder = ladder >> answer << Sent(caller, 200)
    return ladder, invite, ladder[200], answer


def test_within_a_call_the_button_is_the_subscribers_too() -> None:
    ladder, invite, answer, _ = call(world())
    ladder = ladder >> ALICE.within(b"INFO", answer, own=invite, headers=(RECORD,)) << Sent(ALICE, 403) << Silence()
    assert ladder >> ALICE.within(b"BYE", answer, own=invite, cseq=3) << Sent(CARRIER, b"BYE"), "the call is unharmed"
    ladder, invite, answer, _ = call(with_(world(), "show"))
    assert ladder >> ALICE.within(b"INFO", answer, own=invite, headers=(RECORD,)) << Sent(CARRIER, b"INFO") << Silence()


@pytest.mark.parametrize("uri", [b"sip:+15550100@192.0.2.1", TO_CORE])
def test_nobody_borrows_anothers_settings_within_a_call(uri: bytes) -> None:
    """Only tags tell dialogs apart: From may say anything, and whose call it is says the record."""
    for said, allowed in (("show", False), ("hide", True)):
        there = with_(world(**(KEEP if said == "hide" else {})), said)
        bob = Agent(ALICE.address, b"bob")
        invite = bob.invite(uri=uri)
        callee = PBX if uri == TO_CORE else CARRIER
        ladder = Ladder(there) >> invite << Sent(bob, 100) << Sent(callee, b"INVITE")
        ladder >> callee.answer(ladder[b"INVITE"], 200) << Sent(bob, 200)
        info = bob.within(b"INFO", ladder[200], own=invite, headers=(RECORD,))
        as_alice = info._replace(data=info.data.replace(b"<sip:bob@sip.example.net>", b"<sip:alice@sip.example.net>"))
        ladder >> as_alice << (Sent(callee, b"INFO") if allowed else Sent(bob, 403))
        assert ladder << Silence()


def test_what_a_trunk_asks_for_is_no_subscribers_wish() -> None:
    ladder, _, _, own = call(with_(world(**KEEP), "show"))
    assert (
        ladder >> CARRIER.within(b"INFO", ladder[b"INVITE"], own=own, headers=(RECORD,))
        << Sent(CARRIER, 403) << Silence()
    )  # fmt: skip


def test_ordinary_info_passes_and_hints_only_count() -> None:
    ladder, invite, answer, _ = call(world())
    dtmf = (b"Content-Type: application/dtmf-relay",)
    ladder = ladder >> ALICE.within(b"INFO", answer, own=invite, headers=dtmf, body=b"Signal=1\r\nDuration=160\r\n")
    ladder = ladder << Sent(CARRIER, b"INFO") << Silence()
    assert ladder.world.count("recording", "refused") == 0
    headers = (b"Supported: record-aware", b"Content-Type: application/sdp")
    aware = ALICE.invite(headers=headers, call_id=b"other@x", branch=b"z9hG4bKother")
    assert ladder >> aware << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert ladder.world.count("recording", "hint") == 1


def test_recording_sessions_and_what_may_be_one_are_counted() -> None:
    there = world()
    for number, contact in enumerate((b"Contact: <sip:a@10.1.1.23>;+sip.src", b"Contact: <sip:a@10.1.1.23>")):
        invite = ALICE.invite(
            headers=(b"Require: siprec", contact), contact=False, call_id=b"%d@x" % number,
            branch=b"z9hG4bKrec%d" % number,
        )  # fmt: skip
        there.receive(*invite)
    assert (there.count("recording", "session"), there.count("recording", "suspect")) == (1, 1)


def test_an_emergency_call_is_refused_nothing() -> None:
    invite = ALICE.invite(uri=b"urn:service:sos", headers=(RECORD, b"Content-Type: application/sdp"))
    ladder = Ladder(world()) >> invite << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
    answer = PSAP.answer(ladder[b"INVITE"], 200)
    ladder = ladder >> answer << Sent(ALICE, 200)
    within = ALICE.within(b"INFO", ladder[200], own=invite, headers=(RECORD,))
    assert ladder >> within << Sent(PSAP, b"INFO") << Silence()


CODES: dict[str, Any] = {"codes": ["*1"], "commands": ["Record on"], "headers": ["X-Rec-*"]}
TEXT = (b"Content-Type: text/plain",)


def test_codes_commands_and_headers_are_those_of_the_configuration() -> None:
    there = world(recording=CODES)
    assert Ladder(there) >> ALICE.invite(uri=b"sip:*1@sip.example.net") << Sent(ALICE, 403) << Silence()
    text = ALICE.request(b"MESSAGE", headers=TEXT, body=b"record ON\r\n", call_id=b"2@x", branch=b"z9hG4bK2")
    assert Ladder(there) >> text << Sent(ALICE, 403) << Silence()
    assert there.count("recording", "refused") == 2
    named = ALICE.invite(headers=(b"X-Rec-Id: 1",), body=b"", call_id=b"3@x", branch=b"z9hG4bK3")
    assert Ladder(there) >> named << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert there.count("recording", "hint") == 1


def test_a_reload_takes_them_up_and_drops_them() -> None:
    there = world()
    text = [
        ALICE.request(b"MESSAGE", headers=TEXT, body=b"record on", call_id=b"%d@x" % n, branch=b"z9hG4bK%d" % n)
        for n in range(3)
    ]
    assert Ladder(there) >> text[0] << Sent(ALICE, 415), "a text that the plan keeps from the trunk, as ever"
    there.reload(recording=CODES)
    assert Ladder(there) >> text[1] << Sent(ALICE, 403) << Silence()
    there.reload()
    assert Ladder(there) >> text[2] << Sent(ALICE, 415)


def test_a_body_that_nobody_can_look_through_is_415() -> None:
    """Metadata may stand in it, also where everything may be told; the answer says what could be read (§21.4.13)."""
    keep = {category.name.lower(): "keep" for category in Category}
    encoded = (b"Content-Type: application/x", b"Content-Encoding: br")
    invite = ALICE.invite(headers=encoded, body=b"\x1f\x8b\x00")
    ladder = Ladder(world(privacy={"default": keep})) >> invite << Sent(ALICE, 415) << Silence()
    assert b"\r\nAccept-Encoding: identity\r\n" in ladder[415]
    ladder, invite, answer, _ = call(world(privacy={"default": keep}))
    info = ALICE.within(b"INFO", answer, own=invite, headers=encoded, body=b"\x1f\x8b\x00")
    assert ladder >> info << Sent(ALICE, 415) << Silence()
