"""UDP over IPv4 and IPv6: a reader of our own on the reactor, straight on the socket (design.md §6).

Twisted's `udp.Port` cuts datagrams at 8 KiB by default and checks the destination three times a write. What is done
with each datagram is in `proxy/datagrams.py`.
"""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IReadDescriptor, IWriteDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from proxy.datagrams import Datagrams, TransportStats
from proxy.flow import Flow
from proxy.outbox import Outbox
from proxy.transport_queue import QueueWatch
from proxy.transport_sockets import bound_socket

RECEIVE_BUFFER = 4 << 20
"""Bytes asked of the kernel to queue (Kamailio's maxbuffer grows in such steps): two seconds at 1,000 calls/s."""
RETRY_NO_BUFFERS = 0.01
"""Seconds until a send that met ENOBUFS is tried again: epoll calls such a socket writable, so waiting for it spins."""


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
    """A bound UDP socket on the reactor: datagrams in through `receive`, out through `send`."""

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
        self.stats = TransportStats((lambda: watch.queue.memory().drops) if watch else None)
        self._reactor = reactor
        self._socket = sock
        readable = select.poll()
        readable.register(sock, select.POLLIN)
        self.datagrams = Datagrams(
            sock, waiting=readable.poll, receive=receive, clock=clock, failed=failed, wait_for_room=self._wait_for_room,
            stats=self.stats, watch=watch, outbox=outbox,
        )  # fmt: skip
        """What is read and sent, for whoever has no need of the reactor."""
        self.address = self.datagrams.address

    @property
    def is_open(self) -> bool:
        """Whether the socket takes and sends datagrams."""
        return self.datagrams.is_open

    def start(self) -> None:
        """Begin to read."""
        self._reactor.addReader(self)

    def close(self) -> None:
        """Send what still can be sent at once, and close; safe to call twice."""
        if not self.datagrams.is_open:
            return
        self.datagrams.close()
        self._reactor.removeReader(self)
        self._reactor.removeWriter(self)
        self._socket.close()

    def send(self, flow: Flow, data: bytes) -> bool:
        """Send data to flow's peer; False where it can never leave (`Datagrams.send`)."""
        return self.datagrams.send(flow, data)

    def _wait_for_room(self, error: int) -> None:
        """Have the queue tried again: when the socket is writable, or soon where it only claims to be."""
        if error == errno.ENOBUFS:
            self._reactor.removeWriter(self)
            self._reactor.callLater(RETRY_NO_BUFFERS, self._retry)
        else:
            self._reactor.addWriter(self)

    def _retry(self) -> None:
        """Go on after ENOBUFS, unless closed meanwhile."""
        if self.datagrams.is_open and self.datagrams.waits_for_room:
            self._reactor.addWriter(self)

    # IReadDescriptor and IWriteDescriptor

    def fileno(self) -> int:
        """Return the socket's number, -1 once closed."""
        return self._socket.fileno()

    def doRead(self) -> None:  # noqa: N802 - IReadDescriptor
        """Take what has arrived, and send what that has produced."""
        self.datagrams.read()

    def doWrite(self) -> None:  # noqa: N802 - IWriteDescriptor
        """Send what waits for room."""
        error = self.datagrams.flush()
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
