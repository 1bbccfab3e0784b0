"""The way from worker to worker: each has an inbox, a Unix datagram socket that all others write to.

Frames (`proxy/handover.py`) are sent and read straight on the sockets, as datagrams are in `proxy/transport.py`. Both
ends are made before the workers are, and outlive them: frames for a worker that is being restarted wait for it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from proxy.flow import Flow
from proxy.handover import LONGEST_HEADER, Framer, Receive
from proxy.overload import Overload
from proxy.transport import DATAGRAMS_PER_WAKE_UP, MAX_DATAGRAM, Reactor

INBOX_BUFFER = 4 << 20
"""Bytes asked of the kernel for each inbox, as for a listener (proxy/transport.py)."""


class Inbox:
    """Both ends of the way to one worker."""

    def __init__(self) -> None:
        """Make a pair: each end is the other's only peer, so net.unix.max_dgram_qlen (10 frames) does not count."""
        self.reader, self.writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for end in (self.reader, self.writer):
            end.setblocking(False)
        _enlarge_send_buffer(self.writer)  # what waits in a Unix socket is charged to who sent it

    def close(self) -> None:
        """Close both ends; safe to call twice."""
        self.reader.close()
        self.writer.close()


def _enlarge_send_buffer(sock: socket.socket) -> None:
    """Ask for INBOX_BUFFER past net.core.wmem_max where we may (CAP_NET_ADMIN), else up to it."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_SNDBUFFORCE", 32), INBOX_BUFFER)
    except OSError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, INBOX_BUFFER)


class HandoverStats:
    """What one worker counts; plain integers."""

    __slots__ = ("failures", "handed_over", "lost", "taken_over")

    def __init__(self) -> None:
        """Start at zero."""
        self.handed_over = 0
        self.taken_over = 0
        self.lost = 0
        self.failures = 0


class Outboxes:
    """Hands datagrams over to other workers."""

    def __init__(self, writers: Sequence[socket.socket], framer: Framer, stats: HandoverStats) -> None:
        """Write to the inbox of each worker, by number."""
        self._sends = [writer.send for writer in writers]
        self._framer = framer
        self._stats = stats

    def hand_over(self, worker: int, data: bytes, flow: Flow, now: float) -> None:
        """Give a datagram to its owner; where the owner's inbox is full it is lost, as on any full router.

        Handling it here instead would be worse: the owner may have its transaction, and a request that is
        forwarded by two workers is two requests to the next hop. Who sent it repeats it.
        """
        try:
            self._sends[worker](self._framer.frame(data, flow, now))
        except OSError:  # no room
            self._stats.lost += 1
        else:
            self._stats.handed_over += 1


@implementer(IReadDescriptor)
class InboxReader:
    """A worker's own inbox on the reactor: what others read for it goes to the core as if it had read it itself."""

    def __init__(
        self, reactor: Reactor, sock: socket.socket, framer: Framer, stats: HandoverStats, *, receive: Receive,
        clock: Callable[[], float], failed: Callable[[Exception], None], overload: Overload,
    ) -> None:  # fmt: skip
        """Read from sock once `start` is called.

        Args:
            reactor: where to be called from.
            sock: the reading end of our inbox.
            framer: takes frames apart.
            stats: what is counted.
            receive: gets datagram, flow and monotonic seconds.
            clock: monotonic seconds.
            failed: told of what `receive` raised; must not raise and must not write out its text.
            overload: told how long frames wait, as listeners tell it of datagrams.
        """
        self._overload = overload
        self._behind = False
        self._reactor = reactor
        self._socket = sock
        self._framer = framer
        self._stats = stats
        self._receive = receive
        self._clock = clock
        self._failed = failed
        self._open = True

    def start(self) -> None:
        """Begin to read."""
        self._reactor.addReader(self)

    def close(self) -> None:
        """Stop reading, and close this process's end; safe to call twice."""
        if self._open:
            self._open = False
            self._reactor.removeReader(self)
            self._socket.close()

    def fileno(self) -> int:
        """Return the socket's number, -1 once closed."""
        return self._socket.fileno()

    def doRead(self) -> None:  # noqa: N802 - IReadDescriptor
        """Take what was handed over, at most DATAGRAMS_PER_WAKE_UP."""
        receive, clock, read, recv = self._receive, self._clock, self._framer.read, self._socket.recv
        measure = self._behind
        for _ in range(DATAGRAMS_PER_WAKE_UP):
            try:
                frame = recv(LONGEST_HEADER + MAX_DATAGRAM)
            except OSError:  # nothing left
                self._caught_up()
                return
            self._stats.taken_over += 1
            try:
                data, flow, read_at = read(frame)
                now = clock()
                if measure:
                    self._overload.measured(self, now - read_at, 0.0, now)
                    measure = False
                receive(data, flow, now)
            except Exception as error:  # the boundary: whatever a datagram raised ends here
                self._stats.failures += 1
                self._failed(error)
            if not self._open:
                return
        self._behind = True

    def _caught_up(self) -> None:
        """Report an inbox that was behind and is empty now."""
        if self._behind:
            self._behind = False
            self._overload.measured(self, 0.0, 0.0, self._clock())

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802 - IReadDescriptor
        """Close: the reactor stops, or cannot watch the socket any longer."""
        self.close()

    def logPrefix(self) -> str:  # noqa: N802 - ILoggingContext
        """Return the name for the reactor's own log."""
        return "inbox"
