"""What keeps a recording session from leaving: each way that it may be tried, and the stated outcome."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from config.recorder_keys import RecorderKeys
from filters.named import MAX_NAMED
from proxy.flow import Flow
from proxy.location import plain
from tests.accounts import accounts
from tests.agents import ALICE, CARRIER, PBX, PSAP, Agent, Packet, read
from tests.filters.recording import RFC
from tests.ladder import Ladder, Sent, Silence, kind
from tests.recorders import recorder
from tests.recording_sessions import (
    CLIENT,
    FROM_SRC,
    LOCAL,
    MIXED,
    PBX_TLS,
    RECORDER,
    SIPREC,
    SPARE,
    SRC,
    SRS,
    SRS_CONTACT,
    STANDBY,
    URI,
    begun,
    multipart,
    offer,
    record,
    recording_world,
    tells_nothing,
    zipped,
)
from tests.world import SETTINGS, World, build

SDP = (b"Content-Type: application/sdp",)


def refused(flow: Flow | None, *, said: bytes = b"Only configured clients may record") -> None:
    there = recording_world()
    if flow is None:
        del there.flows[PBX_TLS]
    else:
        there.flows[PBX_TLS] = flow
    ladder = Ladder(there) >> record() << Sent(SRC, 403) << Silence()
    assert ladder[403].startswith(b"SIP/2.0 403 Recording Not Allowed\r\n")
    assert b'\r\nWarning: 399 sipveil "%b"\r\n' % said in ladder[403]
    assert there.count("recording_refused", "client") == 1
    assert there.events[-1].kind == "recording-refused"


@pytest.mark.parametrize(
    "flow",
    [
        None,
        FROM_SRC._replace(transport="TCP", identity=()),
        FROM_SRC._replace(identity=()),
        FROM_SRC._replace(identity=("other.example.net",)),
        FROM_SRC._replace(local=("192.0.2.1", 5060)),
    ],
    ids=["udp", "tcp", "no certificate", "another certificate", "another listener"],
)
def test_who_does_not_prove_to_be_a_client_records_nothing(flow: Flow | None) -> None:
    refused(flow)


def test_a_clients_certificate_elsewhere_records_nothing() -> None:
    there = recording_world(recording_clients=[{**CLIENT, "networks": ["203.0.113.6"]}])
    assert Ladder(there) >> record() << Sent(SRC, 403) << Silence()


@pytest.mark.parametrize("sender", [ALICE, CARRIER, PBX])
def test_phones_trunks_and_the_core_open_no_recording_session(sender: Agent) -> None:
    invite = sender.request(
        headers=(b"Require: siprec", b"Contact: <sip:a@%b>;+sip.src" % sender.host, *MIXED), body=multipart(),
        contact=False,
    )  # fmt: skip
    for there in (recording_world(), recording_world(recorders=[], recording_clients=[])):
        assert Ladder(there) >> invite << Sent(sender, 403) << Silence()


@pytest.mark.parametrize(
    "uri", [b"sip:+15550100@192.0.2.1", b"sip:x@198.51.100.7", b"sip:x@203.0.113.66", b"sips:112x@192.0.2.1"]
)
def test_whatever_it_names_it_goes_to_its_recorder_over_tls(uri: bytes) -> None:
    headers = (*SIPREC, *MIXED, b"Route: <sip:198.51.100.7:5060;lr>")
    there = recording_world()
    ladder = Ladder(there) >> record(uri=uri, headers=headers) << Sent(SRC, 100) << Sent(SRS, b"INVITE") << Silence()
    assert there.sent_over[-1] == Flow("TLS", LOCAL, SRS.address, 0, ("srs.example.net",))
    assert b"\r\nRoute:" not in ladder[b"INVITE"]


@pytest.mark.parametrize("uri", [b"sip:x@198.51.100.20:5061", b"sip:x@198.51.100.20:5061;transport=udp"])
def test_a_call_to_a_recorder_is_refused(uri: bytes) -> None:
    assert Ladder(recording_world()) >> ALICE.invite(uri=uri) << Sent(ALICE, 403) << Silence()


def test_a_route_of_the_cores_leads_to_no_recorder() -> None:
    there = recording_world()
    invite = PBX.invite(headers=(b"Route: <sip:198.51.100.20:5061;lr>", b"Content-Type: application/sdp"))
    ladder = Ladder(there) >> invite << Sent(PBX, 100) << Sent(PBX, 403) << Silence()
    assert there.count("recording_refused", "recorder") == 1
    assert ladder


def test_a_recorder_begins_no_calls() -> None:
    there = recording_world()
    assert Ladder(there) >> SRS.invite(uri=b"sip:85550100@192.0.2.1") << Sent(SRS, 100) << Sent(SRS, 403) << Silence()


def test_who_has_the_address_of_a_recorder_and_not_its_certificate_gets_silence() -> None:
    there = recording_world()
    there.flows[SRS.address] = Flow("TLS", LOCAL, SRS.address, 5, ("other.example.net",))
    assert Ladder(there) >> SRS.invite(uri=b"sip:85550100@192.0.2.1") << Silence()


def test_a_call_does_not_become_a_recording_session() -> None:
    there = recording_world()
    invite = ALICE.invite()
    ladder = Ladder(there) >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    again = ALICE.within(b"INVITE", ladder[200], own=invite, headers=(b"Require: siprec", *MIXED), body=multipart())
    ladder >> again << Sent(ALICE, 403) << Silence()
    assert ladder >> ALICE.within(b"BYE", ladder[200], own=invite, cseq=4) << Sent(CARRIER, b"BYE"), "it goes on"


def test_within_a_session_nothing_comes_over_udp() -> None:
    """Whoever has learned of a token sends from the client's address, without its connection."""
    ladder, invite, _ = begun()
    answer = ladder[200]
    ladder.world.flows[PBX_TLS] = Flow("UDP", ("192.0.2.1", 5060), PBX_TLS)
    ladder >> SRC.within(b"UPDATE", answer, own=invite, cseq=2) << Sent(SRC, 403) << Silence()
    ladder >> SRC.within(b"ACK", answer, own=invite, cseq=1, branch=b"z9hG4bKother") << Silence()
    assert ladder.world.count("recording_refused", "way") == 2


def test_a_client_that_was_taken_out_records_no_more() -> None:
    """And what is up can be ended: by a BYE, without its metadata."""
    ladder, invite, _ = begun()
    there = ladder.world
    there.settings = there.settings.model_copy(update={"recording_clients": ()})
    there.core.adopt(there.settings, there.ring, there.privacy, (), {})
    ladder >> SRC.within(b"UPDATE", ladder[200], own=invite, cseq=2) << Sent(SRC, 403) << Silence()
    bye = SRC.within(b"BYE", ladder[200], own=invite, cseq=3, headers=MIXED, body=multipart())
    ladder >> bye << Sent(SRS, b"BYE")
    assert read(ladder[b"BYE"]).body == b""
    assert ladder >> SRS.answer(ladder[b"BYE"], 200) << Sent(SRC, 200) << Silence()


def test_media_in_the_clear_are_refused_or_counted() -> None:
    plain = multipart(offer().replace(b"RTP/SAVP", b"RTP/AVP"))
    there = recording_world()
    assert Ladder(there) >> record(plain) << Sent(SRC, 100) << Sent(SRC, 488) << Silence()
    assert there.count("recording_plain_rtp", "refused") == there.count("recording_refused", "media") == 1
    there = recording_world(recorders=[{**RECORDER, "plain_rtp": "allow"}])
    assert Ladder(there) >> record(plain) << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    assert there.count("recording_plain_rtp", "allowed") == 1


def test_media_in_the_clear_are_refused_in_an_answer_too() -> None:
    """The recorder hears ACK and BYE, so nothing is sent to it; the client, that it did not work."""
    for body in (multipart(), metadata_only()):
        ladder = Ladder(recording_world()) >> record(body) << Sent(SRC, 100) << Sent(SRS, b"INVITE")
        early, answer = (plain_answer(ladder, status) for status in (183, 200))
        ladder >> early << Silence()
        ladder >> answer << Sent(SRS, b"ACK") << Sent(SRS, b"BYE") << Sent(SRC, 500) << Silence()
        there = ladder.world
        assert there.count("recording_plain_rtp", "refused") == there.count("recording_refused", "media") == 2
        assert there.count("recording_sessions", "answered") == 0


def test_media_in_the_clear_are_allowed_in_an_answer_and_counted() -> None:
    there = recording_world(recorders=[{**RECORDER, "plain_rtp": "allow"}])
    ladder = Ladder(there) >> record(metadata_only()) << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    assert ladder >> plain_answer(ladder, 200) << Sent(SRC, 200) << Silence()
    assert there.count("recording_plain_rtp", "allowed") == 1


def test_an_answer_within_a_session_is_looked_at_and_so_is_one_in_an_ack() -> None:
    ladder, invite, _ = begun()
    formed = ladder[200]
    offerless = SRC.within(b"INVITE", formed, own=invite, cseq=2)
    ladder >> offerless << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    fine = SRS.answer(ladder[b"INVITE"], 200, contact=SRS_CONTACT, headers=SDP, body=offer(b"recvonly"))
    ladder >> fine << Sent(SRC, 200)
    plain = offer().replace(b"RTP/SAVP", b"RTP/AVP")
    ack = SRC.within(b"ACK", formed, own=invite, cseq=2, branch=b"z9hG4bKack", headers=SDP, body=plain)
    ladder >> ack << Silence()
    assert ladder.world.count("recording_refused", "media") == 1
    again = SRC.within(b"INVITE", formed, own=invite, cseq=3, headers=MIXED, body=multipart())
    ladder >> again << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    ladder >> plain_answer(ladder, 200) << Sent(SRS, b"ACK") << Sent(SRS, b"BYE") << Sent(SRC, 481)
    assert ladder.world.count("recording_refused", "media") == 2


def metadata_only() -> bytes:
    """Return the body of an INVITE that leaves the offer to the recorder."""
    return b"--foobar\r\nContent-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session" \
        b"\r\n\r\n" + RFC + b"\r\n--foobar--\r\n"  # fmt: skip


def plain_answer(ladder: Ladder, status: int) -> Packet:
    """Return a recorder's response whose media nothing encrypts."""
    body = offer(b"recvonly").replace(b"RTP/SAVP", b"RTP/AVP")
    return SRS.answer(ladder[b"INVITE"], status, contact=SRS_CONTACT, headers=SDP, body=body)


def test_an_emergency_call_is_none_of_it() -> None:
    """Who calls for help from a phone whose software says that it could record gets help."""
    help_ = ALICE.invite(uri=b"sip:112@192.0.2.1", headers=(b"Supported: siprec", b"Content-Type: application/sdp"))
    assert Ladder(recording_world()) >> help_ << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")


@pytest.mark.parametrize(
    ("said", "default", "allowed"),
    [
        ({b"+15550123@example.net": "hide"}, "keep", False),
        ({b"+15550123@example.net": "show"}, "remove", True),
        ({b"src@sip.example.net": "hide"}, "keep", False),
        ({}, "remove", False),
        ({}, "keep", True),
    ],
)
def test_all_who_take_part_have_to_allow_it(said: dict[bytes, str], default: str, allowed: bool) -> None:
    changes: dict[str, Any] = {"privacy": {"default": {"recording": default}}, "realms": ["example.net"]}
    there = recording_world(said=said, **changes)
    ladder = Ladder(there) >> record() << Sent(SRC, 100)
    assert ladder << (Sent(SRS, b"INVITE") if allowed else Sent(SRC, 403)) << Silence()
    assert there.count("recording_refused", "subscriber") == (not allowed)


def test_a_floor_allows_nobody_to_be_recorded() -> None:
    there = recording_world(
        said={b"+15550123@example.net": "show"}, realms=["example.net"], privacy={"floor": {"recording": "remove"}}
    )
    assert Ladder(there) >> record() << Sent(SRC, 100) << Sent(SRC, 403) << Silence()


def test_a_call_that_a_call_manager_forks_is_its_callers() -> None:
    """Without SIPREC there are no metadata: From is who is recorded (standards.md §5 R9)."""
    headers = (b"Content-Type: application/sdp",)
    for default, allowed in (("remove", False), ("keep", True)):
        there = recording_world(privacy={"default": {"recording": default}})
        invite = SRC.request(uri=b"sip:x@192.0.2.1", headers=headers, body=offer())
        data = invite.data.replace(b"src@sip.example.net>", b"5001@sip.example.net;x-nearend;x-refci=2555;x-y=1>", 1)
        ladder = Ladder(there) >> invite._replace(data=data) << Sent(SRC, 100)
        assert ladder << (Sent(SRS, b"INVITE") if allowed else Sent(SRC, 403)) << Silence()


def test_a_client_whose_recorders_are_gone_hears_so() -> None:
    there = recording_world(recording_clients=[{**CLIENT, "to": "elsewhere"}])
    assert Ladder(there) >> record() << Sent(SRC, 480) << Silence()


def test_a_subscriber_of_the_region_is_not_recorded_outside_of_it() -> None:
    region = {"countries": ["DE"], "default": "leave"}
    there = recording_world(region=region, recorders=[{**RECORDER, "country": "US"}])
    assert Ladder(there) >> record() << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    there = recording_world(region={**region, "default": "stay"}, recorders=[{**RECORDER, "country": "US"}])
    assert Ladder(there) >> record() << Sent(SRC, 403) << Silence()


def test_prack_and_cancel_go_the_same_way() -> None:
    invite = record()
    ladder = Ladder(recording_world()) >> invite << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    ringing = SRS.answer(ladder[b"INVITE"], 180, contact=SRS_CONTACT, headers=(b"Require: 100rel", b"RSeq: 1"))
    ladder >> ringing << Sent(SRC, 180)
    prack = SRC.within(b"PRACK", ladder[180], own=invite, cseq=2, headers=(b"RAck: 1 1 INVITE",))
    ladder >> prack << Sent(SRS, b"PRACK")
    there = ladder.world
    ladder >> SRC.cancel(invite) << Sent(SRC, 200) << Sent(SRS, b"CANCEL") << Silence()
    to_recorder = [flow for flow in there.sent_over if flow.peer == SRS.address]
    assert {flow.transport for flow in to_recorder} == {"TLS"}
    assert len(to_recorder) == 3


@pytest.mark.parametrize(("basis", "allowed"), [("none", False), ("clauses", True)])
def test_who_takes_part_and_stays_in_the_region_is_recorded_in_it_alone(basis: str, allowed: bool) -> None:
    """Not the caller's wish alone: each participant's (GDPR Art. 44)."""
    there = recording_world(
        said={b"+15550123@example.net": "hide"}, word="abroad", realms=["example.net"],
        region={"countries": ["DE"], "default": "leave", "bases": ["clauses"]},
        recorders=[{**RECORDER, "country": "US", "transfer_basis": basis}],
    )  # fmt: skip
    ladder = Ladder(there) >> record() << Sent(SRC, 100)
    assert ladder << (Sent(SRS, b"INVITE") if allowed else Sent(SRC, 403)) << Silence()
    assert there.count("recording_refused", "subscriber") == (not allowed)


TO_CORE = b"sip:85550142@sip.example.net"
"""Towards the core nothing is hidden: what nobody stops arrives as it was."""


def ordinary(there: World, *headers: bytes) -> tuple[Ladder, Packet]:
    """Return a call from a phone that reached the core, and its INVITE."""
    invite = ALICE.invite(uri=TO_CORE, headers=(*SDP, *headers))
    return Ladder(there) >> invite << Sent(ALICE, 100) << Sent(PBX, b"INVITE"), invite


@pytest.mark.parametrize("method", [b"ACK", b"BYE"])
def test_what_no_call_can_do_without_goes_on_without_metadata(method: bytes) -> None:
    """Refused, a call would not end; as it came, who is recorded would be read on the way to whoever gets it."""
    ladder, invite = ordinary(recording_world())
    ladder >> PBX.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    for headers, body in ((MIXED, multipart()), (SDP, offer()), (ENCODED, zipped(RFC))):
        packet = ALICE.within(
            method, ladder[200], own=invite, headers=headers, body=body, branch=b"z9hG4bK" + body[2:3]
        )
        ladder >> packet << Sent(PBX, method)
        assert tells_nothing(ladder[method])
        assert read(ladder[method]).body == (body if headers == SDP else b"")
    assert ladder.world.count("recording_refused", "recorder") == 2
    assert ladder.world.count("failed_closed", method.decode().lower()) == 0


ENCODED = (b"Content-Type: application/xml", b"Content-Encoding: gzip")


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (MIXED, multipart()),
        (ENCODED, zipped(RFC)),
        ((b"Content-Type: text/plain",), RFC),
        ((*SDP, b"Require: siprec"), offer()),
    ],
    ids=["a part", "compressed", "another type", "no body of that kind"],
)
def test_no_answer_makes_a_recording_session_of_a_call(headers: tuple[bytes, ...], body: bytes) -> None:
    """Neither its caller nor anybody on the way back reads metadata."""
    ladder, _ = ordinary(recording_world())
    contact = b"<sip:pbx@203.0.113.5:5060>;+sip.srs"
    ladder >> PBX.answer(ladder[b"INVITE"], 183, headers=headers, body=body, contact=contact) << Silence()
    ladder >> PBX.answer(ladder[b"INVITE"], 200, headers=headers, body=body, contact=contact)
    ladder << Sent(PBX, b"ACK") << Sent(PBX, b"BYE") << Sent(ALICE, 500) << Silence()
    there = ladder.world
    assert there.count("recording_refused", "recorder") == 2
    assert there.count("failed_closed", "invite-2xx") == 0


def test_an_answer_that_asks_for_something_else_passes() -> None:
    ladder, _ = ordinary(recording_world())
    assert ladder >> PBX.answer(ladder[b"INVITE"], 200, headers=(b"Require: timer",)) << Sent(ALICE, 200)


def test_who_could_record_calls_as_anybody_else() -> None:
    """`siprec` in Supported alone is no recording session (RFC 3261 §8.1.1.9); what goes on does not say it."""
    ladder, invite = ordinary(recording_world(), b"k: timer, SIPREC", b"Supported: siprec")
    assert b"\r\nk: timer\r\n" in ladder[b"INVITE"]
    assert b"siprec" not in ladder[b"INVITE"].lower()
    answer = PBX.answer(ladder[b"INVITE"], 200, headers=(b"Supported: siprec",))
    ladder >> answer << Sent(ALICE, 200)
    again = PBX.within(b"INVITE", ladder[b"INVITE"], own=answer, headers=(*SDP, b"Supported: siprec"), body=offer())
    ladder >> again << Sent(PBX, 100) << Sent(ALICE, b"INVITE")
    assert b"siprec" not in ladder[b"INVITE"]
    ladder >> ALICE.within(b"BYE", ladder[200], own=invite, headers=(b"Supported: siprec",)) << Sent(PBX, b"BYE")
    assert ladder.world.count("recording", "suspect") == 2
    assert ladder.world.count("recording_rules", "R1b-supported") == 3


def test_of_a_client_it_is_one() -> None:
    """Whoever records and says no more than that is taken at its word (standards.md §5 R1b)."""
    headers = (b"Supported: siprec", b"Contact: <sip:src@203.0.113.5:5061;transport=tls>", *MIXED)
    ladder = Ladder(recording_world()) >> record(headers=headers) << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    assert b"\r\nSupported: siprec\r\n" in ladder[b"INVITE"]


def test_the_prefix_in_front_of_a_code_hides_no_command() -> None:
    there = recording_world(
        recording={"codes": ["*44"]}, privacy={"withhold": ["*67"], "default": {"recording": "remove"}}
    )
    invite = ALICE.invite(uri=b"sip:*67*44@sip.example.net")
    assert Ladder(there) >> invite << Sent(ALICE, 403) << Silence()


def test_media_in_the_clear_within_a_session_end_it_for_both() -> None:
    """What the recorder hears the end of must not go on at the client's side (RFC 5057 §5.3)."""
    for method, body, ends in ((b"INVITE", multipart(), True), (b"UPDATE", offer(), False)):
        ladder, invite, _ = begun()
        headers = MIXED if method == b"INVITE" else SDP
        ladder >> SRC.within(method, ladder[200], own=invite, cseq=2, headers=headers, body=body)
        ladder << (Sent(SRC, 100) if ends else Sent(SRS, method)) << (Sent(SRS, method) if ends else Silence())
        plain = offer(b"recvonly").replace(b"RTP/SAVP", b"RTP/AVP")
        ladder >> SRS.answer(ladder[method], 200, contact=SRS_CONTACT, headers=SDP, body=plain)
        if ends:
            ladder << Sent(SRS, b"ACK") << Sent(SRS, b"BYE")
        ladder << Sent(SRC, 481) << Silence()
        there = ladder.world
        assert there.count("recording_refused", "media") == 1
        assert there.count("failed_closed", "invite-2xx") == there.count("failed_closed", "final") == 0


def test_media_are_looked_at_in_whatever_is_encoded() -> None:
    plain = base64.b64encode(offer().replace(b"RTP/SAVP", b"RTP/AVP"))
    body = multipart().replace(b"application/sdp\r\n", b"application/sdp\r\nContent-Transfer-Encoding: base64\r\n")
    body = body.replace(offer(), plain)
    assert Ladder(recording_world()) >> record(body) << Sent(SRC, 100) << Sent(SRC, 488) << Silence()


def test_what_one_recorder_may_not_be_told_another_of_its_group_may() -> None:
    """Its certificate has ended; it takes media in the clear; it is in the region."""
    there = recording_world(recorders=[RECORDER, STANDBY])
    there.privacy = build(there.settings, recorder_keys={"spare": RecorderKeys(recorder("p256").checked)})
    there.new_core()
    ladder = Ladder(there) >> record() << Sent(SRC, 100) << Sent(SPARE, b"INVITE") << Silence()
    assert tells_nothing(ladder[b"INVITE"])
    assert there.count("failovers", "contract") == there.count("recording_refused", "encryption") == 1
    there = recording_world(recorders=[RECORDER, {**STANDBY, "plain_rtp": "allow"}])
    plain = multipart(offer().replace(b"RTP/SAVP", b"RTP/AVP"))
    assert Ladder(there) >> record(plain) << Sent(SRC, 100) << Sent(SPARE, b"INVITE") << Silence()
    there = recording_world(
        said={b"+15550123@example.net": "hide"}, word="abroad", realms=["example.net"],
        region={"countries": ["DE"], "default": "leave"},
        recorders=[{**RECORDER, "country": "US"}, {**STANDBY, "country": "DE"}],
    )  # fmt: skip
    assert Ladder(there) >> record() << Sent(SRC, 100) << Sent(SPARE, b"INVITE") << Silence()


def test_where_none_of_the_group_may_the_client_hears_why() -> None:
    there = recording_world(recorders=[RECORDER, STANDBY])
    plain = multipart(offer().replace(b"RTP/SAVP", b"RTP/AVP"))
    ladder = Ladder(there) >> record(plain) << Sent(SRC, 100) << Sent(SRC, 488) << Silence()
    assert b'\r\nWarning: 399 sipveil "Media of a recording have to be encrypted"\r\n' in ladder[488]
    there = recording_world(recorders=[RECORDER, STANDBY])
    ladder = Ladder(there) >> record(multipart(metadata=b"<a")) << Sent(SRC, 100) << Sent(SRC, 403) << Silence()
    assert there.count("recording_refused", "metadata") == 1, "what nobody can read is tried once"


@pytest.mark.parametrize(
    ("said", "headers", "metadata"),
    [
        (b"+15550123@example.net", (), RFC.replace(b"@example.net", b"@192.0.2.9")),
        (b"+15550123@example.net", (), RFC.replace(b"sip:+15550123@example.net", b"tel:+1-555-0123")),
        (b"bob@example.net", (), RFC),
        (b"carol@example.net", (b"P-Asserted-Identity: <sip:carol@example.net>",), RFC),
        (b"carol@example.net", (b"Remote-Party-ID: <sip:carol@example.net>",), RFC),
        (b"carol@example.net", (b"Diversion: <sip:carol@example.net>",), RFC),
        (b"carol@example.net", (b"History-Info: <sip:dan@a>;index=1, <sip:carol@example.net>;index=1.1",), RFC),
        (b"+15550199@example.net", (b"Diversion: <tel:+15550199>",), RFC),
        (b"x@y", (b"History-Info: " + b", ".join(b"<sip:%d@a>;index=1" % n for n in range(MAX_NAMED)),), RFC),
    ],
    ids=[
        "number at a PBX",
        "tel",
        "name at a PBX",
        "asserted",
        "remote party",
        "diverted",
        "history",
        "diverted tel",
        "more than are looked up",
    ],
)
def test_whoever_takes_part_is_asked_wherever_it_is_named(
    said: bytes, headers: tuple[bytes, ...], metadata: bytes
) -> None:
    there = recording_world(said={said: "hide"}, realms=["example.net"])
    headers = (*SIPREC, *MIXED, *headers)
    ladder = Ladder(there) >> record(multipart(metadata=metadata), headers=headers) << Sent(SRC, 100)
    assert ladder << Sent(SRC, 403) << Silence()
    assert there.count("recording_refused", "subscriber") == 1


def test_a_subscriber_of_ours_who_has_said_nothing_has_the_default() -> None:
    """That another one of the call has allowed it is not enough: whose host is a realm of ours is a subscriber."""
    for realms, allowed in ((["example.net"], True), (["example.net", "192.0.2.44"], False)):
        there = recording_world(
            said={b"+15550123@example.net": "show"}, privacy={"default": {"recording": "remove"}}, realms=realms
        )
        ladder = Ladder(there) >> record() << Sent(SRC, 100)
        assert ladder << (Sent(SRS, b"INVITE") if allowed else Sent(SRC, 403)) << Silence()


@pytest.mark.parametrize("end", [b"x-nearendaddr", b"x-farendaddr"])
def test_both_ends_of_a_call_that_a_call_manager_forks_are_asked(end: bytes) -> None:
    there = recording_world(said={b"5002@sip.example.net": "hide"})
    invite = SRC.request(uri=b"sip:x@192.0.2.1", headers=SDP, body=offer())
    from_ = b"5001@sip.example.net;x-nearend;x-refci=2555;%b=5002>" % end
    data = invite.data.replace(b"src@sip.example.net>", from_, 1)
    assert Ladder(there) >> invite._replace(data=data) << Sent(SRC, 100) << Sent(SRC, 403) << Silence()


def test_an_answer_that_names_somebody_who_may_not_be_recorded_goes_nowhere() -> None:
    """The recorder asks without an offer; the client's metadata are in its 2xx."""
    ladder, _, answer = begun(Ladder(recording_world(said={b"carol@example.net": "hide"}, realms=["example.net"])))
    asked = SRS.within(b"UPDATE", ladder[b"INVITE"], own=answer, cseq=1)
    ladder >> asked << Sent(SRC, b"UPDATE")
    carol = RFC.replace(b"sip:bob@192.0.2.44", b"sip:carol@example.net")
    ladder >> SRC.answer(ladder[b"UPDATE"], 200, headers=MIXED, body=multipart(metadata=carol)) << Sent(SRS, 500)
    there = ladder.world
    assert there.count("recording_refused", "subscriber") == 1
    assert there.count("failed_closed", "final") == 0


def test_findings_are_counted_by_their_rule() -> None:
    there = recording_world()
    Ladder(there) >> record() << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    aware = ALICE.invite(headers=(b"Supported: record-aware", *SDP), branch=b"z9hG4bKaware", call_id=b"aware@x")
    Ladder(there) >> aware << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    Ladder(there) >> ALICE.request(b"INFO", headers=(b"Record: on",), branch=b"z9hG4bKinfo", call_id=b"info@x")
    assert [there.count("recording_rules", rule) for rule in ("R1", "R13", "R11", "R5")] == [1, 1, 1, 0]


def among_phones(**changes: Any) -> World:
    """Return a world whose recording client stands among the phones, and the core elsewhere."""
    return recording_world(
        access={**SETTINGS["access"], "networks": ["10.0.0.0/8", PBX_TLS[0]]},
        core={**SETTINGS["core"], "networks": ["203.0.113.6"], "next_hop": "203.0.113.6:5060"}, **changes,
    )  # fmt: skip


def test_a_client_among_phones_proves_by_its_certificate_what_phones_prove_by_a_password() -> None:
    there = among_phones(authentication={"realm": "sip.example.net"})
    there.accounts = accounts("alice")
    there.new_core()
    assert Ladder(there) >> record() << Sent(SRC, 100) << Sent(SRS, b"INVITE") << Silence()
    call = SRC.invite(branch=b"z9hG4bKcall", call_id=b"call@pbx")
    assert Ladder(there) >> call << Sent(SRC, 407), "an ordinary call of it is a phone's"
    there.flows[PBX_TLS] = FROM_SRC._replace(identity=("other.example.net",))
    other = record(branch=b"z9hG4bKother", call_id=b"other@pbx")
    assert Ladder(there) >> other << Sent(SRC, 407) << Silence()


def test_who_records_for_all_calls_more_often_than_a_subscriber_may() -> None:
    there = among_phones(guard={"subscriber_calls": 1})
    for number in range(3):
        session = record(branch=b"z9hG4bK%d" % number, call_id=b"%d@pbx" % number)
        assert Ladder(there) >> session << Sent(SRC, 100) << Sent(SRS, b"INVITE")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (offer(), SDP),
        (multipart(metadata=RFC.replace(b"nameID aor=", b"nameID was=")), MIXED),
        (b"", ()),
    ],
    ids=["no metadata", "participants without an address", "no offer"],
)
def test_where_nobody_knows_who_is_recorded_the_default_decides(body: bytes, headers: tuple[bytes, ...]) -> None:
    """A client that names nobody records somebody all the same, once media flow."""
    for default, allowed in (("remove", False), ("keep", True)):
        there = recording_world(privacy={"default": {"recording": default}})
        session = SRC.request(uri=URI, headers=(*SIPREC, *headers), contact=False, body=body)
        ladder = Ladder(there) >> session << Sent(SRC, 100)
        assert ladder << (Sent(SRS, b"INVITE") if allowed else Sent(SRC, 403)) << Silence()


@pytest.mark.parametrize(
    ("contact", "arrives"),
    [
        (b"<sip:srs@198.51.100.20:5061>;+sip.srs", True),
        (b"<sip:srs@203.0.113.66:5060>;+sip.srs", True),
        (b"<sip:srs@198.51.100.7:5060;transport=udp>;+sip.srs", True),
        (b"<sip:srs@192.0.2.1:5060>;+sip.srs", False),
    ],
    ids=["its own", "a stranger's", "a trunk's", "ours"],
)
def test_wherever_a_recorders_contact_leads_the_session_stays_on_its_way(contact: bytes, arrives: bool) -> None:
    invite = record()
    ladder = Ladder(recording_world()) >> invite << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    answer = SRS.answer(ladder[b"INVITE"], 200, contact=contact, headers=SDP, body=offer(b"recvonly"))
    ladder >> answer << Sent(SRC, 200)
    ladder >> SRC.within(b"ACK", ladder[200], own=invite, cseq=1)
    assert ladder << (Sent(SRS, b"ACK") if arrives else Silence()) << Silence()
    assert {flow.transport for flow in ladder.world.sent_over} == {"TLS"}


@pytest.mark.parametrize("address", ["203.0.113.66", "198.51.100.7", "192.0.2.1"])
def test_dns_leads_a_session_to_nobody_else(address: str) -> None:
    """What a recorder's name leads to counts only within its networks."""
    there = recording_world(recorders=[{**RECORDER, "hosts": ["srs.example.net:5061"], "networks": ["198.51.100.20"]}])
    ladder = Ladder(there) >> record() << Sent(SRC, 100) << Silence()
    ((ticket, name, _),) = there.lookups
    assert name == "srs.example.net"
    there.core.resume(ticket, plain([address]), there.now)
    assert [(to, kind(data)) for to, data in there.sent[1:]] == [(SRC.address, 500)]
    assert ladder


def test_a_recorder_with_the_name_of_somebody_else_keeps_no_call_from_that_one() -> None:
    """Name and port of a realm of ours, or of the core, say nothing of recording."""
    there = recording_world(recorders=[{**RECORDER, "hosts": ["sip.example.net:5061"], "networks": ["198.51.100.20"]}])
    for number, uri in enumerate((TO_CORE, TO_CORE + b":5061")):
        invite = ALICE.invite(uri=uri, branch=b"z9hG4bKn%d" % number, call_id=b"n%d@x" % number)
        assert Ladder(there) >> invite << Sent(ALICE, 100) << Sent(PBX, b"INVITE")
