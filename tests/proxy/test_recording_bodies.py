"""What bodies say of recording, however they are put together."""

from __future__ import annotations

import base64
import time
import timeit
import zlib

import pytest

from config.settings import Limits
from proxy.parse import parse
from proxy.recording_bodies import (
    MAX_DEPTH,
    MAX_PARTS,
    MAX_UNPACKED,
    UNREAD,
    BodyReader,
    holds_recording,
    is_recording_xml,
)
from tests.recording_sessions import zipped

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
        (b"<!--" + b"." * 5000 + b"--><recording xmlns='urn:ietf:params:xml:ns:recording:1'/>", True),
        (b" " * 5000 + METADATA, True),
        (METADATA.decode().encode("utf-16-le"), True),
        (METADATA.decode().encode("utf-32"), True),
        (METADATA.decode().encode("utf-32-be"), True),
        (b"<recording a='>' xmlns='urn:ietf:params:xml:ns:recording:1'/>", True),
        (b"<recording xmlns='urn:ietf:params:xml:ns:recording:1' a=' xmlns=\"x\"'/>", True),
        (b"<recording a='=' xmlns\n=\n'urn:ietf:params:xml:ns:recording:1'/>", True),
        (b"<recording xmlns='urn:ietf:params:xml:ns:recording&#58;1'/>", True),
        (b"<recording xmlns='&#x75;rn:ietf:params:xml:ns:recording:1'/>", True),
        (b"<recording xmlns='urn:ietf:params:xml:ns:recording:2'/>", True),
        (b"<!DOCTYPE recording [<!ATTLIST recording xmlns CDATA #FIXED 'urn:x'>]><recording/>", True),
        (b"<!DOCTYPE r [<!ENTITY a ']>'>]><recording xmlns='urn:ietf:params:xml:ns:siprec'/>", True),
        (b"<!DOCTYPE r [<!ENTITY a ']>'>]><x:recording />", True),
        (b"<!DOCTYPE html><html><body>recording</body></html>", False),
        (b"<!DOCTYPE r [<!ENTITY a 'b'>]><presence xmlns='x'/>", False),
        (b"<recorder xmlns='urn:ietf:params:xml:ns:recording:1'/>", False),
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
        (b"application/rs-metadata-else", b"", "R2"),
        (b"application / rs-metadata+xml", b"", "R2"),
        (b"text/x-rs-metadata+xml", b"", "R2"),
        (b"application/metadata+xml", b"", ""),
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
        (b"message/rfc822", b"From: a@b\r\nContent-Type: application/xml\r\n\r\n" + METADATA, "R4"),
        (b"message/sip", b"INFO sip:a@b SIP/2.0\r\nc: application/rs-metadata\r\n\r\nx", "R2"),
        (b"message/sipfrag", b"SIP/2.0 200 OK\r\n", ""),
        (b"multipart / mixed;boundary=b", part(METADATA), "R4"),
        (b'multipart/mixed;boundary="\\b"', part(METADATA), "R4"),
        (b'multipart/mixed;boundary="b "', part(METADATA), "R4"),
        (b"multipart/mixed;boundary=other", part(METADATA), "R4"),
        (b"multipart/mixed;boundary=other;boundary=b", b"--other\r\n\r\nx\r\n" + part(METADATA), "R4"),
        (b"multipart/mixed;boundary=b", part(base64.b64encode(METADATA), b"Content-Transfer-Encoding: BASE64"), "R4"),
        (b"multipart/mixed;boundary=b", part(base64.encodebytes(METADATA), b"Content-Transfer-Encoding:base64"), "R4"),
        (
            b"multipart/mixed;boundary=b",
            part(METADATA.replace(b"r", b"=72"), b"Content-Transfer-Encoding: quoted-printable"),
            "R4",
        ),
        (b"multipart/mixed;boundary=b", part(METADATA, b"Content-Transfer-Encoding: base64"), "R4"),
        (b"multipart/mixed;boundary=b", part(zipped(METADATA), b"e: gzip"), "R4"),
        (
            b"multipart/mixed;boundary=b",
            part(base64.b64encode(zlib.compress(METADATA)), b"e: deflate", b"Content-Transfer-Encoding: base64"),
            "R4",
        ),
        (b"multipart/mixed;boundary=b", part(b"\x8b\x01\x80", b"Content-Encoding: br"), UNREAD),
        (b"multipart/mixed;boundary=b", part(b"hello", b"Content-Encoding: utf-8"), ""),
        (b"multipart/mixed;boundary=b", part(zipped(b"<presence/>"), b"Content-Encoding: gzip"), ""),
        (
            b"multipart/mixed;boundary=b",
            part(zipped(bytes(MAX_UNPACKED + 1)), b"Content-Encoding: gzip"),
            UNREAD,
        ),
        (b"multipart/mixed;boundary=b", part(METADATA, b"c: text/plain", b"c: application/xml"), "R4"),
        (b"multipart/mixed;boundary=b", part(b"x", b"c: application/rs-metadata", b"c: text/plain"), "R2"),
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
    ("lines", "body", "found"),
    [
        ((b"Content-Type: application/xml", b"Content-Encoding: gzip"), zipped(METADATA), "R4"),
        ((b"c: application/xml", b"e: deflate, gzip"), zipped(zlib.compress(METADATA)), "R4"),
        ((b"c: text/plain", b"Content-Transfer-Encoding: base64"), base64.b64encode(METADATA), "R4"),
        ((b"c: application/sdp", b"c: multipart/mixed;boundary=b"), part(METADATA), "R4"),
        ((b"c: application/sdp",), b"v=0\r\n", ""),
    ],
)
def test_headers_of_a_message_describe_its_body(lines: tuple[bytes, ...], body: bytes, found: str) -> None:
    head = (
        b"INFO sip:a@b SIP/2.0", b"Via: SIP/2.0/UDP 10.1.1.23;branch=z9hG4bK1", b"From: <sip:a@b>;tag=1",
        b"To: <sip:b@b>;tag=2", b"Call-ID: 1@x", b"CSeq: 1 INFO", *lines, b"Content-Length: %d" % len(body),
    )  # fmt: skip
    reader = BodyReader()
    reader.read_message(parse(b"\r\n".join(head) + b"\r\n\r\n" + body, Limits()))
    assert reader.rule == found


def test_leaves_are_kept_as_they_stand_and_decoded() -> None:
    reader = BodyReader()
    sdp = base64.b64encode(b"v=0\r\n")
    inner = part(sdp, b"Content-Type: application/sdp", b"Content-Transfer-Encoding: base64")
    reader.read(b"multipart/mixed;boundary=b", b"", inner)
    assert reader.leaves == [sdp + b"\r\n", b"v=0\r\n"]


@pytest.mark.parametrize(
    "text",
    [
        b"<a " + b"b" * 65000 + b">",
        b"<!A" * 20000 + b"><recording>",
        b"<a" + b" a='b" * 9000 + b">",
        b"<x:" * 20000,
        b"<!--" * 16000,
        b"<!A" * 20000,
        b"<?" * 30000,
        b"<a" + b" xmlns:" * 9000,
        b" " * 65000,
    ],
)
def test_hostile_prologues_take_no_time(text: bytes) -> None:
    assert timeit.timeit(lambda: is_recording_xml(text), timer=time.process_time, number=10) < 2.5


@pytest.mark.parametrize("space", [b"urn:ietf:params:xml:ns:recording:1", b"URN:ietf:params:XML:ns:siprec", b"x" * 9])
def test_a_namespace_of_metadata_is_found_wherever_it_stands(space: bytes) -> None:
    body = b"preamble " * 1000 + space + b" epilogue"
    assert holds_recording(body) is (space != b"x" * 9)
