"""SIP messages out of TCP streams: segments put in order, messages told apart by Content-Length (RFC 3261 §18.3)."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Iterator

from tap.capture_packets import Address, Packet

MAX_STREAMS = 4096
"""Directions of connections that are followed at once; the one that was silent longest gives way."""
MAX_HELD = 1 << 18
"""Bytes that are held of one direction while a segment is missing or a message not whole; then it starts anew."""

_SYN, _FIN_OR_RST = 2, 5
_START = re.compile(rb"(?:^|\n)(SIP/2\.0 \d{3} |[A-Z][A-Z0-9_-]{1,31} [^\s]{1,2048} SIP/2\.0\r?\n)")
_LENGTH = re.compile(rb"\n(?:content-length|l)[ \t]*:[ \t]*(\d{1,8})[ \t]*\r?\n", re.IGNORECASE)
_END = re.compile(rb"\r?\n\r?\n")


class _Direction:
    """One direction of a connection."""

    def __init__(self) -> None:
        self.next: int | None = None
        self.early: dict[int, bytes] = {}
        self.data = b""


class Streams:
    """Takes TCP segments and hands out the messages in them."""

    def __init__(self, damage: Counter[str]) -> None:
        """Begin; damage counts what could not be read."""
        self._damage = damage
        self._directions: OrderedDict[tuple[Address, Address], _Direction] = OrderedDict()

    def messages(self, packet: Packet) -> Iterator[bytes]:
        """Yield the messages that a segment completes."""
        key = packet.source, packet.destination
        stream = self._directions.pop(key, None)
        if stream is None or packet.flags & _SYN:
            stream = _Direction()
        self._directions[key] = stream
        if len(self._directions) > MAX_STREAMS:
            self._directions.popitem(last=False)
            self._damage["more TCP connections at once than are followed"] += 1
        begin = (packet.sequence + 1) & 0xFFFFFFFF if packet.flags & _SYN else packet.sequence
        if packet.data:
            self._put(stream, begin, packet.data)
        elif stream.next is None:
            stream.next = begin
        yield from self._take(stream)
        if packet.flags & _FIN_OR_RST and not stream.early:
            yield from _rest(stream.data)
            del self._directions[key]

    def rest(self) -> Iterator[tuple[Address, Address, bytes]]:
        """Yield (source, destination, data) of what was begun when the capture ended."""
        for (source, destination), stream in self._directions.items():
            held = stream.data + b"".join(stream.early[place] for place in sorted(stream.early))
            yield from ((source, destination, message) for message in _rest(held))

    def _put(self, stream: _Direction, begin: int, data: bytes) -> None:
        """Add a segment; what came before is dropped, what comes early waits."""
        if stream.next is None:
            stream.next = begin
        known = stream.early.get(begin, b"")
        stream.early[begin] = data if len(data) > len(known) else known
        if sum(map(len, stream.early.values())) > MAX_HELD:
            # What is missing was not captured: go on behind it.
            self._damage["a TCP stream with a gap"] += 1
            stream.next = min(stream.early, key=lambda place: _ahead(place, stream.next or 0))
            stream.data = b""
        joined = True
        while joined:
            joined = False
            for place in sorted(stream.early, key=lambda place: _ahead(place, stream.next or 0)):
                ahead = _ahead(place, stream.next)
                if ahead > 0:
                    break
                piece = stream.early.pop(place)[-ahead:] if ahead else stream.early.pop(place)
                stream.data += piece
                stream.next = (stream.next + len(piece)) & 0xFFFFFFFF
                joined = True

    def _take(self, stream: _Direction) -> Iterator[bytes]:
        """Yield the whole messages at the head of what has come, and drop what is none."""
        while True:
            start = _START.search(stream.data)
            if start is None:
                # Not SIP, or TLS, or the middle of a message; the beginning of one may stand at the end.
                stream.data = stream.data[-4096:]
                return
            stream.data = stream.data[start.start(1) :]
            end = _END.search(stream.data)
            if end is not None:
                length = _LENGTH.search(stream.data, 0, end.start() + 2)
                size = end.end() + (int(length[1]) if length else 0)
                if size <= len(stream.data):
                    yield stream.data[:size]
                    stream.data = stream.data[size:]
                    continue
            if len(stream.data) > MAX_HELD:
                self._damage["a message too long to be followed"] += 1
                yield stream.data
                stream.data = b""
            return


def _rest(data: bytes) -> Iterator[bytes]:
    """Yield what is left of a stream that has ended, if it is SIP: it is searched although it is not whole."""
    start = _START.search(data)
    if start is not None:
        yield data[start.start(1) :]


def _ahead(place: int, expected: int) -> int:
    """Return how far a sequence number is ahead of another, around the end of 32 bits."""
    return (place - expected + (1 << 31)) % (1 << 32) - (1 << 31)
