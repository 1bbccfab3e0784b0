"""From a capture to SIP messages."""

from __future__ import annotations

import io

import pytest

from tap.capture import Capture, is_sip
from tests.tap.pcap import PHONE, SBC, ethernet, fragments, ipv4, message, packet, pcap, tcp, udp

ONE, LONG = message(), message(body="x" * 3000)


def test_everything_at_once() -> None:
    """UDP, fragments, TCP, other traffic: in order, with frame numbers."""
    frames = [
        packet(b"\x80\x00rtp" * 9),
        packet(ONE),
        packet(b"\r\n\r\n"),
        *(ethernet(piece) for piece in fragments(udp(LONG), 1480)),
        ethernet(ipv4(tcp(ONE, 5), 6)),
        ethernet(ipv4(tcp(LONG[:100], 5 + len(ONE)), 6)),
    ]
    capture = Capture(io.BytesIO(pcap(frames)))
    found = list(capture.messages())
    assert [(one.number, one.transport, one.data) for one in found] == [
        (2, "UDP", ONE),
        (6, "UDP", LONG),
        (7, "TCP", ONE),
        (8, "TCP", LONG[:100]),
    ]
    assert found[0][2:4] == (PHONE, SBC)
    assert (capture.frames, capture.others, capture.damage) == (8, 1, {})


def test_missing_fragments_are_told() -> None:
    """At the end of the capture."""
    capture = Capture(io.BytesIO(pcap([ethernet(fragments(udp(LONG), 1480)[0])])))
    assert not list(capture.messages())
    assert capture.damage == {"a datagram without all its fragments": 1}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"INVITE sip:a@b SIP/2.0\r\n", True),
        (b"SIP/2.0 200 OK\r\n", True),
        (b"\r\nX-M sip:a@b SIP/2.0\r\n", True),
        (b"INVITE sip:a@b", False),
        (b"GET / HTTP/1.1\r\n", False),
        (b"", False),
    ],
)
def test_is_sip(data: bytes, told: bool) -> None:
    """By its start line."""
    assert is_sip(data) is told
