"""Link layers, IPv4 and IPv6, fragments."""

from __future__ import annotations

import struct
from collections import Counter
from itertools import permutations

import pytest

from tap.capture_file import Frame
from tap.capture_packets import MAX_FRAGMENTED, Packet, Packets
from tests.tap.pcap import COOKED, COOKED_2, ETHERNET, NULL, PHONE, RAW, SBC, ethernet, fragments, ipv4, ipv6, tcp, udp

SIP = b"OPTIONS sip:a@b SIP/2.0\r\n\r\n"
V4, V6 = ipv4(udp(SIP)), ipv6(udp(SIP))


def packets(*frames: bytes, link: int = ETHERNET, whole: bool = True) -> tuple[list[Packet], Counter[str]]:
    damage: Counter[str] = Counter()
    reader = Packets(damage)
    found = (reader.packet(Frame(number, 0.0, link, data, whole)) for number, data in enumerate(frames, 1))
    return [packet for packet in found if packet is not None], damage


@pytest.mark.parametrize(
    ("link", "frame"),
    [
        (ETHERNET, ethernet(V4)),
        (ETHERNET, ethernet(V6, 0x86DD)),
        (ETHERNET, ethernet(b"\0\5\x08\0" + V4, 0x8100)),
        (ETHERNET, ethernet(b"\0\5\x81\0\0\6\x86\xdd" + V6, 0x88A8)),
        (ETHERNET, ethernet(b"\x11\0\0\1\0\x99\0\x21" + V4, 0x8864)),
        (ETHERNET, ethernet(b"\0\0\0\xff\0\0\1\xff" + V4, 0x8847)),
        (COOKED, bytes(14) + b"\x08\0" + V4),
        (COOKED, bytes(14) + b"\x81\0\0\5\x86\xdd" + V6),
        (COOKED_2, b"\x08\0" + bytes(18) + V4),
        (NULL, b"\2\0\0\0" + V4),
        (NULL, b"\0\0\0\x1e" + V6),
        (108, b"\0\0\0\2" + V4),
        (RAW, V4),
        (RAW, V6),
        (228, V4),
        (229, V6),
        (ETHERNET, ethernet(V4 + b"padding")),
    ],
)
def test_link_layers(link: int, frame: bytes) -> None:
    """Ethernet with and without tags, cooked, loopback, raw."""
    found, damage = packets(frame, link=link)
    assert [(packet.data, packet.transport, packet.source[1]) for packet in found] == [(SIP, "UDP", PHONE[1])]
    assert not damage


def test_addresses() -> None:
    """Of both families, as text."""
    assert packets(ethernet(V4))[0][0][2:4] == (PHONE, SBC)
    assert packets(ethernet(V6, 0x86DD))[0][0][2:4] == (("2001:db8::1", 5062), ("2001:db8::2", 5060))


def test_fragments_in_any_order() -> None:
    """SIP over 1,500 bytes; repeated and overlapping pieces do no harm."""
    payload = udp(SIP + b"x" * 40)
    pieces = [ethernet(piece) for piece in fragments(payload, 24)]
    for order in permutations(pieces):
        found, damage = packets(order[0], *order)
        assert [packet.data for packet in found] == [SIP + b"x" * 40]
        assert not damage


def test_fragments_of_ipv6() -> None:
    """Behind a hop-by-hop header too."""
    payload = udp(SIP)
    first = struct.pack(">BBHI", 17, 0, 1, 9) + payload[:16]
    last = struct.pack(">BBHI", 17, 0, 16, 9) + payload[16:]
    found, _ = packets(ethernet(ipv6(last, 44), 0x86DD), ethernet(ipv6(b"\x2c\0" + bytes(6) + first, 0), 0x86DD))
    assert [packet.data for packet in found] == [SIP]


def test_missing_fragments_are_bounded() -> None:
    """The oldest give way, and are counted."""
    frames = [ethernet(fragments(udp(SIP), 8, identity)[0]) for identity in range(MAX_FRAGMENTED + 3)]
    found, damage = packets(*frames)
    assert not found
    assert damage["a datagram without all its fragments"] == 3


def test_snaplen() -> None:
    """What was cut is handed on as far as it goes, and counted."""
    found, damage = packets(ethernet(V4)[:-5], whole=False)
    assert found[0].data == SIP[:-5]
    assert damage["a datagram that the capture has cut (snaplen)"] == 1


def test_tcp() -> None:
    """Sequence and flags, for `capture_streams`."""
    packet = packets(ethernet(ipv4(tcp(SIP, 77, 0x12), 6)))[0][0]
    assert (packet.transport, packet.data, packet.sequence, packet.flags) == ("TCP", SIP, 77, 0x12)


def test_anything_else_is_passed_over() -> None:
    """ARP, ICMP, unknown links, and every cut: no traceback."""
    assert packets(ethernet(b"x" * 28, 0x0806), ethernet(ipv4(b"x" * 20, 1)))[0] == []
    assert packets(V4, link=9999)[0] == []
    for link, frame in ((ETHERNET, ethernet(V4)), (ETHERNET, ethernet(V6, 0x86DD)), (COOKED_2, b"\x08\0"), (RAW, V6)):
        for length in range(len(frame)):
            packets(frame[:length], link=link)
    for place in range(len(V4)):
        packets(ethernet(V4[:place] + bytes([V4[place] ^ 0xFF]) + V4[place + 1 :]))
