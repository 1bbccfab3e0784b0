"""What a scan prints."""

from __future__ import annotations

import io

from rich.console import Console

from filters.leaks import Search
from tap.capture import Capture
from tap.scan import Scan
from tap.scan_report import document, show
from tests.tap.pcap import PHONE, SBC, message, packet, pcap


def printed(*values: bytes, frames: tuple[bytes, ...] = (packet(message()),)) -> str:
    capture, scan = Capture(io.BytesIO(pcap(frames))), Scan(Search(values))
    scan.run(capture.messages(), lambda number: None)
    stream = io.StringIO()
    show(Console(file=stream, width=200), document(scan, capture))
    return stream.getvalue()


def test_findings() -> None:
    """Frame, time, both ends, method, field and encoding."""
    text = printed(b"alice", b"nowhere in it")
    for expected in ("2026-09-21T14:13:20.500", "10.1.1.23:5062 → 192.0.2.1:5060", "OPTIONS", "From", "in clear"):
        assert expected in text, text
    assert "1 SIP messages in 1 frames searched; 1 of 2 secrets found." in text
    assert "alice" not in text


def test_nothing_found() -> None:
    """Is good news only where there was something to search."""
    assert "none of 1 secret found" in printed(b"nowhere in it")
    assert "nothing to search" in printed(b"nowhere in it", frames=())


def test_damage_and_what_was_left_out() -> None:
    """Are said."""
    text = printed(b"short", frames=(packet(message())[:-4], packet(message("X-\x1b[2J sip:a@b SIP/2.0"), PHONE, SBC)))
    assert "not read: a datagram that the capture has cut (snaplen) (1)" in text
    assert "secret 1: under 8 bytes" in text
    assert "\x1b" not in text
