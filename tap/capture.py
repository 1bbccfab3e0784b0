"""SIP messages out of a capture.

`capture_file` reads frames, `capture_packets` what they carry, `capture_streams` the messages in TCP.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from tap.capture_file import frames
from tap.capture_packets import Address, Packets
from tap.capture_streams import Streams

_SIP = re.compile(rb"[\r\n]*(?:SIP/2\.0 \d{3}|[A-Z][A-Z0-9_-]{1,31} [^\s]{1,8192} SIP/2\.0)")


class Captured(NamedTuple):
    """A SIP message on the wire."""

    number: int
    """The frame that completed it."""
    time: float
    """Unix seconds."""
    source: Address
    destination: Address
    transport: str
    data: bytes


class Capture:
    """One pass over a capture; what it met is counted on the way."""

    def __init__(self, stream: BinaryIO) -> None:
        """Bind a file that is open for reading."""
        self._stream = stream
        self.damage: Counter[str] = Counter()
        """What could not be read → how often."""
        self.frames = 0
        self.others = 0
        """Packets that carried no SIP."""

    def messages(self) -> Iterator[Captured]:
        """Yield the SIP messages in the order in which they were complete.

        Raises:
            CaptureError: the file is no capture.
        """
        packets, streams = Packets(self.damage), Streams(self.damage)
        number, time = 0, 0.0
        for frame in frames(self._stream, self.damage):
            self.frames, number, time = self.frames + 1, frame.number, frame.time
            packet = packets.packet(frame)
            if packet is None:
                continue
            if packet.transport == "UDP":
                found = [packet.data] if is_sip(packet.data) else []
                self.others += not found and bool(packet.data.strip(b"\r\n\0 "))
            else:
                found = list(streams.messages(packet))
            for data in found:
                yield Captured(packet.number, packet.time, packet.source, packet.destination, packet.transport, data)
        for source, destination, data in streams.rest():
            yield Captured(number, time, source, destination, "TCP", data)
        if packets.waiting():
            self.damage["a datagram without all its fragments"] += packets.waiting()


def is_sip(data: bytes) -> bool:
    """Tell whether a datagram begins as a SIP message does."""
    return _SIP.match(data) is not None
