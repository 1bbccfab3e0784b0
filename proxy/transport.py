"""UDP over IPv4 and IPv6: a reader of our own on the reactor, straight on the socket (design.md §6).

Twisted's `udp.Port` cuts datagrams at 8 KiB by default and checks the destination three times a
write. Here a datagram is one `recvfrom` and one call of the core; what leaves is one `sendto`, at the end
of the wake-up (`proxy/transport_outbox.py`).
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections import deque
from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IReadDescriptor, IWriteDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from proxy.flow import Flow
from proxy.transport_outbox import Outbox
from proxy.transport_queue import QueueWatch, ReceiveQueue, is_empty
from proxy.transport_sockets import bound_socket

MAX_DATAGRAM = 65_535
"""Bytes asked of one recvfrom: the largest UDP datagram (RFC 3261 §18.1.1), so that none is cut."""
DATAGRAMS_PER_WAKE_UP = 64
"""Most datagrams taken at a time: timers and other sockets wait no longer than some 10 ms for one busy trunk."""
RECEIVE_BUFFER = 4 << 20
"""Bytes asked of the kernel to queue (Kamailio's maxbuffer grows in such steps): two seconds at 1,000 calls/s."""
OUTGOING_QUEUE = 1024
"""Most datagrams kept while the kernel's buffer is full; what is above it is lost, as on any full router."""
KNOWN_PEERS = 16_384
"""Most peers whose Flow is kept ready; a flood from forged addresses empties the store and begins anew."""
RETRY_NO_BUFFERS = 0.01
"""Seconds until a send that met ENOBUFS is tried again: epoll calls such a socket writable, so waiting for it spins."""

_WAIT = frozenset({errno.EAGAIN, errno.EWOULDBLOCK})


class Reactor(Protocol):
    """The part of the reactor that a listener uses (IReactorFDSet, IReactorTime)."""

    def addReader(self, reader: IReadDescriptor) -> None:  # noqa: N802 - Twisted's name
        """Watch for readability."""

    def removeReader(self, reader: IReadDescriptor) -> None:  # noqa: N802 - Twisted's name
        """Stop watching for readability."""

    def addWriter(self, writer: IWriteDescriptor) -> None:  # noqa: N802 - Twisted's name
        """Watch for room to write."""

    def removeWriter(self, writer: IWriteDescriptor) -> None:  # noqa: N802 - Twisted's name
        """Stop watching for room to write."""

    def callLater(self, delay: float, callable: Callable[[], None]) -> object:  # noqa: A002, N802 - Twisted's names
        """Call after delay seconds."""


class TransportStats:
    """What one listener counts; plain integers, read by the metrics page at scrape."""

    __slots__ = (
        "_queue", "datagrams_received", "datagrams_sent", "failures", "queue_full", "receive_errors", "send_refused",
    )  # fmt: skip

    def __init__(self, queue: ReceiveQueue | None = None) -> None:
        """Start at zero; the kernel's own count is asked of queue."""
        self._queue = queue
        self.datagrams_received = 0
        self.datagrams_sent = 0
        self.receive_errors = 0
        self.send_refused = 0
        self.queue_full = 0
        self.failures = 0

    @property
    def kernel_drops(self) -> int:
        """Return how many datagrams the kernel had no room for."""
        return self._queue.memory().drops if self._queue else 0


def open_udp_socket(address: str, port: int, *, shared: bool = False) -> socket.socket:
    """Return a bound, non-blocking UDP socket; port 0 lets the system choose.

    No SO_REUSEADDR: on UDP it would let another process take our datagrams. SO_REUSEPORT (`shared`) does so too,
    and is only for workers (proxy/transport_shared.py).

    Raises:
        OSError: the address cannot be bound.
        ValueError: the address is no IP address.
    """
    return bound_socket(socket.SOCK_DGRAM, address, port, prepare=_enlarge_receive_buffer, shared=shared)


def _enlarge_receive_buffer(sock: socket.socket) -> None:
    """Ask for RECEIVE_BUFFER past net.core.rmem_max where we may (CAP_NET_ADMIN), else up to it."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_RCVBUFFORCE", 33), RECEIVE_BUFFER)
    except OSError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


@implementer(IReadDescriptor, IWriteDescriptor)
class UdpListener:
    """A bound UDP socket on the reactor: datagrams in through `receive`, out through `send`.

    Nothing that the network sends ends in a traceback: an exception out of `receive` is handed to
    `failed` and counted, and the next datagram is read.
    """

    def __init__(
        self,
        reactor: Reactor,
        sock: socket.socket,
        *,
        receive: Callable[[bytes, Flow, float], None],
        clock: Callable[[], float],
        failed: Callable[[Exception], None],
        watch: QueueWatch | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        """Take over sock; reading begins with `start`.

        Args:
            reactor: where to be called from.
            sock: from `open_udp_socket`.
            receive: gets datagram, flow, and monotonic seconds.
            clock: monotonic seconds.
            failed: told of what `receive` raised; must not raise and must not write out its text.
            watch: told how long datagrams wait; None for a socket that is not measured.
            outbox: keeps what is sent while any listener of the process reads; None: all is sent at once.
        """
        host, port = sock.getsockname()[:2]
        self.address: tuple[str, int] = (host, port)
        self.stats = TransportStats(watch.queue if watch else None)
        self._version = 6 if sock.family == socket.AF_INET6 else 4
        self._reactor = reactor
        self._socket = sock
        self._receive = receive
        self._clock = clock
        self._failed = failed
        self._flows: dict[tuple[str, int], Flow] = {}
        self._outgoing: deque[tuple[bytes, tuple[str, int]]] = deque()
        self._open = True
        self._watch = watch
        self._outbox = outbox
        self._behind = False

    @property
    def is_open(self) -> bool:
        """Whether the socket takes and sends datagrams."""
        return self._open

    def start(self) -> None:
        """Begin to read."""
        self._reactor.addReader(self)

    def close(self) -> None:
        """Send what still can be sent at once, and close; safe to call twice."""
        if not self._open:
            return
        if self._outbox is not None:
            self._outbox.empty()
        self._flush()
        self._open = False
        self._outgoing.clear()
        self._reactor.removeReader(self)
        self._reactor.removeWriter(self)
        self._socket.close()

    def send(self, flow: Flow, data: bytes) -> bool:
        """Send data to flow's peer, or keep it until what has come is worked through.

        Returns False where it can never leave; what the system refuses later the outbox tells.
        """
        outbox = self._outbox
        if outbox is None or not outbox.is_open:
            return self.leave(flow, data)
        if not self._open or (flow.peer not in self._flows and not self._reachable(flow.peer)):
            self.stats.send_refused += 1
            return False
        outbox.keep(self, flow, data)
        return True

    def leave(self, flow: Flow, data: bytes) -> bool:
        """Send data to flow's peer at once.

        Returns False where the system refuses it for good (RFC 3261 §16.9: no route, too large, no
        address); True where it left, waits for room, or was lost to a full queue, which a
        retransmission mends as any loss on the way.
        """
        if not self._open or (flow.peer not in self._flows and not self._reachable(flow.peer)):
            self.stats.send_refused += 1
            return False
        if self._outgoing:  # never overtake what waits
            return self._enqueue(data, flow.peer)
        try:
            self._socket.sendto(data, flow.peer)
        except OSError as error:
            if error.errno in _WAIT or error.errno == errno.ENOBUFS:
                self._enqueue(data, flow.peer)
                self._wait_for_room(error.errno)
                return True
            self.stats.send_refused += 1
            return False
        self.stats.datagrams_sent += 1
        return True

    def _remember(self, peer: tuple[str, int]) -> Flow:
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
        self._remember(peer)
        return True

    def _enqueue(self, data: bytes, peer: tuple[str, int]) -> bool:
        """Keep a datagram until there is room; a full queue loses it."""
        if len(self._outgoing) >= OUTGOING_QUEUE:
            self.stats.queue_full += 1
        else:
            self._outgoing.append((data, peer))
        return True

    def _wait_for_room(self, error: int) -> None:
        """Have the queue tried again: when the socket is writable, or soon where it only claims to be."""
        if error == errno.ENOBUFS:
            self._reactor.removeWriter(self)
            self._reactor.callLater(RETRY_NO_BUFFERS, self._retry)
        else:
            self._reactor.addWriter(self)

    def _retry(self) -> None:
        """Go on after ENOBUFS, unless closed meanwhile."""
        if self._open and self._outgoing:
            self._reactor.addWriter(self)

    def _flush(self) -> int:
        """Send what waits, in order; return 0, or the errno that stopped it."""
        while self._outgoing:
            data, peer = self._outgoing[0]
            try:
                self._socket.sendto(data, peer)
            except OSError as error:
                if error.errno in _WAIT or error.errno == errno.ENOBUFS:
                    return error.errno or errno.EAGAIN
                self.stats.send_refused += 1
            else:
                self.stats.datagrams_sent += 1
            self._outgoing.popleft()
        return 0

    # IReadDescriptor and IWriteDescriptor

    def fileno(self) -> int:
        """Return the socket's number, -1 once closed."""
        return self._socket.fileno()

    def doRead(self) -> None:  # noqa: N802 - IReadDescriptor
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
        receive, clock, flows, recvfrom = self._receive, self._clock, self._flows, self._socket.recvfrom
        outbox = self._outbox
        # A queue that the last wake-up emptied needs no measuring: so an idle proxy pays nothing for it.
        watch = self._watch if self._behind else None
        for _ in range(DATAGRAMS_PER_WAKE_UP):
            try:
                data, peer = recvfrom(MAX_DATAGRAM)
            except BlockingIOError:
                self._caught_up()
                return
            except OSError:  # an ICMP error of an earlier datagram; the next read goes on
                self.stats.receive_errors += 1
                break
            peer = peer[:2]  # IPv6 adds flow label and scope; a scope stands in the address too
            flow = flows.get(peer) or self._remember(peer)
            self.stats.datagrams_received += 1
            now = clock()
            if watch is not None:
                watch.measure(now)
                watch = None
            try:
                receive(data, flow, now)
            except Exception as error:  # the boundary: whatever a datagram raised ends here
                self.stats.failures += 1
                self._failed(error)
            if not self._open:
                return
            if outbox is not None:
                outbox.relieve()
        self._behind = True
        if is_empty(self._socket):
            # Nobody would wake us up to find that out, and what was measured last would hold until the next datagram.
            self._caught_up()

    def _caught_up(self) -> None:
        """Report a queue that was behind and is empty now."""
        if self._behind:
            self._behind = False
            if self._watch is not None:
                self._watch.emptied(self._clock())

    def doWrite(self) -> None:  # noqa: N802 - IWriteDescriptor
        """Send what waits for room."""
        error = self._flush()
        if error == errno.ENOBUFS:
            self._wait_for_room(error)
        elif not error:
            self._reactor.removeWriter(self)

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802 - IReadDescriptor
        """Close: the reactor stops, or cannot watch the socket any longer."""
        self.close()

    def logPrefix(self) -> str:  # noqa: N802 - ILoggingContext
        """Return the name for the reactor's own log."""
        return "udp"
