"""What counts as media that nothing encrypts."""

from __future__ import annotations

import base64

import pytest

from proxy.message import Message
from proxy.recording_media import is_plain, is_silent, names_plain_media
from tests.agents import read
from tests.recording_sessions import SRC, multipart, offer


def body(proto: bytes, port: bytes = b"49170") -> bytes:
    return b"v=0\r\nm=audio %b %b 0\r\na=x\r\n" % (port, proto)


@pytest.mark.parametrize("proto", [b"RTP/AVP", b"RTP/AVPF", b"rtp/avp", b"udp", b"TCP/RTP/AVP", b"TCP/MSRP", b"x"])
def test_what_is_not_known_to_be_encrypted_is_plain(proto: bytes) -> None:
    assert is_plain(body(proto))
    assert is_plain(multipart(body(proto)))
    assert is_plain(body(proto).replace(b"\r\n", b"\n"))
    assert is_plain(body(proto, b"49170/2"))


@pytest.mark.parametrize(
    "proto",
    [
        b"RTP/SAVP",
        b"RTP/SAVPF",
        b"UDP/TLS/RTP/SAVP",
        b"UDP/TLS/RTP/SAVPF",
        b"rtp/savp",
        b"TCP/TLS/BFCP",
        b"TCP/TLS/MSRP",
    ],
)
def test_what_is_encrypted(proto: bytes) -> None:
    assert not is_plain(body(proto))


def test_a_stream_that_is_not_used_needs_no_key() -> None:
    assert not is_plain(body(b"RTP/AVP", b"0"))
    assert not is_plain(b"")
    assert not is_plain(offer())


def test_one_stream_is_enough() -> None:
    assert is_plain(body(b"RTP/SAVP") + b"m=video 5 RTP/AVP 0\r\n")


@pytest.mark.parametrize(
    "line",
    [
        b"m=audio\t49170\tRTP/AVP\t0",
        b"m=audio  49170  RTP/AVP 0",
        b"m=audio 49170",
        b"m=audio x RTP/AVP 0",
        b"m=audio 0 RTP/AVP 0\r\na=bundle-only",
        b"m=audio 4 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNf UNENCRYPTED_SRTP",
        b"m=audio 4 RTP/SAVP 0\r\na=crypto:1 NULL_HMAC_SHA1_80 inline:WVNf",
        b"m=audio 4 RTP/XSAVP 0",
    ],
)
def test_what_somebody_may_read_as_plain_media_is_plain(line: bytes) -> None:
    for end in (b"\r\n", b"\n", b"\r"):
        assert is_plain(b"v=0\r\ns=-\r\n".replace(b"\r\n", end) + line.replace(b"\r\n", end) + end)


@pytest.mark.parametrize("line", [b"m=application 9 UDP/DTLS/SCTP webrtc-datachannel", b"m=audio\t4\tRTP/SAVP\t0"])
def test_what_is_encrypted_however_it_is_written(line: bytes) -> None:
    assert not is_plain(b"v=0\r\n" + line + b"\r\n")


def test_a_message_is_looked_at_in_all_its_parts() -> None:
    plain = body(b"RTP/AVP")
    part = b"Content-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(plain)
    mixed = b"--b\r\n" + part + b"\r\n--b--\r\n"
    assert names_plain_media(message(b"multipart/mixed;boundary=b", mixed))
    assert names_plain_media(message(b"application/sdp", plain))
    assert not names_plain_media(message(b"application/sdp", body(b"RTP/SAVP")))
    assert not names_plain_media(message(b"application/sdp", b""))


@pytest.mark.parametrize(
    ("session", "silent"),
    [
        (offer(b"inactive"), True),
        (offer(), False),
        (b"v=0\r\na=inactive\r\nm=audio 4 RTP/SAVP 0\r\n", True),
        (b"v=0\na=inactive\nm=audio 4 RTP/SAVP 0\na=sendonly\n", False),
        (b"v=0\r\nm=audio 0 RTP/SAVP 0\r\nm=audio 4 RTP/SAVP 0\r\na=inactive", True),
        (b"v=0\r\nm=audio 4 RTP/SAVP 0\r\na=inactive\r\nm=audio 6 RTP/SAVP 0\r\n", False),
        (b"v=0\r\nm=audio 4 RTP/SAVP 0\r\na=inactive\r\na=sendrecv\r\n", False),
        (b"v=0\r\nm=audio 4 RTP/SAVP 0\r\na=inactivex\r\n", False),
        (b"v=0\r\n", False),
        (b"", False),
    ],
)
def test_a_session_in_which_nothing_flows(session: bytes, silent: bool) -> None:
    assert is_silent(message(b"application/sdp", session)) is silent
    assert is_silent(message(b"multipart/mixed;boundary=foobar", multipart(session or b"x"))) is silent


def message(kind: bytes, content: bytes) -> Message:
    found = read(SRC.request(headers=(b"Content-Type: " + kind,), body=content).data)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        (b"application/pkcs7-mime;smime-type=auth-enveloped-data", False),
        (b"Application/X-PKCS7-MIME", False),
        (b"application/octet-stream", True),
        (b"application/pkcs7-mime\r\nContent-Type: application/sdp", True),
    ],
)
@pytest.mark.parametrize("lone", [False, True], ids=["a part", "alone"])
def test_what_is_encrypted_names_no_media_by_accident(kind: bytes, plain: bool, lone: bool) -> None:
    """One body of 2 KiB in 4,000 holds these three letters somewhere."""
    blob = b"0\x80\x06\nm=\x17\x80"
    part = b"--x\r\nContent-Type: " + kind + b"\r\n\r\n" + blob + b"\r\n--x--\r\n"
    headers = (b"Content-Type: " + kind,) if lone else (b"Content-Type: multipart/mixed;boundary=x",)
    message = read(SRC.request(headers=headers, body=blob if lone else part).data)
    assert names_plain_media(message) is plain
