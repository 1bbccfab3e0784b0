"""Which worker a message is for, and the frame in which another worker hands it over (design.md §6).

The kernel gives a datagram, and a connection, to whichever worker its addresses hash to; the transaction may be
another's. A frame is a short header in front of the message: when it was read, what is to become of it, by which
listener it came or is to go, and from whom or to whom.

    monotonic seconds (8 bytes) · matter (1) ·
    listener (1) · length of the address (1) · port (2) · length of what follows it (2) · address as text ·
    of connections: number (8) and the names that TLS vouches for · message
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Protocol

from config.settings import Limits
from proxy.flow import Flow
from proxy.matching import looks_ours, owner, top_branch, worker_of
from proxy.registration_owner import is_register, owner_of_registration

KNOWN_PEERS = 16_384
"""Most peers whose header or flow is kept ready; a flood from forged addresses empties the store and begins anew."""
MOST_NAMES = 4096
"""Bytes of a certificate's names in a header: 80 names of 50. Who has more of them has a connection whose messages are
all handled where they are read."""
_FIXED = struct.Struct("!BBHH")
_STAMP = struct.Struct("!dB")
_NUMBER = struct.Struct("!Q")
LONGEST_HEADER = _STAMP.size + _FIXED.size + 255 + _NUMBER.size + MOST_NAMES
"""Bytes in front of a message at most; an address with a scope is some 60, and datagrams have no more."""

Receive = Callable[[bytes, Flow, float], None]
HandOver = Callable[[int, bytes, Flow, float], bool]
Address = tuple[str, int]


class Matter(IntEnum):
    """What is to become of what is in a frame."""

    ARRIVED = 0
    """It came by this flow, and the reader of the frame is its owner."""
    SEND = 1
    """It is to leave by this connection, which the reader of the frame has."""
    UNDELIVERED = 2
    """It never left, and the reader of the frame has its transaction."""
    CLOSED = 3
    """This connection of the sender's has ended."""
    BEGAN = 4
    """The sender is a worker that has been started (`message`: its number): connections of one before it are gone."""
    OFFERED = 5
    """This connection of a trunk's or the core's serves our requests too (`proxy/aliases.py`); `message`: the port."""
    REGISTERED = 6
    """What became of our registration at a trunk (`proxy/trunk_registrations.py`); the flow is any of the sender's."""
    TIMED = 7
    """This connection, which the reader of the frame has, may (`message` empty) or may not be silent for long."""


class Core(Protocol):
    """What sorting needs of the core."""

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take a message."""

    def undelivered(self, flow: Flow, data: bytes, now: float) -> None:
        """Learn that a message never left."""

    def closed(self, flow: Flow, now: float) -> None:
        """Learn that a connection has ended."""

    def unframed(self, data: bytes, flow: Flow, code: int, why: str) -> None:
        """Answer what no message can be cut from."""

    def unowned(self, data: bytes, flow: Flow, now: float) -> None:
        """Answer what cannot be handed over."""

    def silence(self, flow: Flow) -> float:
        """Return the seconds for which a connection may bring nothing; 0 for as long as others may."""


class Ways(Protocol):
    """The ways to other workers; nothing here waits."""

    def takes(self, flow: Flow) -> bool:
        """Tell whether a flow can be written into a frame."""

    def has(self, worker: int) -> bool:
        """Tell whether there is such a worker beside us."""

    def hand_over(self, worker: int, data: bytes, flow: Flow, now: float) -> bool:
        """Give a message to its owner; False where that takes nothing."""

    def undelivered(self, worker: int, data: bytes, flow: Flow, now: float) -> None:
        """Tell a transaction's worker that its request never left."""

    def closed(self, flow: Flow, now: float) -> None:
        """Tell all that a connection has ended."""


class Framer:
    """Makes frames, and takes them apart; listeners are known by their place in the configuration."""

    def __init__(self, listeners: Sequence[tuple[str, Address]]) -> None:
        """Name the listeners' transports and bound addresses, in the same order in every worker."""
        self._listeners = list(listeners)
        self.first = self._listeners[0]
        self._numbers = {listener: number for number, listener in enumerate(listeners)}
        self._headers: dict[Flow, bytes] = {}
        self._flows: dict[bytes, Flow] = {}

    def frame(self, data: bytes, flow: Flow, now: float, matter: int = Matter.ARRIVED) -> bytes:
        """Return a message with the header that says whence or where to, and when (now, monotonic seconds).

        Raises:
            ValueError: its flow has more names than a header takes, or no listener of ours.
        """
        return _STAMP.pack(now, matter) + (self._headers.get(flow) or self._header(flow)) + data

    def read(self, frame: bytes) -> tuple[int, bytes, Flow, float]:
        """Return matter, message and flow of a frame, and when it was made: the clock is the machine's.

        Raises:
            ValueError: this is no frame.
        """
        if len(frame) < _STAMP.size + _FIXED.size:
            raise ValueError("no frame")
        stamp, matter = _STAMP.unpack_from(frame)
        _, length, _, more = _FIXED.unpack_from(frame, _STAMP.size)
        size = _STAMP.size + _FIXED.size + length + more
        header = frame[_STAMP.size : size]
        return matter, frame[size:], self._flows.get(header) or self._flow(header), stamp

    def _header(self, flow: Flow) -> bytes:
        """Return the header for a flow, and keep it ready."""
        if len(self._headers) >= KNOWN_PEERS:
            self._headers.clear()
        address, port = flow.peer
        number = self._numbers.get((flow.transport, flow.local))
        behind = b""
        if flow.connection or flow.identity:
            behind = _NUMBER.pack(flow.connection) + "\n".join(flow.identity).encode()
        if number is None or len(behind) > _NUMBER.size + MOST_NAMES:
            raise ValueError("no flow for a frame")
        made = _FIXED.pack(number, len(address), port, len(behind)) + address.encode() + behind
        self._headers[flow] = made
        return made

    def _flow(self, header: bytes) -> Flow:
        """Return the flow that a header stands for, and keep it ready."""
        if len(header) < _FIXED.size:
            raise ValueError("no frame")
        listener, length, port, more = _FIXED.unpack_from(header)
        if listener >= len(self._listeners) or len(header) != _FIXED.size + length + more or 0 < more < _NUMBER.size:
            raise ValueError("no frame")
        if len(self._flows) >= KNOWN_PEERS:
            self._flows.clear()
        host = header[_FIXED.size : _FIXED.size + length].decode()
        behind = header[_FIXED.size + length :]
        connection = _NUMBER.unpack_from(behind)[0] if behind else 0
        names = behind[_NUMBER.size :].decode()
        identity = tuple(names.split("\n")) if names else ()
        transport, local = self._listeners[listener]
        flow = self._flows[header] = Flow(transport, local, (host, port), connection, identity)
        return flow


class Owners:
    """Says whose a message is: by our branch, by Call-ID, and REGISTERs by their address of record."""

    def __init__(self, workers: int, limits: Callable[[], Limits], *, registers: bool) -> None:
        """Sort for so many workers; registers: whether they are a registrar. `limits`: those of a message, now."""
        self.workers = workers
        self._limits = limits
        self.registers = registers

    def of(self, data: bytes, *, from_us: bool) -> int:
        """Return the owner of a message; from_us: as of `matching.owner`."""
        if self.registers and not from_us and is_register(data):
            found = owner_of_registration(data, self.workers, self._limits())
            if found is not None:
                return found
        return owner(data, self.workers, from_us=from_us)


class Sorter:
    """Takes what a listener reads: what is ours goes to the core, the rest to its owner, once.

    What comes out of a frame never passes here, so nothing is handed over twice, even between workers that
    disagree.
    """

    def __init__(
        self, worker: int, owners: Owners, *, receive: Receive, hand_over: HandOver, own: frozenset[Address],
    ) -> None:  # fmt: skip
        """Sort for one worker.

        Args:
            worker: our number.
            owners: who says whose a datagram is.
            receive: takes our own datagrams.
            hand_over: gets the owner's number, the datagram, its flow and the time.
            own: addresses that we send from, so that a request to ourselves is known as one.
        """
        self._worker = worker
        self._owners = owners
        self._workers = owners.workers
        self._registers = owners.registers
        self._receive = receive
        self._hand_over = hand_over
        self._own = own

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take a datagram; now in monotonic seconds."""
        from_us = flow.peer in self._own
        if self._registers and is_register(data):
            found = self._owners.of(data, from_us=from_us)
        else:
            found = owner(data, self._workers, from_us=from_us)
        if found == self._worker:
            self._receive(data, flow, now)
        else:
            self._hand_over(found, data, flow, now)


class StreamSorter:
    """Takes what connections bring, by the rules for datagrams, and tells others what becomes of connections.

    All that is of one call meets one worker, whichever connection it comes by: so a CANCEL after a reconnect finds its
    INVITE, a nonce is counted in one place, and one connection of a trunk keeps all workers busy.
    """

    def __init__(
        self, worker: int, owners: Owners, core: Core, ways: Ways, own_host: Callable[[str], bool]
    ) -> None:  # fmt: skip
        """Sort for one worker; own_host tells whether an address is one of ours."""
        self._worker = worker
        self._owner = owners.of
        self._core = core
        self._ways = ways
        self._own_host = own_host

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take a message: it is ours, or its owner's, or answered when that one takes nothing."""
        # What we sent to ourselves: of a connection the port says nothing, the branch does.
        from_us = self._own_host(flow.peer[0]) and looks_ours(top_branch(data))
        found = self._owner(data, from_us=from_us)
        if found == self._worker or not self._ways.takes(flow):
            self._core.receive(data, flow, now)
        elif not self._ways.hand_over(found, data, flow, now):
            self._core.unowned(data, flow, now)

    def undelivered(self, flow: Flow, data: bytes, now: float) -> None:
        """Take what never left: a response may go another way from here, a request is its owner's."""
        found = -1 if data[:4] == b"SIP/" else worker_of(top_branch(data))
        if found in (-1, self._worker) or not self._ways.has(found):
            self._core.undelivered(flow, data, now)
        else:
            self._ways.undelivered(found, data, flow, now)

    def closed(self, flow: Flow, now: float) -> None:
        """Learn that a connection has ended, and let everybody know."""
        self._core.closed(flow, now)
        self._ways.closed(flow, now)

    def unframed(self, data: bytes, flow: Flow, code: int, why: str) -> None:
        """Answer what no message can be cut from; nobody's transaction is needed for it."""
        self._core.unframed(data, flow, code, why)

    def silence(self, flow: Flow) -> float:
        """Return the seconds for which a connection may bring nothing: all workers know who is registered by it."""
        return self._core.silence(flow)
