"""Which messages have to do with recording: rules of standards.md §5, dialects of makers, and what is none of it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from config.settings import Limits
from proxy.counters import COUNTERS
from proxy.dialled import Prefixes
from proxy.message import Message
from proxy.parse import parse
from proxy.recording import SUPPORTED, VENDOR_HEADERS, Detector, Finding, Kind, Known
from tests.recording_sessions import zipped

CORPUS = Path(__file__).parents[1] / "corpus" / "siprec"
MAKERS = Path(__file__).parents[3] / "shared" / "corpora" / "siprec" / "drachtio"
"""Of another licence: read where it stands beside the project."""
SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
METADATA = (
    b"<?xml version='1.0' encoding='UTF-8'?>\r\n<recording xmlns='urn:ietf:params:xml:ns:recording:1'>"
    b"<datamode>complete</datamode></recording>\r\n"
)
KNOWN = Known(
    recorders=frozenset((b"srs.example.net", b"192.0.2.80:5091", b"192.0.2.81:5061", b"2001:db8::1:5061")),
    clients=frozenset((b"recording@pbx.example.net",)),
    headers=(b"x-acme-rec-*",),
    codes=frozenset((b"*1", b"*44")),
    commands=frozenset((b"record on",)),
    prefixes=Prefixes(("*67",), ("*82",)),
)


def request(
    method: bytes = b"INVITE",
    *lines: bytes,
    body: bytes = b"",
    uri: bytes = b"sip:+15550142@carrier.example",
    from_: bytes = b"<sip:alice@example.net>;tag=1",
    to: bytes = b"<sip:+15550142@example.net>",
) -> Message:
    head = (
        method + b" " + uri + b" SIP/2.0",
        b"Via: SIP/2.0/UDP 10.1.1.23:5062;branch=z9hG4bK1",
        b"Record-Route: <sip:10.9.9.9;lr>",
        b"From: " + from_,
        b"To: " + to,
        b"Call-ID: 1@10.1.1.23",
        b"CSeq: 1 " + method,
        *lines,
        b"Content-Length: %d" % len(body),
    )
    return parse(b"\r\n".join(head) + b"\r\n\r\n" + body, Limits())


def response(status: int, method: bytes, *lines: bytes, body: bytes = b"") -> Message:
    head = (
        b"SIP/2.0 %d OK" % status,
        b"Via: SIP/2.0/UDP 10.1.1.23:5062;branch=z9hG4bK1",
        b"From: <sip:alice@example.net>;tag=1",
        b"To: <sip:bob@example.net>;tag=2",
        b"Call-ID: 1@10.1.1.23",
        b"CSeq: 1 " + method,
        *lines,
        b"Content-Length: %d" % len(body),
    )
    return parse(b"\r\n".join(head) + b"\r\n\r\n" + body, Limits())


def multipart(*parts: bytes, boundary: bytes = b"foobar") -> bytes:
    return b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"


def found(message: Message, known: Known = KNOWN) -> tuple[Kind, str]:
    finding = Detector(known).classify(message)
    assert isinstance(finding, Finding)
    return finding.kind, finding.rule


SIPREC = b"Require: siprec"
SRC = b"Contact: <sip:2000@src.example.com>;+sip.src"
SRS = b"Contact: <sip:rec@srs.example.com>;+sip.srs"
MIXED = b"Content-Type: multipart/mixed;boundary=foobar"
IS_SDP = b"Content-Type: application/sdp"

RECORDING_SESSIONS = {
    "R1: of the RFC": (request(b"INVITE", SIPREC, SRC), "R1"),
    "R1: the recorder calls": (request(b"INVITE", SIPREC, SRS), "R1"),
    "R1: in capitals, with others, folded": (
        request(b"INVITE", b"REQUIRE : timer ,\r\n SIPREC", b'm: <sip:a@b>;expires=60;+SIP.SRC="TRUE"'),
        "R1",
    ),
    "R1: two Require, two Contact": (request(b"INVITE", b"Require: timer", SIPREC, b"Contact: <sip:a@b>", SRC), "R1"),
    "R1: a list of Contacts": (request(b"INVITE", SIPREC, b"Contact: <sip:a@b>, <sip:c@d;x=y>;+sip.src"), "R1"),
    "R1: without angle brackets": (request(b"INVITE", SIPREC, b"Contact: sip:a@b;+sip.src"), "R1"),
    "R1: written into the URI": (request(b"INVITE", SIPREC, b"Contact: <sip:a@b;+sip.src>"), "R1"),
    "R1: an update within the dialog": (request(b"UPDATE", SIPREC, SRC), "R1"),
    "R1: the recorder's answer": (response(200, b"INVITE", SIPREC, SRS), "R1"),
    "R1, R10: Cisco CUBE": (
        request(
            b"INVITE",
            SIPREC,
            SRC,
            b"Cisco-Guid: 1-2-3-4",
            b"Session-ID: ab;remote=0",
            MIXED,
            body=multipart(IS_SDP + b"\r\n\r\n" + SDP),
        ),
        "R1",
    ),
    "R2: alone": (request(b"INFO", b"Content-Type: application/rs-metadata", body=METADATA), "R2"),
    "R2: compact, with a parameter": (
        request(b"UPDATE", b"c: Application/RS-Metadata+XML ;charset=utf-8", body=METADATA),
        "R2",
    ),
    "R2: a draft's request": (request(b"UPDATE", b"Content-Type: application/rs-metadata-request", body=b""), "R2"),
    "R2: in a multipart": (
        request(
            b"INVITE",
            MIXED,
            body=multipart(IS_SDP + b"\r\n\r\n" + SDP, b"content-type:application/rs-metadata+xml\r\n\r\n" + METADATA),
        ),
        "R2",
    ),
    "R2: a BYE that closes the session": (
        request(b"BYE", MIXED, body=multipart(b"Content-Type: application/rs-metadata\r\n" + METADATA)),
        "R2",
    ),
    "R3: its disposition": (
        request(
            b"UPDATE",
            b"Content-Disposition: Recording-Session;handling=required",
            b"Content-Type: application/xml",
            body=b"<a/>",
        ),
        "R3",
    ),
    "R3: without a body": (request(b"UPDATE", b"Content-Disposition: recording-session"), "R3"),
    "R3: BroadWorks, with a type that is none": (
        request(
            b"INVITE",
            MIXED,
            body=multipart(b"Content-Type:application/ +xml\r\nContent-Disposition:recording-session\r\n\r\nx"),
        ),
        "R3",
    ),
    "R4: under another type": (request(b"INFO", b"Content-Type: text/plain", body=METADATA), "R4"),
    "R4: without a type": (request(b"INFO", body=METADATA), "R4"),
    "R4: Acme's namespace": (
        request(
            b"INFO", b"Content-Type: application/xml", body=b"<recording xmlns='urn:ietf:params:xml:ns:recording'/>"
        ),
        "R4",
    ),
    "R4: Sonus' prefix": (
        request(
            b"INFO",
            b"Content-Type: application/xml",
            body=b"<tns:recording xmlns:tns='urn:ietf:params:xml:ns:recording'/>",
        ),
        "R4",
    ),
    "R4: BroadWorks' root": (
        request(
            b"INFO",
            b"Content-Type: application/xml",
            body=b'<recording_metadata xmlns="urn:ietf:params:xml:ns:siprec"/>',
        ),
        "R4",
    ),
    "R4: two multiparts deep": (
        request(
            b"INVITE",
            MIXED,
            body=multipart(
                b"Content-Type: multipart/mixed;boundary=in\r\n\r\n" + multipart(b"\r\n" + METADATA, boundary=b"in")
            ),
        ),
        "R4",
    ),
    "R4: in an instant message": (
        request(
            b"MESSAGE",
            b"Content-Type: message/cpim",
            body=b"From: <im:a@b>\r\n\r\nContent-Type: text/xml\r\n\r\n" + METADATA,
        ),
        "R4",
    ),
    "R8: to a recorder": (request(uri=b"sip:rec@SRS.example.net"), "R8"),
    "R8: to a recorder's port": (request(uri=b"sip:192.0.2.80:5091"), "R8"),
    "R8: to a recorder's name, at another port": (request(uri=b"sips:rec@srs.example.net:5071"), "R8"),
    "R8: to a recorder's name with a dot": (request(uri=b"sip:rec@srs.example.net."), "R8"),
    "R8: to a recorder's default port": (request(uri=b"sip:rec@192.0.2.81;transport=tls"), "R8"),
    "R8: to a recorder's address, written otherwise": (request(uri=b"sips:rec@[2001:DB8:0::1]"), "R8"),
    "R8: a recorder in To": (request(to=b"<sip:rec@srs.example.net>"), "R8"),
    "R8: from whom only records": (request(from_=b"<sip:Recording@pbx.example.net>;tag=1"), "R8"),
    "R9: Cisco's built-in bridge": (
        request(from_=b'"A" <sip:1001@192.0.2.7;x-nearend;x-refci=25048;x-nearenddevice=SEP001122334455>;tag=1'),
        "R9",
    ),
    "R9: the far end, in capitals": (request(from_=b"<sip:1001@192.0.2.7;X-Farend;X-RefCI=25048>;tag=1"), "R9"),
    "R1: escaped in the URI": (request(b"INVITE", SIPREC, b"Contact: <sip:a@b;%2Bsip.s%72c>"), "R1"),
    "R2: in a REGISTER": (request(b"REGISTER", b"Content-Type: application/rs-metadata", body=METADATA), "R2"),
    "R4: encoded": (
        request(b"INFO", b"Content-Type: application/xml", b"Content-Encoding: gzip", body=zipped(METADATA)),
        "R4",
    ),
    "R9: without angle brackets": (request(from_=b"sip:1001@192.0.2.7;x-farend;x-refci=2;tag=1"), "R9"),
}

SUSPECTS = {
    "only the option tag": request(b"INVITE", SIPREC),
    "only the feature tag": request(b"INVITE", SRC),
    "an option tag that is merely supported": request(b"INVITE", b"k: siprec"),
    "supported, with the feature tag": request(b"INVITE", b"k: siprec", SRC),
    "an option tag for proxies": request(b"INVITE", b"Proxy-Require: siprec"),
    "a misspelt feature tag": request(b"INVITE", SIPREC, b"Contact: <sip:a@b>;+sip-srs"),
    "a feature tag without its plus": request(b"INVITE", SIPREC, b"Contact: <sip:a@b>;sip.src"),
    "a Contact that cannot be read": request(b"INVITE", b'Contact: "a <sip:a@b>;+sip.src'),
    "an answer with half of it": response(200, b"INVITE", SRS),
    "more parts than are looked at": request(b"INVITE", MIXED, body=multipart(*[b"\r\nx"] * 65)),
}

CONTROLS = {
    "R11: the record button": (request(b"INFO", b"Record: on"), "R11"),
    "R11: off, however it is written": (request(b"INFO", b"RECORD : OFF"), "R11"),
    "R11: an unknown value": (request(b"INFO", b"Record: maybe"), "R11"),
    "R17: a feature code": (request(uri=b"sip:*1@example.net"), "R17"),
    "R11: with an option tag that is merely supported": (request(b"INFO", b"Record: on", b"k: siprec"), "R11"),
    "R17: behind a prefix that is taken off": (request(uri=b"sip:*67*44@example.net"), "R17"),
    "R17: behind two, escaped": (request(uri=b"sip:%2A82%2a67%2A1@example.net"), "R17"),
    "R17: with separators": (request(uri=b"sip:*4-4@example.net"), "R17"),
    "R17: as a number with a global context": (request(uri=b"tel:*44;phone-context=+1"), "R17"),
    "R17: somebody else is to call it": (
        request(b"REFER", b"Refer-To: <sip:*44@example.net>", to=b"<sip:bob@b>;tag=2"),
        "R17",
    ),
    "R17: escaped": (request(uri=b"sip:%2A44@example.net;user=phone"), "R17"),
    "R17: as a number": (request(uri=b"tel:*44;phone-context=example.net"), "R17"),
    "R17: a command in a MESSAGE": (request(b"MESSAGE", b"Content-Type: text/plain", body=b"Record  ON\r\n"), "R17"),
    "R17: a command within an instant message": (
        request(
            b"MESSAGE", b"Content-Type: message/cpim", body=b"To: <im:a@b>\n\nContent-Type: text/plain\n\nrecord on"
        ),
        "R17",
    ),
}

HINTS = {
    "R5": request(b"INVITE", b"Accept: application/sdp, application/rs-metadata", IS_SDP, body=SDP),
    "R7": request(b"REGISTER", SRC),
    "R10": request(b"INVITE", b"Supported: replaces,X-cisco-monrec", IS_SDP, body=SDP),
    "R11": request(b"BYE", b"Record: on"),
    "R12": request(
        b"REFER", b"Content-Type: application/x-cisco-remotecc-request+xml", body=b"<x-cisco-remotecc-request/>"
    ),
    "R13": request(b"INVITE", b"Supported: record-aware", IS_SDP, body=SDP),
    "R14": request(b"INVITE", b"X-Genesys-CallUUID: 1", IS_SDP, body=SDP),
}

NOT_RECORDING = {
    "an ordinary call": request(
        b"INVITE", b"Supported: replaces, timer", b"Contact: <sip:a@10.1.1.23>", IS_SDP, body=SDP
    ),
    "Record-Route": request(b"INVITE"),
    "DTMF": request(b"INFO", b"Content-Type: application/dtmf-relay", body=b"Signal=1\r\nDuration=160\r\n"),
    "DTMF of one code's digit": request(b"INFO", b"Content-Type: application/dtmf", body=b"*1"),
    "a text about records": request(b"MESSAGE", b"Content-Type: text/plain", body=b"did you record on monday?"),
    "a user of that name": request(b"INVITE", b"Contact: <sip:sip.src@10.1.1.23>", from_=b"<sip:x-refci@a>;tag=1"),
    "a display name with Cisco's parameters": request(from_=b'"a;x-nearend;x-refci=1" <sip:a@b>;tag=2'),
    "a recorder's address without its port": request(uri=b"sip:rec@192.0.2.80"),
    "another port of its address": request(uri=b"sip:rec@192.0.2.80:5060"),
    "a REFER to somebody": request(b"REFER", b"Refer-To: <sip:bob@example.net>"),
    "a REFER that cannot be read": request(b"REFER", b"Refer-To: <<"),
    "a display name of that kind": request(
        b"INVITE", b'Contact: "x;+sip.src" <sip:a@b>', from_=b'"siprec" <sip:a@b>;tag=2'
    ),
    "a feature tag that is false": request(b"INVITE", b'Contact: <sip:a@b>;+sip.src="FALSE"'),
    "a longer tag": request(b"INVITE", b"Require: siprecx", b"Contact: <sip:a@b>;+sip.srcx"),
    "one of Cisco's parameters, and a user like the other": request(from_=b"<sip:x-refci@a;x-nearend>;tag=1"),
    "one of Cisco's two parameters": request(from_=b"<sip:1@a;x-refci=1>;tag=1"),
    "a code within a number": request(uri=b"sip:*155@example.net"),
    "a phone's presence": request(b"PUBLISH", b"Content-Type: application/pidf+xml", body=b"<presence xmlns='x'/>"),
    "an answer without a word of it": response(200, b"INVITE", b"Contact: <sip:b@b>", IS_SDP, body=SDP),
}


@pytest.mark.parametrize("name", RECORDING_SESSIONS)
def test_recording_sessions(name: str) -> None:
    message, rule = RECORDING_SESSIONS[name]
    assert found(message) == (Kind.RS, rule)


@pytest.mark.parametrize("name", SUSPECTS)
def test_half_of_a_recording_session_is_one_until_proven_otherwise(name: str) -> None:
    assert found(SUSPECTS[name])[0] is Kind.RS_SUSPECT


@pytest.mark.parametrize("name", CONTROLS)
def test_what_switches_recording(name: str) -> None:
    message, rule = CONTROLS[name]
    assert found(message) == (Kind.CONTROL, rule)


@pytest.mark.parametrize("rule", HINTS)
def test_hints_only_count(rule: str) -> None:
    assert found(HINTS[rule]) == (Kind.HINT, rule)


@pytest.mark.parametrize("name", NOT_RECORDING)
def test_what_is_no_recording(name: str) -> None:
    assert found(NOT_RECORDING[name]) == (Kind.NONE, "")


@pytest.mark.parametrize("line", [b"a=record:on", b"a=recordpref:off"])
def test_consent_in_a_session_description_is_a_hint(line: bytes) -> None:
    assert found(request(b"INVITE", IS_SDP, body=SDP + line + b"\r\n")) == (Kind.HINT, "R13")


@pytest.mark.parametrize(
    "message",
    [
        request(b"OPTIONS", b"Supported: siprec", SRC),
        response(200, b"OPTIONS", SIPREC, SRS),
        response(200, b"INVITE", b"Supported: siprec"),
    ],
)
def test_what_somebody_can_do_is_no_session(message: Message) -> None:
    assert found(message)[0] is Kind.HINT


@pytest.mark.parametrize("method", [b"BYE", b"UPDATE", b"PRACK", b"NOTIFY", b"REFER", b"ACK", b"OPTIONS"])
def test_no_other_method_carries_a_command(method: bytes) -> None:
    """Refused for one, a call could not end."""
    text = (b"Content-Type: text/plain", b"Record: on")
    assert found(request(method, *text, body=b"record on", uri=b"sip:*1@10.1.1.23"))[0] is Kind.HINT


def test_what_is_merely_supported_is_told_apart() -> None:
    """RFC 3261 §8.1.1.9: whoever could record says so in each INVITE."""
    assert found(request(b"INVITE", b"Supported: timer, SIPREC")) == (Kind.RS_SUSPECT, SUPPORTED)
    assert found(request(b"INVITE", b"Proxy-Require: siprec")) == (Kind.RS_SUSPECT, "R1b")


def test_every_rule_is_counted() -> None:
    tables = (*RECORDING_SESSIONS.values(), *CONTROLS.values())
    rules = {rule for _, rule in tables} | {found(message)[1] for message in (*SUSPECTS.values(), *HINTS.values())}
    assert rules | {"R6"} == {*next(spec for spec in COUNTERS if spec.label == "rule").values}


def test_a_contact_that_looks_like_a_code_is_none() -> None:
    message = request(b"INFO", uri=b"sip:*1@10.1.1.23", to=b"<sip:bob@b>;tag=2")
    assert found(message) == (Kind.NONE, "")


def test_vendors_headers_are_those_of_the_list_and_of_the_configuration() -> None:
    for pattern in (*VENDOR_HEADERS, b"X-Acme-Rec-*"):
        assert found(request(b"INVITE", pattern.replace(b"*", b"Foo") + b": 1")) == (Kind.HINT, "R14")
    assert found(request(b"INVITE", b"X-Acme-Rec-Id: 1"), Known()) == (Kind.NONE, "")
    assert found(request(b"INVITE", b"X-Foo: x-nice-call-id")) == (Kind.NONE, "")


def test_without_configuration_no_code_and_no_address_is_known() -> None:
    for message in (
        request(uri=b"sip:*1@example.net"),
        request(uri=b"sip:rec@srs.example.net"),
        request(b"MESSAGE", b"Content-Type: text/plain", body=b"record on"),
    ):
        assert found(message, Known()) == (Kind.NONE, "")


def test_one_detector_does_not_mix_messages_up() -> None:
    """What it remembers of header names and lines is of these alone."""
    detector = Detector(KNOWN)
    for _ in range(2):
        for message, rule in RECORDING_SESSIONS.values():
            assert detector.classify(message).rule == rule
        for message in NOT_RECORDING.values():
            assert detector.classify(message) == (Kind.NONE, "")


def test_what_is_remembered_is_bounded() -> None:
    detector = Detector()
    for number in range(3000):
        detector.classify(request(b"INVITE", b"X-Nice-%d: 1" % number))
    assert len(detector._places) <= 1024


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*/*.sip")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_messages_of_the_rfcs(path: Path) -> None:
    """RFC 7866 and RFC 8068 as printed: LF line ends, captions, a header that goes over into the body."""
    head, _, body = path.read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = list(itertools.takewhile(_is_header, head.split(b"\n")))
    kept = [line for line in lines if not line.lower().startswith(b"content-length")]
    message = parse(b"\r\n".join(kept) + b"\r\n\r\n" + body.replace(b"\n", b"\r\n"), Limits())
    assert Detector().classify(message).kind is Kind.RS


def _is_header(line: bytes) -> bool:
    folds = line[:1] in (b" ", b"\t") and line.strip()[:1] == b";"
    return folds or line.startswith(b" application") or b":" in line.partition(b" ")[0] or b"SIP/2.0" in line


def test_bodies_of_makers_are_told_without_a_header() -> None:
    for path in MAKERS.glob("*offer*.txt"):
        raw = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").lstrip()
        boundary = raw.partition(b"\r\n")[0].removeprefix(b"--")
        message = request(b"INVITE", b'Content-Type: multipart/mixed;boundary="' + boundary + b'"', body=raw)
        kind, rule = found(message, Known())
        assert kind is Kind.RS, path.name
        assert rule in ("R2", "R4"), path.name


def test_session_descriptions_of_makers_are_no_sessions_by_themselves() -> None:
    for path in (*MAKERS.glob("sample*.txt"), *MAKERS.glob("non-siprec*.txt")):
        assert found(request(b"INVITE", IS_SDP, body=path.read_bytes().strip())) == (Kind.NONE, ""), path.name
