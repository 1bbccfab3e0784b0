"""Captures made by hand: the formats as their specifications have them, nothing of the code under test."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable

PHONE = ("10.1.1.23", 5062)
SBC = ("192.0.2.1", 5060)
TRUNK = ("198.51.100.7", 5060)
ETHERNET, RAW, COOKED, COOKED_2, NULL = 1, 101, 113, 276, 0


def udp(data: bytes, source: tuple[str, int] = PHONE, destination: tuple[str, int] = SBC) -> bytes:
    return struct.pack(">HHHH", source[1], destination[1], 8 + len(data), 0) + data


def tcp(
    data: bytes,
    sequence: int,
    flags: int = 0x18,
    source: tuple[str, int] = PHONE,
    destination: tuple[str, int] = SBC,
) -> bytes:
    return struct.pack(">HHIIBBHHH", source[1], destination[1], sequence & 0xFFFFFFFF, 0, 5 << 4, flags, 1, 0, 0) + data


def ipv4(
    payload: bytes,
    protocol: int = 17,
    source: str = PHONE[0],
    destination: str = SBC[0],
    offset: int = 0,
    identity: int = 1,
) -> bytes:
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), identity, offset, 64, protocol, 0)
    return head + socket.inet_aton(source) + socket.inet_aton(destination) + payload


def ipv6(payload: bytes, following: int = 17, source: str = "2001:db8::1", destination: str = "2001:db8::2") -> bytes:
    ends = (socket.inet_pton(socket.AF_INET6, end) for end in (source, destination))
    return struct.pack(">IHBB", 6 << 28, len(payload), following, 64) + b"".join(ends) + payload


def ethernet(payload: bytes, kind: int = 0x0800) -> bytes:
    return bytes(12) + struct.pack(">H", kind) + payload


def packet(data: bytes, source: tuple[str, int] = PHONE, destination: tuple[str, int] = SBC) -> bytes:
    """An Ethernet frame with a UDP datagram."""
    return ethernet(ipv4(udp(data, source, destination), 17, source[0], destination[0]))


def fragments(payload: bytes, size: int, identity: int = 7) -> list[bytes]:
    """IPv4 fragments of a payload; size: a multiple of 8."""
    return [
        ipv4(
            payload[at : at + size],
            offset=at // 8 | (0x2000 if at + size < len(payload) else 0),
            identity=identity,
        )
        for at in range(0, len(payload), size)
    ]


def pcap(frames: Iterable[bytes], link: int = ETHERNET, order: str = "<", nano: bool = False) -> bytes:
    """A classic capture; frames are a second apart."""
    head = struct.pack(order + "IHHiIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    return head + b"".join(
        struct.pack(order + "IIII", 1_790_000_000 + number, 500_000_000 if nano else 500_000, len(frame), len(frame))
        + frame
        for number, frame in enumerate(frames)
    )


def block(kind: int, content: bytes, order: str = "<") -> bytes:
    content += bytes(-len(content) % 4)
    size = struct.pack(order + "I", 12 + len(content))
    return struct.pack(order + "I", kind) + size + content + size


def pcapng(frames: Iterable[tuple[int, bytes]], links: tuple[int, ...] = (ETHERNET,), order: str = "<") -> bytes:
    """A capture of several interfaces; frames: (interface, data)."""
    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    for link in links:
        nanoseconds = struct.pack(order + "HHB3x", 9, 1, 9) + bytes(4)
        out += block(1, struct.pack(order + "HHI", link, 0, 0) + nanoseconds, order)
    out += block(4, b"names", order)
    for interface, frame in frames:
        ticks = 1_790_000_000_500_000_000
        head = struct.pack(order + "IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
        out += block(6, head + frame, order)
    return out


def message(start: str = "OPTIONS sip:a@b SIP/2.0", extra: str = "", body: str = "", call_id: str = "c1") -> bytes:
    """A SIP message with Content-Length."""
    lines = [start, "Via: SIP/2.0/UDP 10.1.1.23:5062;branch=z9hG4bKx", "Max-Forwards: 70"]
    lines += ["From: <sip:alice@example.net>;tag=1", "To: <sip:b@example.net>", f"Call-ID: {call_id}"]
    lines += ["CSeq: 1 " + (start.split(" ", maxsplit=1)[0] if not start.startswith("SIP/") else "OPTIONS")]
    lines += [extra] if extra else []
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode()
