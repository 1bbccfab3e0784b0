"""What a frame carries: link header, IP with its fragments put together, and the UDP or TCP in it."""

from __future__ import annotations

import socket
import struct
from collections import Counter, OrderedDict
from typing import NamedTuple

from tap.capture_file import Frame

Address = tuple[str, int]

MAX_FRAGMENTED = 512
"""Datagrams that may wait for their fragments at once; the oldest give way."""
MAX_DATAGRAM = 65_535

_ETHERNET, _RAW, _COOKED, _COOKED_2 = 1, 101, 113, 276
_NULL = (0, 108)
_IPV4_RAW, _IPV6_RAW = 228, 229
_OLD_RAW = (12, 14)
_IPV4, _IPV6 = 0x0800, 0x86DD
_VLANS = (0x8100, 0x88A8, 0x9100)
_PPPOE, _MPLS = 0x8864, 0x8847
_FAMILIES = {2: _IPV4, 10: _IPV6, 24: _IPV6, 28: _IPV6, 30: _IPV6}
"""Address families in loopback headers: IPv6 has another number on each system."""
_TCP, _UDP, _FRAGMENT = 6, 17, 44
_EXTENSIONS = (0, 43, 60, 135)
"""IPv6 headers of eight bytes' steps that stand before what is carried (RFC 8200 §4)."""


class Packet(NamedTuple):
    """A UDP datagram, or a TCP segment."""

    number: int
    """The frame, for a datagram in fragments the last of them."""
    time: float
    source: Address
    destination: Address
    transport: str
    data: bytes
    sequence: int = 0
    flags: int = 0


class _Waiting(NamedTuple):
    """Fragments of a datagram, by offset."""

    pieces: dict[int, bytes]
    total: list[int]
    """Its length, once the last fragment has come."""


class Packets:
    """Takes frames and hands out packets."""

    def __init__(self, damage: Counter[str]) -> None:
        """Begin; damage counts what could not be read."""
        self._damage = damage
        self._waiting: OrderedDict[tuple[bytes, bytes, int, int], _Waiting] = OrderedDict()

    def packet(self, frame: Frame) -> Packet | None:
        """Return what a frame carries, None for what is no UDP or TCP, or not yet whole."""
        try:
            kind, data = network(frame)
            if kind == _IPV4:
                return self._ipv4(frame, data)
            if kind == _IPV6:
                return self._ipv6(frame, data)
        except (
            struct.error,
            IndexError,
            OSError,
            ValueError,
        ):  # of struct, slices and inet_ntoa, for what is too short
            self._damage["a frame that cannot be read"] += 1
        return None

    def waiting(self) -> int:
        """Return how many datagrams still lack fragments."""
        return len(self._waiting)

    def _ipv4(self, frame: Frame, data: bytes) -> Packet | None:
        header = (data[0] & 15) * 4
        total, identity, offset = struct.unpack(">HHH", data[2:8])
        # Segmentation offload writes 0 for what is larger than the field.
        data = data[: total or len(data)]
        source, destination, protocol = data[12:16], data[16:20], data[9]
        payload = data[header:]
        if offset & 0x3FFF:
            whole = self._fragment(
                (source, destination, identity, protocol), (offset & 0x1FFF) * 8, payload, last=not offset & 0x2000
            )
            if whole is None:
                return None
            payload = whole
        return self._carried(frame, protocol, socket.inet_ntoa(source), socket.inet_ntoa(destination), payload)

    def _ipv6(self, frame: Frame, data: bytes) -> Packet | None:
        size, protocol = struct.unpack(">HB", data[4:7])
        source, destination = data[8:24], data[24:40]
        payload = data[40 : 40 + size] if size else data[40:]
        while protocol in _EXTENSIONS:
            protocol, payload = payload[0], payload[(payload[1] + 1) * 8 :]
        if protocol == _FRAGMENT:
            protocol, offset, identity = struct.unpack(">BxHI", payload[:8])
            key = (source, destination, identity, protocol)
            whole = self._fragment(key, offset & 0xFFF8, payload[8:], last=not offset & 1)
            if whole is None:
                return None
            payload = whole
        near, far = (socket.inet_ntop(socket.AF_INET6, end) for end in (source, destination))
        return self._carried(frame, protocol, near, far, payload)

    def _fragment(self, key: tuple[bytes, bytes, int, int], offset: int, data: bytes, *, last: bool) -> bytes | None:
        """Keep a fragment; return the whole once it is there."""
        waiting = self._waiting.pop(key, None) or _Waiting({}, [])
        self._waiting[key] = waiting
        if offset + len(data) <= MAX_DATAGRAM:
            waiting.pieces.setdefault(offset, data)
        if last:
            waiting.total.append(offset + len(data))
        if len(self._waiting) > MAX_FRAGMENTED:
            self._waiting.popitem(last=False)
            self._damage["a datagram without all its fragments"] += 1
        if not waiting.total:
            return None
        whole = b""
        for place in sorted(waiting.pieces):
            if place > len(whole):
                return None
            whole += waiting.pieces[place][len(whole) - place :]
        if len(whole) < waiting.total[0]:
            return None
        del self._waiting[key]
        return whole

    def _carried(self, frame: Frame, protocol: int, source: str, destination: str, data: bytes) -> Packet | None:
        if protocol not in (_UDP, _TCP):
            return None
        from_port, to_port = struct.unpack(">HH", data[:4])
        ends = ((source, from_port), (destination, to_port))
        if protocol == _UDP:
            size = struct.unpack(">H", data[4:6])[0]
            if size > len(data):
                self._damage["a datagram that the capture has cut (snaplen)"] += 1
            return Packet(frame.number, frame.time, *ends, "UDP", data[8 : max(size, 8) if size else None])
        if not frame.whole:
            self._damage["a segment that the capture has cut (snaplen)"] += 1
        sequence, header, flags = struct.unpack(">I4xBB", data[4:14])
        return Packet(frame.number, frame.time, *ends, "TCP", data[(header >> 4) * 4 :], sequence, flags)


def network(frame: Frame) -> tuple[int, bytes]:
    """Return the Ethernet type of what a frame carries, and that; 0 for what is not read."""
    data, link = frame.data, frame.link
    if link == _ETHERNET:
        return _behind_tags(struct.unpack(">H", data[12:14])[0], data[14:])
    if link == _COOKED:
        return _behind_tags(struct.unpack(">H", data[14:16])[0], data[16:])
    if link == _COOKED_2:
        return _behind_tags(struct.unpack(">H", data[:2])[0], data[20:])
    if link in _NULL:
        family = min(struct.unpack("<I", data[:4])[0], struct.unpack(">I", data[:4])[0])
        return _FAMILIES.get(family, 0), data[4:]
    if link in (_RAW, _IPV4_RAW, _IPV6_RAW, *_OLD_RAW):
        return {4: _IPV4, 6: _IPV6}.get(data[0] >> 4, 0), data
    return 0, b""


def _behind_tags(kind: int, data: bytes) -> tuple[int, bytes]:
    """Return what stands behind VLAN tags, PPPoE and MPLS labels."""
    while kind in _VLANS:
        kind, data = struct.unpack(">H", data[2:4])[0], data[4:]
    if kind == _PPPOE:
        return {0x0021: _IPV4, 0x0057: _IPV6}.get(struct.unpack(">H", data[6:8])[0], 0), data[8:]
    if kind == _MPLS:
        while not data[2] & 1:
            data = data[4:]
        data = data[4:]
        kind = {4: _IPV4, 6: _IPV6}.get(data[0] >> 4, 0)
    return kind, data
