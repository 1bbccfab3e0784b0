"""What the next hop is told of who calls: ladders with Identity and verstat, before and after."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_to_bytes

import pytest

from filters.leaks import found_in
from tests import passports
from tests.agents import CARRIER, PBX, PSAP, SDP, Agent, Packet, read
from tests.ladder import Ladder, Sent
from tests.passports import claims, compact_form, value
from tests.world import PHONE, SETTINGS, TRUNK, World, settings

CALLER = Agent(PHONE, b"+15550142", b'"Penelope" ')
FROM_TRUNK = Agent(TRUNK, b"+15550142")
NUMBER = b"15550142"
SIGNED, COMPACT = value(), compact_form()
SHOWN = {"name": "keep", "number": "keep"}
TO_PBX = b"sip:+15550100@192.0.2.1"


def world(privacy: dict[str, str] | None = None, **trunk: Any) -> World:
    """A world whose first trunk has this contract."""
    first, *others = SETTINGS["trunks"]
    return World(settings(trunks=[{**first, **trunk, "privacy": privacy or {}}, *others]))


def call(caller: Agent, *headers: bytes, **changes: Any) -> Packet:
    lines = (b"Date: Mon, 21 Sep 2026 14:13:20 GMT", *headers, b"Content-Type: application/sdp")
    return caller.invite(headers=lines, **changes)


def left(of: World, packet: Packet, to: Agent) -> bytes:
    """What goes on of an INVITE, and the same again is absorbed."""
    ladder = Ladder(of) >> packet << Sent(Agent(packet.source, b"x"), 100) << Sent(to, b"INVITE")
    assert ladder >> packet << Sent(Agent(packet.source, b"x"), 100)
    return ladder[b"INVITE"]


def identities(data: bytes) -> list[bytes]:
    return read(data).values(b"identity")


# --- towards trunks


def test_a_hidden_number_does_not_leave_in_base64() -> None:
    """Full form, compact form and junk alike; counted by what was wrong."""
    of = world()
    headers = (b"Identity: " + SIGNED, b"y: " + COMPACT, b"IDENTITY: junk", b"Identity:\r\n " + SIGNED)
    data = left(of, call(CALLER, *headers), CARRIER)
    assert identities(data) == []
    assert found_in(data, [NUMBER]) == set()
    assert (of.count("identity", "revealing"), of.count("identity", "broken")) == (2, 1)
    assert of.count("identity", "unreadable") == 1


def test_it_stays_where_nothing_that_it_signs_changes() -> None:
    """The host of From is ours now, which no number depends on; From as such is what the compact form depends on."""
    of = world(SHOWN)
    data = left(of, call(CALLER, b"Identity: " + SIGNED, b"Identity: " + COMPACT), CARRIER)
    assert identities(data) == [SIGNED]
    assert (of.count("identity", "kept"), of.count("identity", "broken")) == (1, 1)


@pytest.mark.parametrize(
    "more",
    [{"rcd": {"nam": "Penelope"}}, {"div": {"tn": "15550177"}}, {"x-anything": 1}, {"origid": "SEP001122334455"}],
)
def test_claims_go_with_what_they_tell(more: dict[str, Any]) -> None:
    of = world({"number": "keep"})
    assert identities(left(of, call(CALLER, b"Identity: " + value(claims(**more))), CARRIER)) == []


def test_a_call_that_was_diverted_before() -> None:
    """Its first PASSporT names whom the caller wanted: history."""
    packet = call(CALLER, b"Identity: " + value(claims(dest="15550177")))
    assert identities(left(world(SHOWN), packet, CARRIER)) == []
    assert len(identities(left(world({**SHOWN, "history": "keep"}), packet, CARRIER))) == 1


def test_within_a_dialog() -> None:
    """An UPDATE and a response of the phone tell no more than the INVITE."""
    of = world()
    ladder = Ladder(of) >> CALLER.invite() << Sent(CALLER, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(CALLER, 200)
    head, _, _ = CALLER.within(b"UPDATE", ladder[200], own=CALLER.invite()).data.partition(b"\r\nContent-Length")
    ladder = ladder >> Packet(PHONE, head + b"\r\nIdentity: " + SIGNED + b"\r\nContent-Length: 0\r\n\r\n")
    ladder = ladder << Sent(CARRIER, b"UPDATE")
    assert identities(ladder[b"UPDATE"]) == []
    answer = CARRIER.answer(ladder[b"INVITE"], 200)
    ladder = ladder >> CARRIER.within(b"INFO", ladder[b"INVITE"], own=answer) << Sent(CALLER, b"INFO")
    ladder = ladder >> CALLER.answer(ladder[b"INFO"], 200, headers=(b"Identity: " + SIGNED,)) << Sent(CARRIER, 200)
    assert identities(ladder[200]) == []
    assert found_in(ladder[200], [NUMBER]) == set()


# --- from trunks


def test_the_core_gets_it_as_it_came() -> None:
    """Nothing is hidden from it and nothing was changed; what cannot be read is its to judge."""
    packet = call(FROM_TRUNK, b"Identity: " + SIGNED, b"Identity: " + COMPACT, b"Identity: junk", uri=TO_PBX)
    assert identities(left(world(), packet, PBX)) == [SIGNED, COMPACT, b"junk"]


CLAIMED = (
    b"P-Asserted-Identity: <sip:+15550142;verstat=TN-Validation-Passed@h>, <tel:+15550142;verstat=x>",
    b"P-Sipveil-Verstat: TN-Validation-Passed",
)


def with_verstat(packet: Packet, claimed: bytes) -> Packet:
    return Packet(packet.source, packet.data.replace(b"<sip:+15550142@sip.example.net>", claimed))


@pytest.mark.parametrize(
    "claimed",
    [
        b"<sip:+15550142;verstat=TN-Validation-Passed@sip.example.net;user=phone>",
        b"<sip:+15550142@sip.example.net;user=phone;verstat=TN-Validation-Passed>",
        b"<tel:+15550142;ver%73tat=TN-Validation-Passed>",
        b"sip:+15550142@sip.example.net;verstat=TN-Validation-Passed",
    ],
)
def test_an_untrusted_trunk_cannot_say_that_it_verified(claimed: bytes) -> None:
    """The core sees From without it, and no PAI at all: what a stranger asserts nobody believes (RFC 3325 §5)."""
    packet = with_verstat(call(FROM_TRUNK, *CLAIMED, uri=TO_PBX), claimed)
    of = world()
    data = left(of, packet, PBX)
    assert b"stat=" not in data.lower()
    assert b"p-sipveil" not in data.lower()
    assert read(data).values(b"p-asserted-identity") == []
    ladder = Ladder(of) >> PBX.answer(data, 200) << Sent(FROM_TRUNK, 200)
    assert read(ladder[200]).from_.uri == read(packet.data).from_.uri
    update = FROM_TRUNK.within(b"UPDATE", ladder[200], own=packet)
    ladder = ladder >> with_verstat(update, claimed) << Sent(PBX, b"UPDATE")
    assert b"verstat" not in ladder[b"UPDATE"]
    assert read(ladder[b"UPDATE"]).from_.uri == read(data).from_.uri


def test_a_trusted_trunk_can() -> None:
    packet = with_verstat(call(FROM_TRUNK, *CLAIMED, uri=TO_PBX), b"<sip:+15550142;verstat=x@sip.example.net>")
    data = left(world(trusted=True), packet, PBX)
    assert data.count(b"verstat=") == 3


@pytest.mark.parametrize(("marks", "said"), [((b"Priority: psap-callback",), 3), ((), 0)])
def test_a_psap_can_when_it_calls_back(marks: tuple[bytes, ...], said: int) -> None:
    """Who may say who calls may say that it was verified: in From and beside it alike. In other calls it is a trunk."""
    packet = with_verstat(
        call(Agent(PSAP.address, b"+15550142"), *CLAIMED, *marks, uri=TO_PBX),
        b"<sip:+15550142;verstat=x@sip.example.net>",
    )
    data = left(World(), packet, PBX)
    assert data.count(b"verstat=") == said
    assert b"P-Sipveil" not in data


def test_a_phone_cannot() -> None:
    headers = (*CLAIMED, b"Remote-Party-ID: <tel:+15550142;verstat=x>;party=calling")
    packet = with_verstat(call(CALLER, *headers, uri=b"sip:800@192.0.2.1"), b"<tel:+15550142;verstat=x>")
    data = left(World(), packet, PBX)
    assert b"verstat" not in data.lower()
    assert b"remote-party-id" not in read(data).index


def test_towards_a_psap_everything_stays() -> None:
    """Even what cannot be read: no check is worth an emergency call."""
    packet = call(CALLER, b"Identity: " + SIGNED, b"Identity: junk", *CLAIMED, uri=b"urn:service:sos")
    packet = with_verstat(packet, b"<sip:+15550142;verstat=x@sip.example.net>")
    data = left(World(), packet, PSAP)
    assert identities(data) == [SIGNED, b"junk"]
    assert data.count(b"verstat=") == 3


# --- media keys

KEYED = SDP + b"a=fingerprint:sha-256 " + b":".join([b"4a"] * 32) + b"\r\n"


def test_media_keys_pass_with_what_signs_them() -> None:
    """Fingerprints are kept towards everybody, so `mky` stands."""
    signed = value(claims(mky=[{"alg": "sha-256", "dig": "4A" * 32}]))
    assert identities(left(world(SHOWN), call(CALLER, b"Identity: " + signed, body=KEYED), CARRIER)) == [signed]


# --- what attackers send


def test_junk_is_answered_like_any_other_call() -> None:
    """Nothing fails closed for it: no 500, no traceback, no trace of it in what leaves."""
    for number, junk in enumerate((b"", b"." * 7000, passports.b64(b"[" * 3000) + b".AAAA.AAAA;info=<file:///etc>")):
        of = world(SHOWN)
        data = left(of, call(CALLER, b"Identity: " + junk, call_id=b"c%d" % number), CARRIER)
        assert identities(data) == []
        assert of.count("identity", "unreadable") == 1
        assert of.count("failed_closed", "request") == 0


# --- what others claim, in every message and any spelling

FORGED = (
    b"P-SIPVEIL-verstat: TN-Validation-Passed;attest=A",
    b"P-Sipveil-Verstat \t: TN-Validation-Passed",
    b"p-sipveil-verstat:\r\n TN-Validation-Passed",
    b"Priority-Verstat: TN-Validation-Passed",
    b"Attestation-Info: A",
    b"Origination-Id: 123e4567-e89b-42d3-a456-426655440000",
    b"Remote-Party-ID: <sip:+15550142;verstat=x@h>;party=calling, <tel:+1;VerStat=y>",
    b"P-Preferred-Identity: <sip:+15550142@h;\r\n ver%73tat=TN-Validation-Passed>",
    b"P-Preferred-Identity: <sip:+15550142%3Bverstat=TN-Validation-Passed@h>",
    b"P-Asserted-Identity: <tel:+15550142;verstat=TN-Validation-Passed>",
)
TRUSTED: dict[str, Any] = {"trusted": True}
SENDERS: dict[str, tuple[Agent, dict[str, Any]]] = {
    "phone": (CALLER, {}),
    "stranger": (FROM_TRUNK, {}),
    "trusted": (FROM_TRUNK, TRUSTED),
}


def claims_nothing(data: bytes) -> bool:
    plain = unquote_to_bytes(data).lower()
    return not any(word in plain for word in (b"verstat", b"attestation-info", b"origination-id"))


@pytest.mark.parametrize("name", ["phone", "stranger"])
def test_nobody_outside_says_what_was_verified(name: str) -> None:
    """INVITE, ACK, UPDATE, BYE and their answers: nothing of it reaches the core; the rest of a trunk's word does."""
    caller, terms = SENDERS[name]
    of = world(**terms)
    uri = b"sip:800@192.0.2.1" if caller is CALLER else TO_PBX
    invite = call(caller, *FORGED, uri=uri)
    ladder = Ladder(of) >> invite << Sent(caller, 100) << Sent(PBX, b"INVITE")
    assert claims_nothing(ladder[b"INVITE"])
    ladder = ladder >> PBX.answer(ladder[b"INVITE"], 200) << Sent(caller, 200)
    for method in (b"ACK", b"UPDATE", b"BYE"):
        cseq = 1 if method == b"ACK" else 2
        packet = caller.within(method, ladder[200], own=invite, cseq=cseq, headers=FORGED)
        ladder = ladder >> packet << Sent(PBX, method)
        assert claims_nothing(ladder[method])
        rest = [] if name == "phone" else [b"<sip:+15550142@h>;party=calling, <tel:+1>"]
        assert read(ladder[method]).values(b"remote-party-id") == rest


@pytest.mark.parametrize("status", [180, 200, 486])
@pytest.mark.parametrize("name", SENDERS)
def test_nor_in_an_answer(name: str, status: int) -> None:
    """To a call of the core's: connected identity is the sender's word as well. Who is trusted may, but not for us."""
    callee, terms = SENDERS[name]
    of = world(SHOWN, **terms)
    uri = b"sip:a@10.1.1.23:5062" if callee is CALLER else b"sip:+15550100@192.0.2.1"
    to = callee if callee is CALLER else CARRIER
    ladder = Ladder(of) >> PBX.invite(uri=uri) << Sent(PBX, 100) << Sent(to, b"INVITE")
    answer = to.answer(ladder[b"INVITE"], status, headers=FORGED)
    ladder = ladder >> answer
    if status == 486:
        ladder = ladder << Sent(to, b"ACK")
    ladder = ladder << Sent(PBX, status)
    assert b"p-sipveil" not in ladder[status].lower()
    if not terms:
        assert claims_nothing(ladder[status])
        said = b"<sip:+15550142@h>;party=calling, <tel:+1>" in ladder[status]
        assert said is (name != "phone"), "a phone's Remote-Party-ID is believed in no answer either"
    else:
        assert b"Attestation-Info: A" in ladder[status]


@pytest.mark.parametrize("name", ["phone", "stranger", "trusted"])
def test_what_the_core_is_told_stays_there(name: str) -> None:
    """Its own requests and answers take it to nobody, whatever the contract shows."""
    other, terms = SENDERS[name]
    of = world({**SHOWN, "unknown": "keep"}, **terms)
    result = (b"P-Sipveil-Verstat: TN-Validation-Passed;attest=A",)
    uri, to = (b"sip:a@10.1.1.23:5062", other) if other is CALLER else (b"sip:+15550100@192.0.2.1", CARRIER)
    ladder = Ladder(of) >> call(PBX, *result, uri=uri) << Sent(PBX, 100) << Sent(to, b"INVITE")
    assert b"p-sipveil" not in ladder[b"INVITE"].lower()
    invite = call(other, uri=b"sip:800@192.0.2.1" if other is CALLER else TO_PBX, call_id=b"2", branch=b"z9hG4bK2")
    ladder = Ladder(of) >> invite << Sent(other, 100) << Sent(PBX, b"INVITE")
    ladder = ladder >> PBX.answer(ladder[b"INVITE"], 200, headers=result) << Sent(other, 200)
    assert b"p-sipveil" not in ladder[200].lower()


def test_a_psaps_answer_comes_back_complete() -> None:
    """No check is worth an emergency call, not even of its answer."""
    ladder = Ladder(World()) >> call(PBX, uri=b"urn:service:sos") << Sent(PBX, 100) << Sent(PSAP, b"INVITE")
    ladder = ladder >> PSAP.answer(ladder[b"INVITE"], 200, headers=FORGED[6:7]) << Sent(PBX, 200)
    assert b"verstat=x" in ladder[200]


# --- errors of verifiers

VERIFIERS = {
    428: b"Use Identity Header", 436: b"Bad Identity Info", 437: b"Unsupported Credential",
    438: b"Invalid Identity Header", 403: b"Stale Date",
}  # fmt: skip


@pytest.mark.parametrize("status", VERIFIERS)
@pytest.mark.parametrize("name", ["core", "phone"])
def test_what_a_verifier_says_is_passed_up(name: str, status: int) -> None:
    """RFC 8224 §6.2.2, standards §8.8: code, phrase and Reason, however the phrase is written; nothing else."""
    caller = PBX if name == "core" else CALLER
    ladder = Ladder(world()) >> call(caller, uri=b"sip:+15550100@192.0.2.1") << Sent(caller, 100)
    ladder = ladder << Sent(CARRIER, b"INVITE")
    reason = (b'Reason: STIR;cause=%d;text="+15550142"' % status,)
    answer = CARRIER.answer(ladder[b"INVITE"], status, headers=reason, reason=VERIFIERS[status].upper())
    ladder = ladder >> answer << Sent(CARRIER, b"ACK") << Sent(caller, status)
    start = ladder[status].partition(b"\r\n")[0]
    assert start.lower() == b"sip/2.0 %d " % status + VERIFIERS[status].lower()
    assert b"STIR;cause=%d" % status in ladder[status]
    if name == "phone":
        assert b"15550142" not in read(ladder[status]).values(b"reason")[0]


def test_any_other_phrase_is_room_for_anything() -> None:
    """Of a 403 too."""
    ladder = Ladder(world()) >> call(CALLER) << Sent(CALLER, 100) << Sent(CARRIER, b"INVITE")
    answer = CARRIER.answer(ladder[b"INVITE"], 403, reason=b"Stale Date of 10.2.3.4")
    ladder = ladder >> answer << Sent(CARRIER, b"ACK") << Sent(CALLER, 403)
    assert ladder[403].startswith(b"SIP/2.0 403 Forbidden\r\n")
