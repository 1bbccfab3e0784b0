"""Which worker a datagram is for, and the frame in which another worker hands it over (design.md §6).

The kernel gives a datagram to whichever worker its addresses hash to; its transaction may be another's. A frame is a
short header in front of the datagram: when it was read, by which listener, and from whom.

    monotonic seconds (8 bytes) · listener (1) · length of the address (1) · port (2) · address as text · datagram
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from proxy.flow import Flow
from proxy.matching import owner

KNOWN_PEERS = 16_384
"""Most peers whose header or flow is kept ready; a flood from forged addresses empties the store and begins anew."""
LONGEST_HEADER = 12 + 255
"""Bytes in front of a datagram at most; an address with a scope is some 60."""
_FIXED = struct.Struct("!BBH")
_STAMP = struct.Struct("!d")

Receive = Callable[[bytes, Flow, float], None]
Address = tuple[str, int]


class Framer:
    """Makes frames, and takes them apart; listeners are known by their place in the configuration."""

    def __init__(self, listeners: Sequence[Address]) -> None:
        """Name the listeners' bound addresses, in the same order in every worker."""
        self._listeners = list(listeners)
        self._numbers = {address: number for number, address in enumerate(listeners)}
        self._headers: dict[Flow, bytes] = {}
        self._flows: dict[bytes, Flow] = {}

    def frame(self, data: bytes, flow: Flow, now: float) -> bytes:
        """Return a datagram with the header that says where it was read, and when (now, monotonic seconds)."""
        return _STAMP.pack(now) + (self._headers.get(flow) or self._header(flow)) + data

    def read(self, frame: bytes) -> tuple[bytes, Flow, float]:
        """Return the datagram in a frame, its flow, and when it was read: the clock is the machine's, not a process's.

        Raises:
            ValueError: this is no frame.
        """
        if len(frame) < _STAMP.size + _FIXED.size:
            raise ValueError("no frame")
        size = _STAMP.size + _FIXED.size + frame[_STAMP.size + 1]
        header = frame[_STAMP.size : size]
        return frame[size:], self._flows.get(header) or self._flow(header), _STAMP.unpack_from(frame)[0]

    def _header(self, flow: Flow) -> bytes:
        """Return the header for a flow, and keep it ready."""
        if len(self._headers) >= KNOWN_PEERS:
            self._headers.clear()
        address, port = flow.peer
        made = _FIXED.pack(self._numbers[flow.local], len(address), port) + address.encode()
        self._headers[flow] = made
        return made

    def _flow(self, header: bytes) -> Flow:
        """Return the flow that a header stands for, and keep it ready."""
        if len(header) <= _FIXED.size or len(header) != _FIXED.size + header[1] or header[0] >= len(self._listeners):
            raise ValueError("no frame")
        if len(self._flows) >= KNOWN_PEERS:
            self._flows.clear()
        number, _, port = _FIXED.unpack_from(header)
        flow = self._flows[header] = Flow("UDP", self._listeners[number], (header[_FIXED.size :].decode(), port))
        return flow


class Sorter:
    """Takes what a listener reads: what is ours goes to the core, the rest to its owner, once.

    What comes out of a frame never passes here, so nothing is handed over twice, even between workers that
    disagree.
    """

    def __init__(
        self, worker: int, workers: int, *, receive: Receive, hand_over: Callable[[int, bytes, Flow, float], None],
        own: frozenset[Address],
    ) -> None:  # fmt: skip
        """Sort for one worker.

        Args:
            worker: our number.
            workers: how many there are.
            receive: takes our own datagrams.
            hand_over: gets the owner's number, the datagram, its flow and the time.
            own: addresses that we send from, so that a request to ourselves is known as one.
        """
        self._worker = worker
        self._workers = workers
        self._receive = receive
        self._hand_over = hand_over
        self._own = own

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take a datagram; now in monotonic seconds."""
        found = owner(data, self._workers, from_us=flow.peer in self._own)
        if found == self._worker:
            self._receive(data, flow, now)
        else:
            self._hand_over(found, data, flow, now)
