"""What a UDP socket brings and takes, compiled with the core: who says when is in `proxy/transport.py`.

A datagram is one `recvfrom` and one call of the core; what leaves is one `sendto`, at the end of the wake-up
(`proxy/outbox.py`).
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from proxy.flow import Flow
from proxy.outbox import Outbox

MAX_DATAGRAM = 65_535
"""Bytes asked of one recvfrom: the largest UDP datagram (RFC 3261 §18.1.1), so that none is cut."""
DATAGRAMS_PER_WAKE_UP = 64
"""Most datagrams taken at a time: timers and other sockets wait no longer than some 10 ms for one busy trunk."""
OUTGOING_QUEUE = 1024
"""Most datagrams kept while the kernel's buffer is full; what is above it is lost, as on any full router."""
KNOWN_PEERS = 16_384
"""Most peers whose Flow is kept ready; a flood from forged addresses empties the store and begins anew."""

_WAIT = frozenset({errno.EAGAIN, errno.EWOULDBLOCK})


class Watch(Protocol):
    """Told how long datagrams wait in a socket."""

    def measure(self, now: float) -> None:
        """Take note of the datagram that was read just now, and of what stands behind it."""

    def emptied(self, now: float) -> None:
        """Take note that nothing is left to read."""


class TransportStats:
    """What one listener counts; plain integers, read by the metrics page at scrape."""

    __slots__ = (
        "_drops", "datagrams_received", "datagrams_sent", "failures", "queue_full", "receive_errors", "send_refused",
    )  # fmt: skip

    def __init__(self, drops: Callable[[], int] | None = None) -> None:
        """Start at zero; the kernel's own count is asked of drops."""
        self._drops = drops
        self.datagrams_received = 0
        self.datagrams_sent = 0
        self.receive_errors = 0
        self.send_refused = 0
        self.queue_full = 0
        self.failures = 0

    @property
    def kernel_drops(self) -> int:
        """Return how many datagrams the kernel had no room for."""
        return self._drops() if self._drops is not None else 0


class Datagrams:
    """Reads and writes a UDP socket, without waiting for it.

    Nothing that the network sends ends in a traceback: an exception out of `receive` is handed to
    `failed` and counted, and the next datagram is read.
    """

    __slots__ = (
        "_behind", "_clock", "_failed", "_flows", "_outbox", "_outgoing", "_receive", "_recvfrom", "_sendto",
        "_version", "_wait_for_room", "_waiting", "address", "is_open", "stats", "watch",
    )  # fmt: skip

    def __init__(
        self,
        sock: socket.socket,
        *,
        waiting: Callable[[int], list[tuple[int, int]]],
        receive: Callable[[bytes, Flow, float], None],
        clock: Callable[[], float],
        failed: Callable[[Exception], None],
        wait_for_room: Callable[[int], None],
        stats: TransportStats,
        watch: Watch | None,
        outbox: Outbox | None,
    ) -> None:
        """Begin open; sock stays its owner's to close.

        Args:
            sock: bound, non-blocking.
            waiting: `poll` of a `select.poll` that looks whether sock can be read.
            receive: gets datagram, flow, and monotonic seconds.
            clock: monotonic seconds.
            failed: told of what `receive` raised; must not raise and must not write out its text.
            wait_for_room: told the errno when the kernel's buffer is full; to call `flush` later.
            stats: counts.
            watch: told how long datagrams wait; None for a socket that is not measured.
            outbox: keeps what is sent while any socket of the process is read; None: all is sent at once.
        """
        host, port = sock.getsockname()[:2]
        self.address: tuple[str, int] = (host, port)
        self.stats = stats
        self.watch = watch
        self.is_open = True
        self._version = 6 if sock.family == socket.AF_INET6 else 4
        self._recvfrom: Callable[[int], tuple[bytes, Any]] = sock.recvfrom
        self._sendto: Callable[[bytes, tuple[str, int]], int] = sock.sendto
        self._waiting = waiting
        self._receive = receive
        self._clock = clock
        self._failed = failed
        self._wait_for_room = wait_for_room
        self._flows: dict[tuple[str, int], Flow] = {}
        self._outgoing: deque[tuple[bytes, tuple[str, int]]] = deque()
        self._outbox = outbox
        self._behind = False

    def read(self) -> None:
        """Take what has arrived, at most DATAGRAMS_PER_WAKE_UP, and then send what that has produced."""
        outbox = self._outbox
        if outbox is None:
            self._read()
            return
        outbox.open()
        try:
            self._read()
        finally:
            outbox.close()

    def _read(self) -> None:
        recvfrom, outbox = self._recvfrom, self._outbox
        # A queue that the last wake-up emptied needs no measuring: so an idle proxy pays nothing for it.
        watch = self.watch if self._behind else None
        for _ in range(DATAGRAMS_PER_WAKE_UP):
            try:
                data, peer = recvfrom(MAX_DATAGRAM)
            except BlockingIOError:
                self._caught_up()
                return
            except OSError:  # an ICMP error of an earlier datagram; the next read goes on
                self.stats.receive_errors += 1
                break
            self._take(data, peer, watch)
            watch = None
            if not self.is_open:
                return
            if outbox is not None:
                outbox.relieve()
            if not self._waiting(0):  # `recvfrom` would say so by an exception, which costs more than it does
                self._caught_up()
                return
        self._behind = True
        if not self._waiting(0):
            # Nobody would wake us up to find that out, and what was measured last would hold until the next datagram.
            self._caught_up()

    def _take(self, data: bytes, peer: Any, watch: Watch | None) -> None:  # noqa: ANN401 - as the system writes it
        """Hand a datagram over, with its flow and the time."""
        if self._version == 6:
            peer = peer[:2]  # without flow label and scope; a scope stands in the address too
        flow = self._flows.get(peer)
        if flow is None:
            flow = self.remember(peer)
        self.stats.datagrams_received += 1
        now = self._clock()
        if watch is not None:
            watch.measure(now)
        try:
            self._receive(data, flow, now)
        except Exception as error:  # the boundary: whatever a datagram raised ends here
            self.stats.failures += 1
            self._failed(error)

    def _caught_up(self) -> None:
        """Report a queue that was behind and is empty now."""
        if self._behind:
            self._behind = False
            if self.watch is not None:
                self.watch.emptied(self._clock())

    def send(self, flow: Flow, data: bytes) -> bool:
        """Send data to flow's peer, or keep it until what has come is worked through.

        Returns False where it can never leave; what the system refuses later the outbox tells.
        """
        peer = flow.peer
        if not self.is_open or (peer not in self._flows and not self._reachable(peer)):
            self.stats.send_refused += 1
            return False
        outbox = self._outbox
        if outbox is None or not outbox.is_open:
            return self.leave(flow, data)
        outbox.keep(self, flow, data)
        return True

    def leave(self, flow: Flow, data: bytes) -> bool:
        """Send data to flow's peer at once, to where `send` has found that it can be sent.

        Returns False where the system refuses it for good (RFC 3261 §16.9: no route, too large, no
        address); True where it left, waits for room, or was lost to a full queue, which a
        retransmission mends as any loss on the way.
        """
        peer, stats = flow.peer, self.stats
        if not self.is_open:
            stats.send_refused += 1
            return False
        if self._outgoing:  # never overtake what waits
            self._enqueue(data, peer)
            return True
        try:
            self._sendto(data, peer)
        except OSError as error:
            if error.errno in _WAIT or error.errno == errno.ENOBUFS:
                self._enqueue(data, peer)
                self._wait_for_room(error.errno or errno.EAGAIN)
                return True
            stats.send_refused += 1
            return False
        stats.datagrams_sent += 1
        return True

    def flush(self) -> int:
        """Send what waits, in order; return 0, or the errno that stopped it."""
        while self._outgoing:
            data, peer = self._outgoing[0]
            try:
                self._sendto(data, peer)
            except OSError as error:
                if error.errno in _WAIT or error.errno == errno.ENOBUFS:
                    return error.errno or errno.EAGAIN
                self.stats.send_refused += 1
            else:
                self.stats.datagrams_sent += 1
            self._outgoing.popleft()
        return 0

    @property
    def waits_for_room(self) -> bool:
        """Whether datagrams wait to leave."""
        return bool(self._outgoing)

    def close(self) -> None:
        """Send what still can be sent at once, and nothing any more."""
        if self._outbox is not None:
            self._outbox.empty()
        self.flush()
        self.is_open = False
        self._outgoing.clear()

    def remember(self, peer: tuple[str, int]) -> Flow:
        """Return the flow with peer, and keep it ready."""
        if len(self._flows) >= KNOWN_PEERS:
            self._flows.clear()
        flow = self._flows[peer] = Flow("UDP", self.address, peer)
        return flow

    def _reachable(self, peer: tuple[str, int]) -> bool:
        """Tell whether peer is an address of our family; a name would be looked up by `sendto`, which blocks."""
        try:
            version = ipaddress.ip_address(peer[0]).version
        except ValueError:
            return False
        if version != self._version or not 0 < peer[1] < 65536:
            return False
        self.remember(peer)
        return True

    def _enqueue(self, data: bytes, peer: tuple[str, int]) -> None:
        """Keep a datagram until there is room; a full queue loses it."""
        if len(self._outgoing) >= OUTGOING_QUEUE:
            self.stats.queue_full += 1
        else:
            self._outgoing.append((data, peer))


class Exits:
    """Sends to where a flow says: through one of our UDP sockets, or over a connection."""

    __slots__ = ("_sockets", "by_connection")

    def __init__(self, by_connection: Callable[[Flow, bytes], bool]) -> None:
        """Begin without sockets; by_connection takes what no datagram is."""
        self._sockets: dict[tuple[str, int], Datagrams] = {}
        self.by_connection = by_connection

    def add(self, datagrams: Datagrams) -> None:
        """Send from the address of this one, too."""
        self._sockets[datagrams.address] = datagrams

    def send(self, flow: Flow, data: bytes) -> bool:
        """Send; False where there is no such way or the system refuses."""
        if flow.transport != "UDP":
            return self.by_connection(flow, data)
        datagrams = self._sockets.get(flow.local)
        return datagrams is not None and datagrams.send(flow, data)
