"""What there is to explain."""

from __future__ import annotations

import io

import pytest

from tap.explain_input import InputError, conversation
from tests.tap.pcap import PHONE, SBC, TRUNK, message, packet, pcap

ONE, RINGING = message(), message("SIP/2.0 180 Ringing")


def test_text() -> None:
    """In the order of the file, with what was mended."""
    found = conversation(io.BytesIO(ONE + RINGING.replace(b"Content-Length: 0", b"Content-Length: 7")))
    assert [one.data for one in found.messages] == [ONE, RINGING]
    assert found.messages[0].remarks == ()
    assert found.messages[1].remarks == ("Content-Length said 7; the body has 0 bytes",)


def test_one_call_of_a_capture() -> None:
    """One leg, without retransmissions; the others by number."""
    other = message(call_id="c2")
    frames = [packet(ONE), packet(ONE), packet(ONE, SBC, TRUNK), packet(RINGING, SBC, PHONE), packet(other)]
    found = conversation(io.BytesIO(pcap(frames)))
    assert [(one.data, one.source) for one in found.messages] == [(ONE, PHONE), (RINGING, PHONE)]
    assert any("3 calls" in remark for remark in found.remarks)
    assert any("retransmissions left out: 1" in remark for remark in found.remarks)
    assert [one.source for one in conversation(io.BytesIO(pcap(frames)), 2).messages] == [SBC]
    assert [one.data for one in conversation(io.BytesIO(pcap(frames)), 3).messages] == [other]
    with pytest.raises(InputError, match="no call 4"):
        conversation(io.BytesIO(pcap(frames)), 4)


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"garbage" * 100, bytes(range(256)), pcap([]), pcap([packet(b"rtp" * 9)])]
)
def test_nothing_to_explain(data: bytes) -> None:
    """Is said."""
    with pytest.raises(InputError, match="no SIP message"):
        conversation(io.BytesIO(data))


def test_damaged_captures() -> None:
    """What can be read is explained, and what cannot is counted."""
    found = conversation(io.BytesIO(pcap([packet(ONE), packet(RINGING)])[:-10]))
    assert [one.data for one in found.messages] == [ONE]
    assert found.remarks == ["the file ends within a frame: 1"]
    with pytest.raises(InputError):
        conversation(io.BytesIO(pcap([packet(ONE)])[:20]))


def test_too_large() -> None:
    """A disk image is no message."""
    with pytest.raises(InputError, match="4 MiB"):
        conversation(io.BytesIO(bytes(5 << 20)))
