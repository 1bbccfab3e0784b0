"""What a recorder gets of metadata: edited, encrypted, opened where Sipveil stands in front; or nothing at all."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import pytest

from config.recorder_keys import RecorderKeys
from config.vocabulary import Category
from filters.cms_algorithms import Cipher
from filters.cms_make import make
from tests.agents import read
from tests.filters.recording import ACME, RFC, SONUS
from tests.ladder import Ladder, Sent, Silence
from tests.recorders import recorder
from tests.recording_sessions import (
    CANARIES,
    MIXED,
    RECORDER,
    SIPREC,
    SRC,
    SRS,
    begun,
    multipart,
    offer,
    opened,
    record,
    recording_world,
    tells_nothing,
    zipped,
)
from tests.world import World, build

EDGE = {**RECORDER, "role": "recorder-edge", "key": "srs.key"}


def told(there: World, body: bytes, **changes: Any) -> bytes:
    """Return what the recorder is sent."""
    ladder = Ladder(there) >> record(body, **changes) << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    return ladder[b"INVITE"]


def refused(there: World, body: bytes, status: int, reason: str, **changes: Any) -> None:
    assert Ladder(there) >> record(body, **changes) << Sent(SRC, 100) << Sent(SRC, status) << Silence()
    assert there.count("recording_refused", reason) == 1
    assert all(tells_nothing(data) for _, data in there.sent)


@pytest.mark.parametrize("metadata", [RFC, ACME, SONUS])
@pytest.mark.parametrize(
    "kind",
    [b"application/rs-metadata+xml", b"application/rs-metadata", b"application/xml", b"text/xml;charset=utf-8",
     b"application/rs-metadata+xml;charset=UTF-8"],
)  # fmt: skip
def test_every_dialect_is_edited_and_sealed(metadata: bytes, kind: bytes) -> None:
    """Whatever its type says, and once it is read it has one that recorders know."""
    sent = told(recording_world(), multipart(metadata=metadata, kind=kind))
    assert tells_nothing(sent)
    inner = opened(sent)
    assert b"Content-Type: application/rs-metadata" in inner
    assert b"@anonymous.invalid" in inner
    assert not any(canary in inner for canary in (*CANARIES, b"9123@", b"canary-realm"))


def test_what_stands_beside_the_metadata_stays_octet_by_octet() -> None:
    keep = {category.name.lower(): "keep" for category in Category}
    sent = told(recording_world(privacy={"default": keep}), multipart())
    assert offer() in sent
    assert b"\r\nContent-Disposition: recording-session\r\nContent-ID: <m1@203.0.113.5>\r\n" in sent
    assert b"\r\nContent-Transfer-Encoding: binary\r\n" in sent


def test_participants_who_show_themselves_are_shown() -> None:
    keep = {"default": {"recording": "keep", "number": "keep", "name": "keep"}}
    sent = told(recording_world(privacy=keep), multipart())
    assert tells_nothing(sent)
    assert b"+15550123" in opened(sent)
    assert b"Alice Canary" in opened(sent)
    assert b"ab30317f1a784dc48ff824d0d3715d86" not in opened(sent), "never the real one"
    sent = told(recording_world(privacy=keep, recorders=[{**RECORDER, "real_ids": True}]), multipart())
    assert b"ab30317f1a784dc48ff824d0d3715d86" in opened(sent)


@pytest.mark.parametrize("algorithm", ["aes-128-gcm", "aes-256-gcm", "aes-128-cbc", "aes-256-cbc"])
def test_each_algorithm_reaches_the_recorder(algorithm: str) -> None:
    sent = told(recording_world(recorders=[{**RECORDER, "algorithm": algorithm}]), multipart())
    assert tells_nothing(sent)
    kind = b"smime-type=enveloped-data" if algorithm.endswith("cbc") else b"smime-type=auth-enveloped-data"
    assert kind in sent


@pytest.mark.parametrize(
    "metadata",
    [b"", b"<recording", RFC.replace(b"</recording>", b""), RFC + b"<x/>",
     b'<!DOCTYPE a [<!ENTITY b "c">]>' + RFC[RFC.index(b"<recording"):], b"Alice Canary"],
)  # fmt: skip
def test_metadata_that_cannot_be_read_go_nowhere(metadata: bytes) -> None:
    refused(recording_world(), multipart(metadata=metadata), 403, "metadata")


@pytest.mark.parametrize(
    "line", [b"Content-Encoding: gzip", b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: x"]
)
def test_metadata_that_are_encoded_go_nowhere(line: bytes) -> None:
    body = multipart().replace(b"Content-Disposition: rec", line + b"\r\nContent-Disposition: rec")
    refused(recording_world(), body, 403, "metadata")


@pytest.mark.parametrize("body", [b"--foobar\r\n" + RFC, RFC])
def test_parts_that_nobody_can_tell_apart_go_nowhere(body: bytes) -> None:
    refused(recording_world(), body, 403, "metadata")


def test_what_a_client_has_encrypted_itself_is_refused() -> None:
    """Nobody here could say whom it names (RFC 3261 §21.4.30)."""
    sealed = read(told(recording_world(), multipart()))
    headers = (*SIPREC, b"Content-Type: " + (sealed.value(b"content-type") or b""))
    refused(recording_world(), sealed.body, 493, "encryption", headers=headers)


@pytest.mark.parametrize("days", [-91, 1])
def test_a_certificate_that_does_not_hold_is_not_encrypted_to(days: float) -> None:
    there = recording_world()
    there.wall += days * 86_400 if days < 0 else 90 * 86_400 + 1
    there.new_core()
    refused(there, multipart(), 500, "expired")


def test_without_keys_there_are_no_metadata() -> None:
    there = recording_world()
    there.privacy = build(there.settings)
    there.new_core()
    refused(there, multipart(), 500, "encryption")


def test_a_recorder_behind_us_gets_xml_that_it_can_read() -> None:
    sealed = read(told(recording_world(), multipart()))
    headers = (*SIPREC, b"Content-Type: " + (sealed.value(b"content-type") or b""))
    got = told(recording_world(recorders=[EDGE]), sealed.body, headers=headers)
    assert b"Content-Type: application/rs-metadata+xml\r\n" in got
    assert b"<recording xmlns=" in got
    assert b"<label>96</label>" in got
    assert not any(canary in got for canary in CANARIES)


def test_what_does_not_open_goes_to_no_recorder_behind_us() -> None:
    there = recording_world(recorders=[EDGE])
    there.privacy = build(there.settings, recorder_keys={"srs": RecorderKeys(None, (recorder("p256", 1).decryption,))})
    there.new_core()
    sealed = read(told(recording_world(), multipart()))
    headers = (*SIPREC, b"Content-Type: " + (sealed.value(b"content-type") or b""))
    refused(there, sealed.body, 493, "encryption", headers=headers)
    tampered = sealed.body[:-200] + bytes((sealed.body[-200] ^ 1,)) + sealed.body[-199:]
    refused(recording_world(recorders=[EDGE]), tampered, 493, "encryption", headers=headers)


def test_an_answer_of_the_client_is_sealed_too() -> None:
    """Responses to what the recorder asks cross the same two stages."""
    ladder, _, answer = begun()
    asked = SRS.within(b"INVITE", ladder[b"INVITE"], own=answer, cseq=1)
    ladder >> asked << Sent(SRS, 100) << Sent(SRC, b"INVITE")
    ladder >> SRC.answer(ladder[b"INVITE"], 200, headers=MIXED, body=multipart()) << Sent(SRS, 200)
    assert tells_nothing(ladder[200])
    assert b"<label>96</label>" in opened(ladder[200])


def test_an_answer_that_cannot_be_sealed_fails_closed() -> None:
    ladder, _, answer = begun()
    asked = SRS.within(b"UPDATE", ladder[b"INVITE"], own=answer, cseq=1)
    ladder >> asked << Sent(SRC, b"UPDATE")
    ladder >> SRC.answer(ladder[b"UPDATE"], 200, headers=MIXED, body=multipart(metadata=b"<a")) << Sent(SRS, 500)
    assert tells_nothing(ladder[500])


def test_a_bye_goes_without_metadata_that_nobody_can_read() -> None:
    """No session stays up for them."""
    ladder, invite, _ = begun()
    bye = SRC.within(b"BYE", ladder[200], own=invite, headers=MIXED, body=multipart(metadata=b"Alice Canary"))
    ladder >> bye << Sent(SRS, b"BYE") << Silence()
    assert read(ladder[b"BYE"]).body == b""


KEEP_ALL = {"default": {category.name.lower(): "keep" for category in Category}}


@pytest.mark.parametrize("line", [b"Content-Encoding: gzip", b"Content-Encoding: x"])
def test_a_body_that_is_compressed_goes_nowhere(line: bytes) -> None:
    """It may hold metadata, and media in the clear; nobody here looks into it, whatever else may pass."""
    body = zlib.compress(multipart())
    refused(recording_world(privacy=KEEP_ALL), body, 403, "metadata", headers=(*SIPREC, *MIXED, line))


@pytest.mark.parametrize("line", [b"Content-Transfer-Encoding: base64", b"Content-Encoding: gzip"])
def test_no_part_beside_the_metadata_may_be_encoded(line: bytes) -> None:
    """A session description in base64 may offer media in the clear."""
    body = multipart().replace(b"Content-Type: application/sdp", b"Content-Type: application/sdp\r\n" + line)
    refused(recording_world(privacy=KEEP_ALL), body, 403, "metadata")


@pytest.mark.parametrize("kind", [b"application/rs-metadata+json", b"application/rs-metadata-x"])
def test_metadata_of_a_kind_that_nobody_knows_go_nowhere(kind: bytes) -> None:
    body = multipart(metadata=b'{"aor": "sip:+15550123@example.net"}', kind=kind)
    body = body.replace(b"Content-Disposition: recording-session\r\n", b"")
    refused(recording_world(privacy=KEEP_ALL), body, 403, "metadata")


@pytest.mark.parametrize("host", ["192.0.2.9", "[2001:db8::9]", "pbx.example.org"])
def test_a_number_is_its_subscribers_whatever_host_stands_behind_it(host: str) -> None:
    """Recording clients write their own: Cisco, Acme and Sonus an address."""
    metadata = RFC.replace(b"+15550123@example.net", f"+15550123@{host}".encode())
    there = recording_world(
        said={b"+15550123@example.net": "hide"}, word="number", realms=["example.net"], privacy=KEEP_ALL
    )
    inner = opened(told(there, multipart(metadata=metadata)))
    assert b"15550123" not in inner
    assert b"bob@192.0.2.44" in inner
    there = recording_world(said={b"+15550123@example.net": "hide"}, realms=["example.net"], privacy=KEEP_ALL)
    refused(there, multipart(metadata=metadata), 403, "subscriber")


@pytest.mark.parametrize(("host", "hidden"), [("192.0.2.9", True), ("pbx.example.org", False)])
def test_a_name_at_an_address_may_be_a_subscribers_and_hides_what_that_one_hides(host: str, hidden: bool) -> None:
    """At another domain it is somebody else's. Nobody is shown for having a subscriber's name."""
    metadata = RFC.replace(b"+15550123@example.net", f"alice@{host}".encode())
    said = {b"alice@example.net": "hide"}
    there = recording_world(said=said, word="number", realms=["example.net"], privacy=KEEP_ALL)
    assert (b"alice@" not in opened(told(there, multipart(metadata=metadata)))) is hidden
    strict = {"default": {"recording": "keep"}}
    there = recording_world(said={b"alice@example.net": "show"}, word="number", realms=["example.net"], privacy=strict)
    assert b"alice@" not in opened(told(there, multipart(metadata=metadata)))


def test_a_registrars_domain_is_a_subscribers_home_too() -> None:
    metadata = RFC.replace(b"+15550123@example.net", b"alice@192.0.2.9")
    there = recording_world(
        said={b"alice@example.net": "hide"}, word="number", privacy=KEEP_ALL,
        registrar={"domains": ["Example.net"], "unauthenticated": True},
    )  # fmt: skip
    assert b"alice@" not in opened(told(there, multipart(metadata=metadata)))


@pytest.mark.parametrize("aor", [b"7042", b"tel:7042;phone-context=example.net", b"sip:7042@192.0.2.9;user=phone"])
def test_an_extension_without_a_host_may_be_a_subscribers(aor: bytes) -> None:
    metadata = RFC.replace(b"sip:+15550123@example.net", aor)
    said = {b"7042@example.net": "hide"}
    there = recording_world(said=said, word="number", realms=["example.net"], privacy=KEEP_ALL)
    assert b"7042" not in opened(told(there, multipart(metadata=metadata)))
    assert b"7042" in opened(told(recording_world(privacy=KEEP_ALL), multipart(metadata=metadata)))


def test_who_calls_from_a_call_manager_by_its_address_is_known_by_number() -> None:
    """R9: From is who is recorded, at the address of the CUCM."""
    said = {b"+15550123@example.net": "hide"}
    there = recording_world(said=said, realms=["example.net"], privacy=KEEP_ALL)
    invite = SRC.request(uri=b"sip:x@192.0.2.1", headers=(b"Content-Type: application/sdp",), body=offer())
    data = invite.data.replace(b"src@sip.example.net>", b"+15550123@203.0.113.5;x-nearend;x-refci=2555;x-y=1>", 1)
    assert Ladder(there) >> invite._replace(data=data) << Sent(SRC, 100) << Sent(SRC, 403) << Silence()
    assert there.count("recording_refused", "subscriber") == 1


def test_what_operators_let_pass_reaches_the_recorder() -> None:
    extension = b"<x xmlns='urn:example:acd'>Sales</x></recording>"
    metadata = RFC.replace(b"</recording>", extension)
    assert b"Sales" not in opened(told(recording_world(), multipart(metadata=metadata)))
    recording = {"metadata_extensions": [{"namespace": "urn:example:acd", "texts": ["x"]}]}
    assert b"Sales" in opened(told(recording_world(recording=recording), multipart(metadata=metadata)))


def test_an_old_recorder_behind_us_tells_nobody_what_enveloped_data_became() -> None:
    """Padding that is none, no MIME entity, no XML and who hides have one answer: else one could try octet by octet."""
    old = {**EDGE, "algorithm": "aes-128-cbc"}
    head = b"Content-Type: application/rs-metadata\r\n\r\n"
    headers = (*SIPREC, b"Content-Type: application/pkcs7-mime;smime-type=enveloped-data")
    for inner in (head + b"<recording", head + RFC, b"x", b"\r\n\r\n"):
        for change in (0, 1):
            there = recording_world(
                recorders=[old], said={b"+15550123@example.net": "hide"}, realms=["example.net"], privacy=KEEP_ALL
            )
            cms = make(inner, [recorder("p256").recipient], there.wall, cipher=Cipher.AES_128_CBC)
            refused(there, cms[:-1] + bytes((cms[-1] ^ change,)), 493, "encryption", headers=headers)


HIDDEN_PLACES = {
    "before the first part": RFC + b"\r\n" + multipart(),
    "behind the last part": multipart() + RFC,
    "in a text": multipart().replace(
        b"--foobar--", b"--foobar\r\nContent-Type: text/plain\r\n\r\nsee " + RFC + b"\r\n--foobar--"
    ),
}  # fmt: skip


def test_metadata_behind_a_long_comment_are_metadata() -> None:
    """In a part that says nothing of it, too: edited and encrypted like the others."""
    comment = b"<!--" + b"x" * 5000 + b"-->"
    part = b"--foobar\r\nContent-Type: application/xml\r\n\r\n" + comment + RFC[RFC.index(b"<rec") :]
    sent = told(recording_world(), multipart().replace(b"--foobar--", part + b"\r\n--foobar--"))
    assert tells_nothing(sent)
    assert sent.count(b"application/pkcs7-mime") == 2
    assert not any(canary in opened(sent) for canary in CANARIES)
    assert opened(sent).count(b"<participant ") == 2 * RFC.count(b"<participant ")


@pytest.mark.parametrize(
    ("recorders", "status", "reason"),
    [
        ([RECORDER], 403, "metadata"),
        ([EDGE], 403, "metadata"),
        ([{**EDGE, "algorithm": "aes-128-cbc"}], 493, "encryption"),
    ],
    ids=["sealed", "behind us", "old and behind us"],
)
@pytest.mark.parametrize("place", HIDDEN_PLACES)
def test_metadata_that_stand_where_no_recorder_should_look_go_nowhere(
    place: str, recorders: list[dict[str, Any]], status: int, reason: str
) -> None:
    """They would be edited by nobody and readable on the way, where everything else may pass."""
    refused(recording_world(privacy=KEEP_ALL, recorders=recorders), HIDDEN_PLACES[place], status, reason)


@pytest.mark.parametrize(
    ("line", "hidden"),
    [(b"Privacy: id", True), (b"Privacy: user;critical", True), (b"Privacy: none", False), (b"Privacy: what", True),
     (b"Subject: id", False)],
    ids=["id", "user", "none", "unknown", "another header"],
)  # fmt: skip
def test_who_withholds_the_number_in_the_call_does_so_in_its_recording(line: bytes, hidden: bool) -> None:
    """The client says so of its session, by the header that the caller had; nobody is shown for it."""
    headers = (*SIPREC, *MIXED, line)
    inner = opened(told(recording_world(privacy=KEEP_ALL), multipart(), headers=headers))
    assert (b"15550123" not in inner) is hidden
    assert (b"Alice Canary" not in inner) is hidden
    strict = opened(told(recording_world(), multipart(), headers=headers))
    assert not any(canary in strict for canary in CANARIES)


def test_an_update_says_anew_who_withholds_the_number() -> None:
    there = recording_world(privacy=KEEP_ALL)
    ladder, invite, _ = begun(Ladder(there))
    update = SRC.within(b"INVITE", ladder[200], own=invite, cseq=2, headers=(*MIXED, b"Privacy: id"), body=multipart())
    ladder >> update << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    assert b"15550123" not in opened(ladder[b"INVITE"])


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((*MIXED, b"Content-Encoding: gzip"), zipped(multipart())),
        ((b"Content-Type: application/xml", b"Content-Transfer-Encoding: base64"), base64.b64encode(RFC)),
        ((b"Content-Type: application/xml", b"Content-Disposition: recording-session"), b"<a>Alice Canary</a>"),
        ((b"Content-Type: application/sdp", *MIXED), multipart()),
        (
            MIXED,
            multipart(metadata=base64.b64encode(RFC)).replace(
                b"application/rs-metadata+xml\r\nContent-Disposition: recording-session",
                b"application/xml\r\nContent-Transfer-Encoding: base64",
            ),
        ),
    ],
    ids=["compressed", "encoded", "by the message's disposition", "two types", "an encoded part"],
)
def test_what_only_some_readers_find_reaches_no_recorder(headers: tuple[bytes, ...], body: bytes) -> None:
    """Also where everything may be told: it would leave as it came, unedited and not encrypted."""
    keep = {category.name.lower(): "keep" for category in Category}
    there = recording_world(privacy={"default": keep})
    refused(there, body, 403, "metadata", headers=(*SIPREC, *headers))


@pytest.mark.parametrize("name", [b"X-NICE-Agent-ID", b"X-Avaya-Station-ID", b"X-Genesys-Agent"])
def test_makers_headers_tell_a_recorder_no_more_than_the_number_does(name: bytes) -> None:
    """Nobody can encrypt a header, nor edit it for each participant (standards.md §5 R14)."""
    headers = (*SIPREC, *MIXED, name + b": 4711")
    assert name not in told(recording_world(), multipart(), headers=headers)
    keep = {"recording": "keep", "name": "keep", "number": "keep"}
    assert name in told(recording_world(privacy={"default": keep}), multipart(), headers=headers)


HIDES = {b"+15550123@example.net": "hide"}
WHO = b"<sip:+15550123@203.0.113.5>"
"""Somebody who hides, as a PBX names that one: at its own address."""


@pytest.mark.parametrize(
    ("from_", "line"),
    [
        (WHO, b"Subject: x"),
        (b"<sip:5001@203.0.113.5;x-nearend;x-refci=2;x-nearendaddr=5001;x-farendaddr=%2B15550123>", b"Subject: x"),
        (b"", b"P-Asserted-Identity: <sip:x@y>, " + WHO),
        (b"", b"Remote-Party-ID: " + WHO + b";party=called"),
        (b"", b"Diversion: " + WHO + b";reason=unconditional"),
        (b"", b"History-Info: <sip:x@y>;index=1, " + WHO + b";index=1.1"),
        (b"", b"Referred-By: " + WHO),
        (b"", b"P-Served-User: " + WHO),
    ],
    ids=["from", "far end", "asserted", "remote party", "diverted", "history", "referred", "served"],
)
def test_who_hides_in_metadata_is_named_by_no_header(from_: bytes, line: bytes) -> None:
    """Where everybody else shows everything; in a later request of the session as in the first."""

    def world() -> World:
        return recording_world(said=HIDES, word="number", realms=["example.net"], privacy=KEEP_ALL)

    invite = record(headers=(*SIPREC, *MIXED, line))
    data = invite.data.replace(b"<sip:src@sip.example.net>", from_ or b"<sip:src@sip.example.net>", 1)
    ladder = Ladder(world()) >> invite._replace(data=data) << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    assert b"15550123" not in ladder[b"INVITE"]
    if not from_:
        ladder, invite, _ = begun(Ladder(world()))
        update = SRC.within(b"UPDATE", ladder[200], own=invite, cseq=2, headers=(line,))
        ladder >> update << Sent(SRS, b"UPDATE")
        assert b"15550123" not in ladder[b"UPDATE"]


def test_who_shows_is_named_by_headers() -> None:
    """And nobody is hidden for the sake of one who has said nothing."""
    there = recording_world(said={b"+15550123@example.net": "show"}, word="number", realms=["example.net"])
    invite = record(headers=(*SIPREC, *MIXED, b"Diversion: <sip:x@y>"))
    data = invite.data.replace(b"<sip:src@sip.example.net>", b"<sip:+15550123@example.net>", 1)
    ladder = Ladder(there) >> invite._replace(data=data) << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    assert b"sip:+15550123@" in ladder[b"INVITE"].partition(b"\r\n\r\n")[0]


def test_a_header_that_cannot_be_read_may_name_who_may_not_be_recorded() -> None:
    line = b"Diversion: <<"
    there = recording_world(said={b"x@example.net": "hide"}, privacy=KEEP_ALL)
    refused(there, multipart(), 403, "subscriber", headers=(*SIPREC, *MIXED, line))


DESCRIBED = (
    b'Content-Disposition: recording-session; filename="Alice Canary.xml" ;handling=required',
    b"Content-Description: Alice Canary",
    b"Content-Language: it",
    b"Content-Location: http://192.0.2.44/",
)
TELLING = (b"Alice Canary.xml", b": Alice Canary", b": it\r\n", b"http://192.0.2.44")


@pytest.mark.parametrize("role", [{**RECORDER, "role": "recorder"}, EDGE], ids=["sealed", "behind us"])
@pytest.mark.parametrize("lone", [False, True], ids=["a part", "alone"])
def test_what_describes_metadata_tells_nobody_who_hides(role: dict[str, Any], lone: bool) -> None:
    """Nobody edits it for each participant."""
    there = recording_world(privacy=KEEP_ALL, recorders=[role])
    named_so = b'application/rs-metadata+xml;name="Alice Canary.xml"'
    if lone:
        sent = told(there, RFC, headers=(*SIPREC, b"Content-Type: " + named_so, *DESCRIBED))
    else:
        part = b"\r\n".join([b"", *DESCRIBED[1:], DESCRIBED[0]])
        body = multipart(kind=named_so).replace(b"\r\nContent-Disposition: recording-session", part)
        sent = told(there, body, headers=(*SIPREC, *MIXED, *DESCRIBED[1:]))
    both = sent if role["role"] == "recorder-edge" else sent + opened(sent)
    assert [telling for telling in TELLING if telling in both] == []
    assert b"Content-Disposition: recording-session;handling=required\r\n" in sent


@pytest.mark.parametrize("real", [False, True])
def test_headers_tell_no_identifier_of_the_call_that_metadata_do_not(real: bool) -> None:
    """RFC 8068 has the same one in both."""
    there = recording_world(privacy=KEEP_ALL, recorders=[{**RECORDER, "real_ids": real}])
    lines = b"Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=" + b"0" * 32, b"Cisco-Guid: 1-2-3-4"
    sent = told(there, multipart(), headers=(*SIPREC, *MIXED, *lines))
    assert [line in sent for line in lines] == [real, real]
    assert (b"ab30317f1a784dc48ff824d0d3715d86" in opened(sent)) is real


def sealed_whole(sdp: bytes, there: World) -> tuple[tuple[bytes, ...], bytes]:
    """Return a body in which a client has encrypted session description and metadata together, and its headers."""
    inner = b"Content-Type: multipart/mixed;boundary=foobar\r\n\r\n" + multipart(sdp)
    cipher = Cipher(there.settings.recorders[0].algorithm)
    kind = b"enveloped-data" if cipher is Cipher.AES_128_CBC else b"auth-enveloped-data"
    headers = (b"Content-Type: application/pkcs7-mime;smime-type=" + kind,)
    return headers, make(inner, [recorder("p256").recipient], there.wall, cipher=cipher)


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({}, 488, "media"),
        ({"algorithm": "aes-128-cbc"}, 493, "encryption"),
        ({"plain_rtp": "allow"}, 0, ""),
    ],
    ids=["refused", "refused as anything", "allowed"],
)
def test_media_in_the_clear_are_found_in_what_came_encrypted(changes: dict[str, str], status: int, reason: str) -> None:
    """A client that encrypts all of its body, to a recorder that we stand in front of (standards.md §4.3.3)."""
    there = recording_world(recorders=[{**EDGE, **changes}])
    headers, body = sealed_whole(offer().replace(b"RTP/SAVP", b"RTP/AVP"), there)
    if status:
        refused(there, body, status, reason, headers=(*SIPREC, *headers))
    else:
        assert b"RTP/AVP" in told(there, body, headers=(*SIPREC, *headers))
    assert there.count("recording_plain_rtp", "refused" if status else "allowed") == 1


@pytest.mark.parametrize(
    ("sdp", "status"), [(offer(), 200), (offer().replace(b"RTP/SAVP", b"RTP/AVP"), 481)], ids=["encrypted", "clear"]
)
def test_media_in_the_clear_are_found_in_an_answer_that_came_encrypted(sdp: bytes, status: int) -> None:
    ladder, _, answer = begun(Ladder(recording_world(recorders=[EDGE])))
    ladder >> SRS.within(b"INVITE", ladder[b"INVITE"], own=answer, cseq=1) << Sent(SRS, 100) << Sent(SRC, b"INVITE")
    headers, body = sealed_whole(sdp, ladder.world)
    ladder >> SRC.answer(ladder[b"INVITE"], 200, headers=headers, body=body)
    if status != 200:
        ladder << Sent(SRC, b"ACK") << Sent(SRC, b"BYE")
    assert ladder << Sent(SRS, status) << Silence()
