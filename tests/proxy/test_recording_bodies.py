"""What bodies say of recording, however they are put together."""

from __future__ import annotations

import timeit

import pytest

from proxy.recording_bodies import MAX_DEPTH, MAX_PARTS, UNREAD, BodyReader, holds_recording, is_recording_xml

METADATA = b"<?xml version='1.0'?>\r\n<recording xmlns='urn:ietf:params:xml:ns:recording:1'/>"


def rule(content_type: bytes, body: bytes, disposition: bytes = b"") -> str:
    reader = BodyReader()
    reader.read(content_type, disposition, body)
    return reader.rule


def part(body: bytes, *headers: bytes) -> bytes:
    return b"--b\r\n" + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + body + b"\r\n"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (METADATA, True),
        (b"\xef\xbb\xbf" + METADATA, True),
        (METADATA.decode().encode("utf-16"), True),
        (METADATA.decode().encode("utf-16-be"), True),
        (b'<recording_metadata xmlns="urn:ietf:params:xml:ns:siprec">', True),
        (b"<requestsnapshot xmlns='urn:ietf:params:xml:ns:recording:1'/>", True),
        (b"<tns:recording xmlns:tns='urn:ietf:params:xml:ns:recording'>", True),
        (b"<RECORDING xmlns='URN:ietf:params:xml:ns:recording'>", True),
        (b"<!--<a/>--><?pi?><!DOCTYPE r [<!ENTITY a 'b'>]><recording xmlns='urn:ietf:params:xml:ns:recording'>", True),
        (b"<broadWorksRecordingMetadata xmlns='http://schema.broadsoft.com/broadworksCallRecording'/>", True),
        (b"<!--" + b"-" * 5000 + b"--><recording xmlns='urn:ietf:params:xml:ns:recording:1'/>", False),
        (b"<!--" + b" urn:ietf:params:xml:ns:recording:1 " + b" " * 5000, True),
        (b"<recording xmlns='urn:example:tv'/>", False),
        (b"<recording/>", False),
        (b"<presence xmlns='urn:x'><recording xmlns='urn:ietf:params:xml:ns:recording:1'/>", False),
        (b"v=0\r\ns=<recording xmlns='urn:ietf:params:xml:ns:recording:1'>", False),
        (b"<", False),
        (b"", False),
    ],
)
def test_the_root_tells_recording_metadata(text: bytes, is_one: bool) -> None:
    assert is_recording_xml(text) is is_one


@pytest.mark.parametrize(
    ("content_type", "body", "found"),
    [
        (b"application/rs-metadata+xml", b"", "R2"),
        (b"Application/RS-Metadata ; charset=utf-8", b"", "R2"),
        (b"application/rs-metadata-request", b"", "R2"),
        (b"application/rs-metadata-else", b"", ""),
        (b"application/xml", METADATA, "R4"),
        (b"application/sdp", METADATA, "R4"),
        (b"multipart/mixed;boundary=b", part(b"v=0", b"Content-Type: application/sdp"), ""),
        (b"multipart/mixed;boundary=b", part(b"x", b"c: application/rs-metadata"), "R2"),
        (b'multipart/mixed; BOUNDARY="b"', part(b"x", b"Content-Type:\r\n application/rs-metadata"), "R2"),
        (b"multipart/mixed", part(b"x", b"Content-Type: application/rs-metadata"), "R2"),
        (b"multipart/mixed;boundary=b", part(b"x", b"content-disposition:Recording-Session;handling=required"), "R3"),
        (b"multipart/mixed;boundary=b", part(METADATA, b"Content-Type: text/plain"), "R4"),
        # RFC 8068's own BYE has no blank line between the header and the XML
        (b"multipart/mixed;boundary=b", b"--b\nContent-Type: x/y\n" + METADATA, "R4"),
        (
            b"multipart/related;boundary=a",
            b"--a\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n" + part(METADATA) + b"--b--\r\n--a--",
            "R4",
        ),
        (b"message/cpim", b"From: <im:a@b>\r\n\r\nContent-Type: application/rs-metadata\r\n\r\nx", "R2"),
        (b"multipart/mixed;boundary=b", b"", ""),
        (b"multipart/mixed;boundary=b", b"no part at all", ""),
        (b"text/plain", b"--b\r\nContent-Type: application/rs-metadata\r\n\r\n", ""),
    ],
)
def test_types_dispositions_and_roots_are_found_in_parts(content_type: bytes, body: bytes, found: str) -> None:
    assert rule(content_type, body) == found


def test_a_disposition_of_the_message_tells() -> None:
    assert rule(b"application/xml", b"<a/>", b"recording-session; handling=optional") == "R3"
    assert rule(b"application/xml", b"<a/>", b"session") == ""


def test_more_than_is_looked_at_is_told() -> None:
    many = b"".join(part(b"x", b"Content-Type: text/plain") for _ in range(MAX_PARTS))
    assert rule(b"multipart/mixed;boundary=b", many) == ""
    assert rule(b"multipart/mixed;boundary=b", many + part(b"x")) == UNREAD
    deep, kind = METADATA, b"application/xml"
    for number in range(MAX_DEPTH + 1):
        deep = b"--n%d\r\nContent-Type: %b\r\n\r\n%b\r\n--n%d--" % (number, kind, deep, number)
        kind = b"multipart/mixed;boundary=n%d" % number
    assert rule(kind, deep) == UNREAD


def test_texts_are_kept_for_commands() -> None:
    reader = BodyReader()
    reader.read(
        b"multipart/mixed;boundary=b", b"", part(b"record on", b"Content-Type: text/plain") + part(b"v=0", b"c: a/b")
    )
    assert reader.texts == [b"record on"]


@pytest.mark.parametrize(
    "text", [b"<!--" * 16000, b"<!A" * 20000, b"<?" * 30000, b"<a" + b" xmlns:" * 9000, b" " * 65000]
)
def test_hostile_prologues_take_no_time(text: bytes) -> None:
    assert timeit.timeit(lambda: is_recording_xml(text), number=10) < 2.5


@pytest.mark.parametrize("space", [b"urn:ietf:params:xml:ns:recording:1", b"URN:ietf:params:XML:ns:siprec", b"x" * 9])
def test_a_namespace_of_metadata_is_found_wherever_it_stands(space: bytes) -> None:
    body = b"preamble " * 1000 + space + b" epilogue"
    assert holds_recording(body) is (space != b"x" * 9)
