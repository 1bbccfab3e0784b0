"""What counts as media that nothing encrypts."""

from __future__ import annotations

import pytest

from proxy.recording_media import is_plain
from tests.recording_sessions import multipart, offer


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
