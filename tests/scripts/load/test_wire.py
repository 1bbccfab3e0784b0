"""Just enough SIP."""

from __future__ import annotations

from scripts.load import wire

REQUEST = """\
INVITE sip:a@b SIP/2.0
Via: SIP/2.0/UDP p;branch=1
Via: SIP/2.0/UDP q;branch=2
From: <sip:x@y>;tag=1
To: <sip:a@b>
Call-ID: c
CSeq: 1 INVITE
Record-Route: <sip:p;lr>
Subject: s
Content-Length: 2

hi""".replace("\n", "\r\n").encode()


def test_values() -> None:
    assert wire.values(REQUEST, b"via") == [b"SIP/2.0/UDP p;branch=1", b"SIP/2.0/UDP q;branch=2"]
    assert (wire.value(REQUEST, b"to"), wire.value(REQUEST, b"contact")) == (b"<sip:a@b>", b"")
    assert (wire.status(REQUEST), wire.status(b"SIP/2.0 486 Busy\r\n\r\n")) == (0, 486)
    assert wire.uri_in(b'"N" <sip:a@b;x>;q=1') == b"sip:a@b;x"


def test_reply() -> None:
    """What RFC 3261 §8.2.6.2 copies, in its order, and nothing else."""
    answer = wire.reply(REQUEST, b"200 OK", b"t", b"Contact: <sip:me>", body=b"yes")
    assert answer.startswith(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP p;branch=1\r\nVia: SIP/2.0/UDP q;branch=2\r\n")
    assert wire.value(answer, b"to") == b"<sip:a@b>;tag=t"
    assert (wire.value(answer, b"contact"), wire.value(answer, b"subject")) == (b"<sip:me>", b"")
    assert answer.endswith(b"Content-Length: 3\r\n\r\nyes")
    assert wire.value(wire.reply(answer, b"200 OK", b"other"), b"to") == b"<sip:a@b>;tag=t"


def test_cut_byte_by_byte() -> None:
    """However a stream was cut, the same comes out."""
    buffer = bytearray()
    found: list[bytes] = []
    for byte in REQUEST + wire.PONG + REQUEST:
        buffer.append(byte)
        found += wire.cut(buffer)
    assert found == [REQUEST, wire.PONG, REQUEST]
    assert not buffer
