"""A recorder behind us with certificates that begin and end, and several of them: what opens, and what is refused.

How it may fail. In a recorder vendor's hands: its old clients encrypt to the old certificate and its new ones to the
new; a client encrypts to both, ours second; a certificate is renewed with the key that it had, and its clients name the
key; RSA gives way to EC. In an operator's: a process runs past the end of its certificate and nobody looks at it; the
clock is wrong and the new certificate has not begun; a reload in the midst of a session loses it, or does not take
effect in it; the old one is left in and has ended, and takes the new one with it; nobody can tell what is refused for
its end from what was tampered with. In an attacker's: a certificate that was retired since its key got lost opens
once more what was recorded on the way; answers tell which certificates we have, or that one has ended; a message that
names us thirty times has us compute thirty times; padding of an ended certificate is asked about.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from cryptography import x509

from config.recorder_keys import RecorderKeys
from filters.ber import Reader
from filters.cms_algorithms import Cipher
from filters.cms_make import make
from filters.der import SEQUENCE, SET, explicit, value
from tests.agents import read
from tests.filters.recording import PARTIAL, RFC
from tests.ladder import Ladder, Sent, Silence
from tests.recorders import WALL, Recorder, certificate, recorder
from tests.recording_sessions import (
    RECORDER,
    SIPREC,
    SPARE,
    SRC,
    SRS,
    SRS_CONTACT,
    STANDBY,
    offer,
    record,
    recording_world,
    tells_nothing,
)
from tests.world import World, build

DAY, HOUR = 86_400, 3_600
EDGE = {**RECORDER, "role": "recorder-edge", "key": "srs.key"}
HEAD = b"Content-Type: application/rs-metadata+xml\r\n\r\n"
WRAPPED = b"Content-Type: application/pkcs7-mime;smime-type=auth-enveloped-data"


def of(kind: str, which: int = 0, *, start: float = -1, days: float = 90) -> Recorder:
    """Return a recorder with a key that is always the same, and a new certificate of it."""
    key = recorder(kind, which).key
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return Recorder(key, certificate(key.public_key(), identifier, start=start, days=days))


NEW = of("p256")
OLD = of("rsa", 1, days=10)
SOON = of("rsa", 2, days=HOUR / DAY)
"""Ends within a session, before its records do."""


def world(keys: Sequence[Recorder], **section: object) -> World:
    """Return a world with an edge that has these keys."""
    there = recording_world(recorders=[{**EDGE, **section}])
    take_up(there, keys)
    return there


def take_up(there: World, keys: Sequence[Recorder]) -> None:
    """Let a reload bring these keys for the recorder."""
    known = {each.name: RecorderKeys(None, [key.decryption for key in keys]) for each in there.settings.recorders}
    there.privacy = build(there.settings, there.privacy.subscribers, recorder_keys=known)
    there.core.adopt(there.settings, there.ring, there.privacy, there.retired, {})


def sealed(*to: Recorder, wall: float = WALL, cipher: Cipher = Cipher.AES_128_GCM, inner: bytes = RFC) -> bytes:
    """Return metadata as a client encrypts them to recorders, while their certificates hold; in this order."""
    made = make(HEAD + inner, [each.recipient for each in to], wall, cipher=cipher)
    outer = Reader(made).into(SEQUENCE)
    outer.any()
    fields = outer.into(explicit(0)).into(SEQUENCE)
    fields.any()
    infos = fields.any()
    reader, found = Reader(infos.content), []
    while reader.more():
        found.append(reader.any().raw)
    names = [each.recipient.identity.issuer_and_serial for each in to]
    found.sort(key=lambda info: [name in info for name in names], reverse=True)
    return made.replace(infos.raw, value(SET, *found))  # DER would have them in an order of its own


def is_opened(there: World, body: bytes, number: int = 1) -> None:
    """The recorder gets metadata that it can read."""
    invite = record(body, headers=(*SIPREC, WRAPPED), call_id=b"rs-%d" % number, branch=b"z9hG4bK%d" % number)
    ladder = Ladder(there) >> invite << Sent(SRC, 100) << Sent(SRS, b"INVITE") << Silence()
    assert b"<recording xmlns=" in ladder[b"INVITE"]
    assert b"pkcs7" not in ladder[b"INVITE"]


def is_refused(there: World, body: bytes, reason: str, number: int = 1) -> bytes:
    """Nobody gets anything, and it is counted and told by this reason; return what the client hears."""
    before, told = there.count("recording_refused", reason), len(there.events)
    invite = record(body, headers=(*SIPREC, WRAPPED), call_id=b"rs-%d" % number, branch=b"z9hG4bK%d" % number)
    ladder = Ladder(there) >> invite << Sent(SRC, 100) << Sent(SRC, 493) << Silence()
    assert there.count("recording_refused", reason) == before + 1
    assert [each.detail for each in there.events[told:] if each.kind == "recording-refused"] == [reason]
    assert tells_nothing(ladder[493])
    return ladder[493]


def test_a_running_edge_stops_to_open_at_the_end_of_its_certificate_to_the_second() -> None:
    """Nothing was loaded anew: the process has run on."""
    there = world([NEW])
    end = WALL + 90 * DAY
    body = sealed(NEW)
    for number, wall in enumerate((WALL - DAY, WALL, end)):
        there.core.set_wall(there.now, wall)
        is_opened(there, body, number)
    there.core.set_wall(there.now, end + 1)
    is_refused(there, body, "expired", 10)
    there.core.set_wall(there.now, end)
    is_opened(there, body, 11)


def test_a_certificate_that_has_not_begun_opens_nothing() -> None:
    later = of("p256", start=5)
    there = world([later])
    body = sealed(later, wall=WALL + 6 * DAY)
    is_refused(there, body, "expired")
    there.core.set_wall(there.now, WALL + 5 * DAY)
    is_opened(there, body, 2)


def test_the_client_hears_the_same_of_an_ended_certificate_as_of_any_other_that_does_not_open() -> None:
    """An end, a key that we have not, and a changed octet: neither status nor Warning tells them apart."""
    there = world([NEW, OLD])
    there.core.set_wall(there.now, WALL + 11 * DAY)
    body = sealed(NEW)
    tampered = body[:-1] + bytes((body[-1] ^ 1,))
    heard = [
        is_refused(there, sealed(OLD), "expired", 1), is_refused(there, sealed(recorder("p256", 5)), "encryption", 2),
        is_refused(there, tampered, "encryption", 3),
    ]  # fmt: skip
    lines = [[line for line in read(data).lines if not line.lower().startswith((b"via", b"call-id", b"to"))]
             for data in heard]  # fmt: skip
    assert lines[0] == lines[1] == lines[2]
    assert any(b"Warning: 399" in line for line in lines[0])


def test_clients_with_the_old_and_with_the_new_certificate_are_both_served() -> None:
    """RSA gives way to EC; the order of the keys makes no difference."""
    for keys in ([NEW, OLD], [OLD, NEW]):
        there = world(keys)
        is_opened(there, sealed(NEW), 1)
        is_opened(there, sealed(OLD), 2)
        is_refused(there, sealed(recorder("p256", 5)), "encryption", 3)
        is_refused(there, sealed(recorder("rsa", 5)), "encryption", 4)


def test_an_operator_sees_when_nobody_encrypts_to_a_former_certificate_any_more() -> None:
    """Then it may be taken out; what is refused, and what came in clear, counts for neither."""
    there = world([NEW, OLD])
    for number, body in enumerate((sealed(OLD), sealed(NEW), sealed(NEW, OLD), sealed(recorder("p256", 5), OLD))):
        is_opened(there, body, number)
    is_refused(there, sealed(recorder("rsa", 5)), "encryption", 5)
    in_clear = record(call_id=b"rs-6", branch=b"z9hG4bK6")
    assert Ladder(there) >> in_clear << Sent(SRC, 100) << Sent(SRS, b"INVITE") << Silence()
    assert [there.count("recording_opened", key) for key in ("present", "former")] == [2, 2]


def test_an_old_certificate_that_has_ended_is_refused_and_takes_nothing_with_it() -> None:
    there = world([NEW, OLD])
    there.core.set_wall(there.now, WALL + 11 * DAY)
    is_refused(there, sealed(OLD), "expired", 1)
    is_opened(there, sealed(NEW), 2)
    is_refused(there, sealed(recorder("rsa", 5)), "encryption", 3)


@pytest.mark.parametrize("kind", ["p256", "rsa"])
def test_a_message_to_several_opens_where_we_are_not_the_first(kind: str) -> None:
    """Behind a stranger; behind our old certificate; and behind that when it has ended."""
    ours = of(kind)
    there = world([ours, OLD])
    is_opened(there, sealed(recorder("p256", 5), ours), 1)
    is_opened(there, sealed(OLD, ours), 2)
    there.core.set_wall(there.now, WALL + 11 * DAY)
    is_opened(there, sealed(OLD, ours), 3)
    is_refused(there, sealed(recorder("p256", 5), OLD), "expired", 4)


def test_four_keys_serve_four_kinds_of_clients() -> None:
    keys = [of("p256"), of("p384"), of("rsa"), of("p256", 1)]
    there = world(keys)
    for number, each in enumerate(keys):
        is_opened(there, sealed(each), number)


@pytest.mark.parametrize("inner", [RFC, b"<recording", b""], ids=["metadata", "no XML", "nothing"])
@pytest.mark.parametrize("change", [0, 1], ids=["whole", "changed"])
def test_an_ended_certificate_is_no_oracle_for_padding(inner: bytes, change: int) -> None:
    """EnvelopedData: it is not even decrypted, so all that is for it has one answer and one reason."""
    there = world([OLD], algorithm="aes-128-cbc")
    there.core.set_wall(there.now, WALL + 11 * DAY)
    body = sealed(OLD, cipher=Cipher.AES_128_CBC, inner=inner)
    is_refused(there, body[:-1] + bytes((body[-1] ^ change,)), "expired")


def test_a_reload_takes_effect_between_the_messages_of_one_session_and_ends_none() -> None:
    """The client goes over to the new certificate in the midst of its session; then the old one is taken out."""
    there = world([OLD])
    headers = (WRAPPED, b"Content-Disposition: recording-session")
    invite = record(sealed(OLD), headers=(*SIPREC, WRAPPED))
    ladder = Ladder(there) >> invite << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    answer = SRS.answer(
        ladder[b"INVITE"], 200, contact=SRS_CONTACT, headers=(b"Require: siprec", b"Content-Type: application/sdp"),
        body=offer(b"recvonly"),
    )  # fmt: skip
    ladder = ladder >> answer << Sent(SRC, 200)
    up = ladder[200]
    ladder >> SRC.within(b"ACK", up, own=invite, cseq=1) << Sent(SRS, b"ACK")
    steps: list[tuple[list[Recorder] | None, Recorder, bool]] = [
        (None, NEW, False), ([NEW, OLD], NEW, True), (None, OLD, True), ([NEW], NEW, True), (None, OLD, False),
    ]  # fmt: skip
    for cseq, (keys, to, opens) in enumerate(steps, 2):
        if keys is not None:
            take_up(there, keys)
        body = sealed(to, inner=PARTIAL)
        ladder >> SRC.within(
            b"UPDATE", up, own=invite, cseq=cseq, headers=headers, body=body, branch=b"z9hG4bKu%d" % cseq
        )
        if not opens:
            ladder << Sent(SRC, 493) << Silence()
            continue
        ladder << Sent(SRS, b"UPDATE")
        assert b"partial" in ladder[b"UPDATE"]
        ladder >> SRS.answer(ladder[b"UPDATE"], 200) << Sent(SRC, 200)
    assert ladder >> SRC.within(b"BYE", up, own=invite, cseq=9) << Sent(SRS, b"BYE") << Silence()


def test_what_one_edge_does_not_open_for_its_end_the_next_of_the_group_may() -> None:
    """As what it does not open for another reason."""
    there = recording_world(recorders=[EDGE, {**STANDBY, "role": "recorder-edge", "key": "srs.key"}])
    known = {"srs": RecorderKeys(None, [OLD.decryption]), "spare": RecorderKeys(None, [NEW.decryption])}
    there.privacy = build(there.settings, there.privacy.subscribers, recorder_keys=known)
    there.core.adopt(there.settings, there.ring, there.privacy, there.retired, {})
    there.core.set_wall(there.now, WALL + 11 * DAY)
    invite = record(sealed(OLD, NEW), headers=(*SIPREC, WRAPPED))
    ladder = Ladder(there) >> invite << Sent(SRC, 100) << Sent(SPARE, b"INVITE") << Silence()
    assert b"<recording xmlns=" in ladder[b"INVITE"]
    assert there.count("recording_refused", "expired") == 1


def test_an_answer_of_the_client_for_an_ended_certificate_reaches_no_recorder() -> None:
    """The recorder asks within its session, and what comes back is refused as a request would be."""
    there = world([SOON])
    invite = record(offer(), headers=(*SIPREC, b"Content-Type: application/sdp"))
    ladder = Ladder(there) >> invite << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    first = ladder[b"INVITE"]
    answer = SRS.answer(first, 200, contact=SRS_CONTACT, headers=(b"Content-Type: application/sdp",), body=offer())
    ladder = ladder >> answer << Sent(SRC, 200)
    ladder >> SRC.within(b"ACK", ladder[200], own=invite, cseq=1) << Sent(SRS, b"ACK")
    headers = (WRAPPED, b"Content-Disposition: recording-session")
    ladder >> SRS.within(b"UPDATE", first, own=answer, cseq=1) << Sent(SRC, b"UPDATE")
    ladder >> SRC.answer(ladder[b"UPDATE"], 200, headers=headers, body=sealed(SOON, inner=PARTIAL)) << Sent(SRS, 200)
    assert b"partial" in ladder[200]
    assert there.count("recording_opened", "present") == 1
    there.core.set_wall(there.now, WALL + HOUR + 1)
    ladder >> SRS.within(b"UPDATE", first, own=answer, cseq=2, branch=b"z9hG4bKs2") << Sent(SRC, b"UPDATE")
    ladder >> SRC.answer(ladder[b"UPDATE"], 200, headers=headers, body=sealed(SOON, inner=PARTIAL)) << Sent(SRS, 500)
    assert tells_nothing(ladder[500])
    assert there.count("recording_refused", "expired") == 1


def test_a_bye_for_an_ended_certificate_ends_its_session_bare() -> None:
    there = world([SOON])
    invite = record(sealed(SOON), headers=(*SIPREC, WRAPPED))
    ladder = Ladder(there) >> invite << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    ladder = ladder >> SRS.answer(ladder[b"INVITE"], 200, contact=SRS_CONTACT) << Sent(SRC, 200)
    there.core.set_wall(there.now, WALL + HOUR + 1)
    ladder >> SRC.within(b"BYE", ladder[200], own=invite, headers=(WRAPPED,), body=sealed(SOON)) << Sent(SRS, b"BYE")
    assert read(ladder[b"BYE"]).body == b""
    assert there.count("recording_refused", "expired") == 1
