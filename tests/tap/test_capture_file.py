"""pcap and pcapng, whole and damaged."""

from __future__ import annotations

import io
from collections import Counter

import pytest

from tap.capture_file import CaptureError, Frame, frames, is_capture
from tests.tap.pcap import COOKED, ETHERNET, block, pcap, pcapng


def read(data: bytes) -> tuple[list[Frame], Counter[str]]:
    damage: Counter[str] = Counter()
    return list(frames(io.BytesIO(data), damage)), damage


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_classic(order: str, nano: bool) -> None:
    """Either byte order, micro- and nanoseconds."""
    found, damage = read(pcap([b"one", b"three"], order=order, nano=nano))
    assert [(frame.number, frame.data, frame.link, frame.whole) for frame in found] == [
        (1, b"one", ETHERNET, True),
        (2, b"three", ETHERNET, True),
    ]
    assert found[1].time == pytest.approx(1_790_000_001.5)
    assert not damage


@pytest.mark.parametrize("order", ["<", ">"])
def test_next_generation(order: str) -> None:
    """Several interfaces of several kinds, unknown blocks, and two sections in one file."""
    data = pcapng([(0, b"one"), (1, b"three")], (ETHERNET, COOKED), order)
    found, damage = read(data + pcapng([(0, b"again")]))
    assert [(frame.number, frame.data, frame.link) for frame in found] == [
        (1, b"one", ETHERNET),
        (2, b"three", COOKED),
        (3, b"again", ETHERNET),
    ]
    assert found[0].time == pytest.approx(1_790_000_000.5)
    assert not damage


def test_simple_packets() -> None:
    """Blocks without a time."""
    data = pcapng([]) + block(3, (5).to_bytes(4, "little") + b"simple")
    assert [frame.data for frame in read(data)[0]] == [b"simpl"]


@pytest.mark.parametrize("data", [pcap([b"one" * 9, b"two" * 9]), pcapng([(0, b"one" * 9), (0, b"two" * 9)])])
def test_every_truncation(data: bytes) -> None:
    """Wherever a file breaks off, what stands before is read, the damage is counted, and nothing raises."""
    whole = {24, 67} if len(data) == 110 else {28, 60, 80, 140}
    for length in range(24, len(data)):
        found, damage = read(data[:length])
        assert len(found) <= 2
        assert [frame.data for frame in found] == [b"one" * 9, b"two" * 9][: len(found)]
        assert damage or length in whole


def test_every_changed_byte() -> None:
    """Nor does anything else that a disk may do."""
    for data in (pcap([b"one" * 9, b"two" * 9]), pcapng([(0, b"one" * 9), (0, b"two" * 9)])):
        for place in range(4, len(data)):
            read(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])


@pytest.mark.parametrize("data", [b"", b"abc", b"INVITE sip:a@b SIP/2.0\r\n", b"\xd4\xc3\xb2\xa1short"])
def test_what_is_no_capture(data: bytes) -> None:
    """Is said to be none."""
    with pytest.raises(CaptureError):
        read(data)


def test_magic() -> None:
    """Told by the first four bytes."""
    assert is_capture(pcap([]))
    assert is_capture(pcapng([]))
    assert not is_capture(b"INVITE")
