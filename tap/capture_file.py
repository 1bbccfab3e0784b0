"""Frames out of pcap and pcapng files.

Our own, for want of a library that fits: dpkt (last released in 2022, untyped) reads a pcapng's first interface only,
and gives up on the first damaged block; scapy is GPL and larger than Sipveil; pypcapkit needs five more packages. The
two formats are small and no longer change (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng).
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

MAGIC = {
    b"\xd4\xc3\xb2\xa1": ("<", 1e6), b"\xa1\xb2\xc3\xd4": (">", 1e6),
    b"\x4d\x3c\xb2\xa1": ("<", 1e9), b"\xa1\xb2\x3c\x4d": (">", 1e9),
}  # fmt: skip
"""First bytes of a pcap file → byte order, and parts of a second in its times."""
NG_MAGIC = b"\x0a\x0d\x0d\x0a"
MAX_BLOCK = 1 << 24
"""Longest frame or block, in bytes; what claims more is damaged (Wireshark's limit is 2^28, for USB)."""

_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_TSRESOL = 9


class CaptureError(Exception):
    """A file that is no capture, or none that can be read; the text says what is wrong with it."""


class Frame(NamedTuple):
    """A frame as it was captured."""

    number: int
    """From 1, as Wireshark counts."""
    time: float
    """Unix seconds."""
    link: int
    """Link type (https://www.tcpdump.org/linktypes.html)."""
    data: bytes
    whole: bool
    """False where the capture has cut it (snaplen)."""


def is_capture(head: bytes) -> bool:
    """Tell by its first four bytes whether a file is a capture."""
    return head[:4] in MAGIC or head[:4] == NG_MAGIC


def frames(stream: BinaryIO, damage: Counter[str]) -> Iterator[Frame]:
    """Yield the frames of a capture, to its end or to where it breaks off; damage counts what could not be read.

    Raises:
        CaptureError: it is no capture.
    """
    head = stream.read(4)
    if head == NG_MAGIC:
        yield from _Blocks(stream, damage).frames()
    elif head in MAGIC:
        yield from _classic(stream, *MAGIC[head], damage)
    else:
        raise CaptureError("is neither pcap nor pcapng")


def _classic(stream: BinaryIO, order: str, parts: float, damage: Counter[str]) -> Iterator[Frame]:
    header = stream.read(20)
    if len(header) < 20:
        raise CaptureError("ends within the file header")
    link = struct.unpack(order + "I", header[16:])[0] & 0x0FFFFFFF
    record = struct.Struct(order + "IIII")
    number = 0
    while head := stream.read(16):
        number += 1
        if len(head) < 16:
            damage["the file ends within a frame"] += 1
            return
        seconds, fraction, size, original = record.unpack(head)
        data = stream.read(size) if size <= MAX_BLOCK else b""
        if len(data) < size:
            damage["the file ends within a frame" if size <= MAX_BLOCK else "a length that cannot be"] += 1
            return
        yield Frame(number, seconds + fraction / parts, link, data, size >= original)


class _Blocks:
    """A pcapng file's sections, each with its byte order and interfaces."""

    def __init__(self, stream: BinaryIO, damage: Counter[str]) -> None:
        self._stream = stream
        self._damage = damage
        self._order = "<"
        self._interfaces: list[tuple[int, float, int]] = []
        self._number = 0

    def frames(self) -> Iterator[Frame]:
        kind = NG_MAGIC
        while len(kind) == 4:
            content = self._content(kind)
            if content is None:
                return
            number = struct.unpack(self._order + "I", kind)[0]
            if number == _INTERFACE and len(content) >= 8:
                self._interfaces.append(self._interface(content))
            elif number in (_ENHANCED, _OLD_PACKET, _SIMPLE):
                self._number += 1
                frame = self._frame(number, content)
                if frame is None:
                    self._damage["a block that cannot be read"] += 1
                else:
                    yield frame
            kind = self._stream.read(4)
        if kind:
            self._damage["the file ends within a block"] += 1

    def _content(self, kind: bytes) -> bytes | None:
        """Return what a block holds; None where it breaks off."""
        head = self._stream.read(4)
        begin = b""
        if kind == NG_MAGIC:
            begin = self._stream.read(4)
            self._order = ">" if begin == b"\x1a\x2b\x3c\x4d" else "<"
            self._interfaces = []
            if len(begin) < 4 or begin not in (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a"):
                self._damage["a section whose byte order is unknown"] += 1
                return None
        size = struct.unpack(self._order + "I", head)[0] if len(head) == 4 else 0
        if not 12 + len(begin) <= size <= MAX_BLOCK:
            self._damage["a length that cannot be" if len(head) == 4 else "the file ends within a block"] += 1
            return None
        rest = size - 12 - len(begin)
        content = self._stream.read(rest + -rest % 4)
        if len(content) < rest or len(self._stream.read(4)) < 4:
            self._damage["the file ends within a block"] += 1
            return None
        return begin + content[:rest]

    def _interface(self, content: bytes) -> tuple[int, float, int]:
        """Return link type, parts of a second and snaplen of an interface."""
        link, _, snaplen = struct.unpack(self._order + "HHI", content[:8])
        parts, at = 1e6, 8
        while at + 4 <= len(content):
            code, size = struct.unpack(self._order + "HH", content[at : at + 4])
            if code == _TSRESOL and size >= 1 and at + 4 < len(content):
                exponent = content[at + 4]
                parts = float(2 ** (exponent & 0x7F)) if exponent & 0x80 else 10.0 ** min(exponent, 18)
            at += 4 + size + -size % 4
        return link, parts, snaplen

    def _frame(self, kind: int, content: bytes) -> Frame | None:
        order = self._order
        if kind == _SIMPLE:
            if len(content) < 4 or not self._interfaces:
                return None
            link, _, snaplen = self._interfaces[0]
            original = struct.unpack(order + "I", content[:4])[0]
            size = min(original, snaplen or original, len(content) - 4)
            return Frame(self._number, 0.0, link, content[4 : 4 + size], size >= original)
        if len(content) < 20:
            return None
        interface, high, low, size, original = struct.unpack(order + "IIIII", content[:20])
        if kind == _OLD_PACKET:
            interface = struct.unpack(order + "H", content[:2])[0]
        data = content[20 : 20 + size]
        if interface >= len(self._interfaces) or len(data) < size:
            return None
        link, parts, _ = self._interfaces[interface]
        return Frame(self._number, ((high << 32) + low) / parts, link, data, size >= original)
