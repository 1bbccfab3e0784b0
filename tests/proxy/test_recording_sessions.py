"""The flows of RFC 8068 through Sipveil: what a recorder is told, what a client hears, and what nobody can read."""

from __future__ import annotations

import re

import pytest

from config.recorder_keys import RecorderKeys
from config.recorder_trunk import recorder_trunks
from config.recorders_section import Recorder
from proxy.flow import Flow
from proxy.probes import FIRST_AFTER
from tests.agents import ALICE, CARRIER, read
from tests.filters.recording import PARTIAL, RFC, SNAPSHOT
from tests.ladder import Ladder, Restart, Sent, Silence, Wait, kind
from tests.recorders import recorder
from tests.recording_sessions import (
    MEDIA_KEY,
    MIXED,
    RECORDER,
    SPARE,
    SRC,
    SRS,
    SRS_CONTACT,
    STANDBY,
    begun,
    multipart,
    offer,
    opened,
    record,
    recording_world,
    tells_nothing,
)
from tests.world import World, build

UPDATE = (b"Content-Type: application/rs-metadata+xml", b"Content-Disposition: recording-session")


def test_the_basic_flow_and_what_it_tells() -> None:
    """RFC 8068 §3.2.1."""
    ladder, invite, _ = begun()
    sent = ladder[b"INVITE"]
    assert tells_nothing(sent)
    assert b"\r\nRequire: siprec\r\n" in sent
    assert b";+sip.src" in (read(sent).value(b"contact") or b"")
    assert b"smime-type=auth-enveloped-data" in sent
    assert b"\r\nContent-ID: <m1@203.0.113.5>\r\n" in sent
    assert b"a=label:96\r\n" in sent
    body = opened(sent)
    assert b"<label>96</label>" in body
    assert b"urn:ietf:params:xml:ns:recording:1" in body
    assert tells_nothing(body.replace(b"ns:recording", b"")), "participants are as private as their settings say"
    assert b";+sip.srs" in (read(ladder[200]).value(b"contact") or b"")
    ladder >> SRC.within(b"BYE", ladder[200], own=invite, cseq=2) << Sent(SRS, b"BYE")
    assert ladder >> SRS.answer(ladder[b"BYE"], 200) << Sent(SRC, 200) << Silence()
    assert [ladder.world.count("recording_sessions", each) for each in ("begun", "answered", "refused")] == [1, 1, 0]


def test_hold_and_resume() -> None:
    """RFC 8068 §3.2.2: re-INVITEs with other directions and partial metadata, in order, and the recorder's own."""
    ladder, invite, _ = begun()
    answer = ladder[200]
    for cseq, direction in ((2, b"inactive"), (3, b"sendonly")):
        body = multipart(offer(direction, 2890844526 + cseq), PARTIAL)
        again = SRC.within(b"INVITE", answer, own=invite, cseq=cseq, headers=(b"Require: siprec", *MIXED), body=body)
        ladder >> again << Sent(SRC, 100) << Sent(SRS, b"INVITE")
        assert tells_nothing(ladder[b"INVITE"])
        assert b"a=" + direction in ladder[b"INVITE"]
        assert b"partial" in opened(ladder[b"INVITE"])
        ladder >> SRS.answer(ladder[b"INVITE"], 200, contact=SRS_CONTACT) << Sent(SRC, 200)
        ladder >> SRC.within(b"ACK", answer, own=invite, cseq=cseq, branch=b"z9hG4bKa%d" % cseq) << Sent(SRS, b"ACK")
    assert ladder
    assert ladder.world.count("recording", "session") == 3


def test_transfer_changes_participants() -> None:
    """RFC 8068 §3.2.3: an UPDATE with metadata alone; who was Alice is told as the same one as before."""
    ladder, invite, _ = begun()
    alice = next(line for line in opened(ladder[b"INVITE"]).split(b"<") if line.startswith(b"nameID")).split(b'"')[1]
    update = SRC.within(b"UPDATE", ladder[200], own=invite, headers=UPDATE, body=RFC)
    ladder >> update << Sent(SRS, b"UPDATE")
    assert tells_nothing(ladder[b"UPDATE"])
    assert alice in opened(ladder[b"UPDATE"])
    assert ladder >> SRS.answer(ladder[b"UPDATE"], 200) << Sent(SRC, 200)


def test_a_snapshot_is_asked_for_by_the_recorder() -> None:
    """RFC 7866 §9.2: it goes back over the connection that the client made, for that one proved who it is."""
    ladder, _, answer = begun()
    asked = SRS.within(b"UPDATE", ladder[b"INVITE"], own=answer, cseq=1, headers=UPDATE, body=SNAPSHOT)
    ladder >> asked << Sent(SRC, b"UPDATE")
    assert ladder.world.sent_over[-1].connection == 7
    assert b"requestsnapshot" in ladder[b"UPDATE"]
    assert ladder >> SRC.answer(ladder[b"UPDATE"], 200) << Sent(SRS, 200)
    ladder >> SRS.within(b"BYE", ladder[b"INVITE"], own=answer, cseq=2) << Sent(SRC, b"BYE")
    assert ladder >> SRC.answer(ladder[b"BYE"], 200) << Sent(SRS, 200)


def test_a_persistent_session_names_nobody_at_first() -> None:
    """RFC 8068 §3.4: it is up before there is a call; each message that names somebody is looked at by itself."""
    there = recording_world(privacy={}, said={b"+15550123@example.net": "hide"}, realms=["example.net"])
    invite = record(offer(b"inactive"), headers=(*record_headers(), b"Content-Type: application/sdp"))
    ladder = Ladder(there) >> invite << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    ladder >> SRS.answer(ladder[b"INVITE"], 200, contact=SRS_CONTACT) << Sent(SRC, 200)
    ladder >> SRC.within(b"ACK", ladder[200], own=invite, cseq=1) << Sent(SRS, b"ACK")
    again = SRC.within(b"INVITE", ladder[200], own=invite, headers=MIXED, body=multipart())
    ladder >> again << Sent(SRC, 100) << Sent(SRC, 403) << Silence()
    assert b'\r\nWarning: 399 sipveil "Somebody who takes part may not be recorded"\r\n' in ladder[403]
    assert there.count("recording_refused", "subscriber") == 1


@pytest.mark.parametrize("name", [b'nameID aor="anonymous"', b'nameID aor=""', b"nameID", b"x"])
def test_who_has_no_address_that_can_be_read_is_somebody_all_the_same(name: bytes) -> None:
    """Nobody has allowed it, so the default decides, in a session that began with nobody too."""
    metadata = re.sub(rb"nameID aor=\"[^\"]*\"", name, RFC).replace(b"</nameID>", b"</" + name.split()[0] + b">")
    for privacy, allowed in (({}, False), ({"default": {"recording": "keep"}}, True)):
        invite = record(offer(b"inactive"), headers=(*record_headers(), b"Content-Type: application/sdp"))
        ladder = Ladder(recording_world(privacy=privacy)) >> invite << Sent(SRC, 100) << Sent(SRS, b"INVITE")
        ladder >> SRS.answer(ladder[b"INVITE"], 200, contact=SRS_CONTACT) << Sent(SRC, 200)
        ladder >> SRC.within(b"ACK", ladder[200], own=invite, cseq=1) << Sent(SRS, b"ACK")
        body = multipart(metadata=metadata)
        ladder >> SRC.within(b"INVITE", ladder[200], own=invite, headers=MIXED, body=body) << Sent(SRC, 100)
        assert ladder << (Sent(SRS, b"INVITE") if allowed else Sent(SRC, 403)) << Silence()


def record_headers() -> tuple[bytes, ...]:
    return tuple(line for line in record().data.split(b"\r\n") if line.startswith((b"Require", b"Contact:")))


def test_a_repeated_request_carries_the_same_bytes() -> None:
    """Encryption is drawn anew each time; a retransmission is not (RFC 3261 §17.1.1.2)."""
    there = recording_world()
    invite = record()
    Ladder(there) >> invite << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    first = [data for to, data in there.sent if to == SRS.address]
    assert Ladder(there) >> invite << Sent(SRC, 100), "the client's repetition goes no further"
    other = record(branch=b"z9hG4bKtwo", call_id=b"call-2@203.0.113.5")
    ladder = Ladder(there) >> other << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    assert len(first) == 1
    assert read(ladder[b"INVITE"]).body != read(first[0]).body


def test_the_next_of_the_group_when_the_first_is_gone() -> None:
    """It gets what is encrypted to it, and no other hop gets anything."""
    there = recording_world(recorders=[RECORDER, STANDBY])
    ladder = Ladder(there) >> record() << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    ladder >> SRS.answer(ladder[b"INVITE"], 503, contact=b"") << Sent(SRS, b"ACK") << Sent(SPARE, b"INVITE")
    assert tells_nothing(ladder[b"INVITE"])
    assert b"<label>96</label>" in opened(ladder[b"INVITE"])
    ladder >> SPARE.answer(ladder[b"INVITE"], 503, contact=b"") << Sent(SPARE, b"ACK")
    assert ladder << Sent(SRC, 500) << Silence()


def test_a_recorder_whose_client_has_gone_hears_so() -> None:
    """And nobody else hears what it asks, at whatever address."""
    ladder, _, answer = begun()
    there = ladder.world
    ladder >> SRS.within(b"UPDATE", ladder[b"INVITE"], own=answer, cseq=1) << Sent(SRC, b"UPDATE")
    there.core.undelivered(there.sent_over[-1], ladder[b"UPDATE"], there.now)
    assert [(to, kind(data)) for to, data in there.sent[-1:]] == [(SRS.address, 500)]


@pytest.mark.parametrize("status", [500, 504])
def test_the_next_of_the_group_when_the_first_fails(status: int) -> None:
    """A proxy in front of a recorder that is gone says 500 (RFC 3261 §16.7 item 6)."""
    there = recording_world(recorders=[RECORDER, STANDBY])
    ladder = Ladder(there) >> record() << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    ladder >> SRS.answer(ladder[b"INVITE"], status, contact=b"") << Sent(SRS, b"ACK") << Sent(SPARE, b"INVITE")
    ladder >> SPARE.answer(ladder[b"INVITE"], status, contact=b"") << Sent(SPARE, b"ACK")
    assert ladder << Sent(SRC, status) << Silence()
    assert there.count("failovers", "recorder") == 1


def test_no_recorder_is_left() -> None:
    there = recording_world()
    ladder = Ladder(there) >> record() << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    flow = there.sent_over[-1]
    there.core.undelivered(flow, ladder[b"INVITE"], there.now)
    assert [kind(data) for _, data in there.sent[-1:]] == [500]
    assert {to for to, _ in there.sent} == {SRC.address, SRS.address}
    assert flow.identity == ("srs.example.net",)


def test_415_and_493_pass_and_nothing_is_sent_in_clear() -> None:
    """A recorder that cannot decrypt says so: there is no fallback."""
    for status in (415, 493):
        ladder = Ladder(recording_world()) >> record() << Sent(SRC, 100) << Sent(SRS, b"INVITE")
        ladder >> SRS.answer(ladder[b"INVITE"], status, contact=b"") << Sent(SRS, b"ACK")
        assert ladder << Sent(SRC, status) << Silence()
        assert ladder.world.count("recording_sessions", "refused") == 1


def test_a_session_outlives_a_restart() -> None:
    """Its mark is in its record: what follows is a recording session's still (standards.md §5 R6)."""
    ladder, invite, _ = begun()
    ladder >> Restart()
    body = multipart(offer(b"inactive"), PARTIAL)
    again = SRC.within(b"INVITE", ladder[200], own=invite, cseq=2, headers=MIXED, body=body)
    ladder >> again << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    assert tells_nothing(ladder[b"INVITE"])
    ladder.world.flows[SRC.address] = Flow("UDP", ("192.0.2.1", 5060), SRC.address)
    ladder >> SRC.within(b"UPDATE", ladder[200], own=invite, cseq=3) << Sent(SRC, 403) << Silence()


def test_a_recorder_that_is_taken_out_keeps_its_sessions_and_gets_no_others() -> None:
    """Metadata and BYE of what is up go to it, encrypted to it; what begins goes to who is configured."""
    ladder, invite, answer = begun()
    asked = ladder[b"INVITE"]
    take_out(ladder.world, keys=True)
    body = multipart(offer(b"inactive"), PARTIAL)
    again = SRC.within(b"INVITE", ladder[200], own=invite, cseq=2, headers=MIXED, body=body)
    up = ladder[200]
    ladder >> again << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    assert tells_nothing(ladder[b"INVITE"])
    assert b"partial" in opened(ladder[b"INVITE"])
    ladder >> SRS.answer(ladder[b"INVITE"], 200, contact=SRS_CONTACT) << Sent(SRC, 200)
    ladder >> SRC.within(b"ACK", up, own=invite, cseq=2, branch=b"z9hG4bKack2") << Sent(SRS, b"ACK")
    ladder >> SRS.within(b"UPDATE", asked, own=answer, cseq=1, headers=UPDATE, body=SNAPSHOT) << Sent(SRC, b"UPDATE")
    ladder >> SRC.answer(ladder[b"UPDATE"], 200) << Sent(SRS, 200)
    ladder >> record(call_id=b"rs-2", branch=b"z9hG4bKrs2") << Sent(SRC, 100) << Sent(SPARE, b"INVITE")
    ladder >> ALICE.invite(uri=b"sip:x@198.51.100.20:5061") << Sent(ALICE, 403) << Silence()
    ladder >> SRC.within(b"BYE", up, own=invite, cseq=3) << Sent(SRS, b"BYE")
    assert ladder >> SRS.answer(ladder[b"BYE"], 200) << Sent(SRC, 200) << Silence()


def test_a_recorder_that_is_taken_out_with_its_certificate_hears_the_end() -> None:
    ladder, invite, _ = begun()
    take_out(ladder.world, keys=False)
    body = multipart(offer(b"inactive"), PARTIAL)
    again = SRC.within(b"INVITE", ladder[200], own=invite, cseq=2, headers=MIXED, body=body)
    up = ladder[200]
    ladder >> again << Sent(SRC, 100) << Sent(SRC, 500) << Silence()
    assert ladder.world.count("recording_refused", "encryption") == 1
    assert ladder >> SRC.within(b"BYE", up, own=invite, cseq=3) << Sent(SRS, b"BYE") << Silence()


def take_out(there: World, *, keys: bool) -> None:
    """Let a reload put the spare recorder in the place of the first, whose keys are still there or not."""
    there.retired = recorder_trunks(there.settings)
    there.settings = there.settings.model_copy(update={"recorders": (Recorder.model_validate(STANDBY),)})
    known = {name: RecorderKeys(recorder("p256").checked) for name in ("spare", *(["srs"] if keys else []))}
    there.privacy = build(there.settings, there.privacy.subscribers, recorder_keys=known)
    there.core.adopt(there.settings, there.ring, there.privacy, there.retired, {})


def test_the_recorded_call_is_unharmed() -> None:
    """Whatever becomes of its recording, the call is another dialog."""
    there = recording_world(said={b"alice@sip.example.net": "hide"})
    invite = ALICE.invite()
    ladder = Ladder(there) >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    answer = ladder[200]
    ladder >> record(multipart(offer(), b"<recording"), call_id=b"rs") << Sent(SRC, 100) << Sent(SRC, 403)
    ladder >> ALICE.within(b"BYE", answer, own=invite) << Sent(CARRIER, b"BYE") << Silence()
    assert ladder


def test_a_recorder_that_answers_no_probe_gets_no_session() -> None:
    """Found out before any session has to: 4 s of silence, and the next of its group is turned to at once."""
    there = recording_world(recorders=[{**RECORDER, "health": {"options": 10.0}}, STANDBY])
    there.wait(0.05)
    ladder = Ladder(there) >> Wait(FIRST_AFTER)
    assert [(address, kind(data)) for address, data in ladder.left] == [(SRS.address, b"OPTIONS")]
    probe = ladder.left.pop()[1]
    ladder >> SRS.answer(probe, 200) << Silence()
    ladder = ladder >> Wait(10)
    assert (SRS.address, b"OPTIONS") in [(address, kind(data)) for address, data in ladder.left]
    ladder = ladder >> Wait(4.5)
    ladder.left.clear()
    assert there.count("probes", "silent") == 1
    ladder >> record(call_id=b"rs-2", branch=b"z9hG4bKrs2") << Sent(SRC, 100) << Sent(SPARE, b"INVITE")


def test_no_event_tells_a_media_key() -> None:
    """Of a session that is recorded, and of one that is refused with its offer in hand (standards.md §4)."""
    taken = begun()[0].world
    refused = recording_world(recorders=[{**RECORDER, "plain_rtp": "refuse"}])
    ladder = Ladder(refused) >> record(multipart(offer().replace(b"RTP/SAVP", b"RTP/AVP"))) << Sent(SRC, 100)
    ladder << Sent(SRC, 488)
    for there in (taken, refused):
        assert any(MEDIA_KEY in data for _, data in there.sent) is (there is taken), "it goes to the recorder alone"
        assert not any(MEDIA_KEY.decode() in repr(event) for event in there.events)
