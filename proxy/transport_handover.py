"""The way from worker to worker: each has an inbox, a Unix datagram socket that all others write to.

Frames (`proxy/handover.py`) are sent and read straight on the sockets, as datagrams are in `proxy/transport.py`. Both
ends are made before the workers are, and outlive them: frames for a worker that is being restarted wait for it.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from proxy.datagrams import DATAGRAMS_PER_WAKE_UP, MAX_DATAGRAM
from proxy.flow import Flow
from proxy.handover import LONGEST_HEADER, Framer, Matter
from proxy.overload import Overload
from proxy.places import worker_of_connection
from proxy.transport import Reactor
from proxy.transport_queue import is_empty

INBOX_BUFFER = 4 << 20
"""Bytes asked of the kernel for each inbox, as for a listener (proxy/transport.py)."""
LONGEST_FRAME = LONGEST_HEADER + MAX_DATAGRAM + 4096
"""Bytes; what leaves is larger by our own Via and Record-Route than the largest message that is taken (65,535)."""
MOST_UNTOLD = 65_536
"""Frames of some 60 bytes that wait for a worker that takes none: it hangs, or is being started again and again."""


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

    __slots__ = ("failures", "handed_over", "lost", "sent_by_others", "taken_over")

    def __init__(self) -> None:
        """Start at zero."""
        self.handed_over = 0
        self.taken_over = 0
        self.sent_by_others = 0
        self.lost = 0
        self.failures = 0


class Outboxes:
    """Hands messages over to other workers, and tells them what they have to know; never waits for one."""

    def __init__(self, writers: Sequence[socket.socket], worker: int, framer: Framer, stats: HandoverStats) -> None:
        """Write to the inbox of each worker, by number; `worker` is ours."""
        self._sends = [writer.send for writer in writers]
        self._others = [each for each in range(len(writers)) if each != worker]
        self._worker = worker
        self._framer = framer
        self._stats = stats
        self._untold: dict[int, deque[bytes]] = {each: deque() for each in self._others}
        """Worker → what it must still be told, of connections that are gone: nothing overtakes that."""

    def hand_over(self, worker: int, data: bytes, flow: Flow, now: float) -> bool:
        """Give a message to its owner; where the owner's inbox is full it is lost, as on any full router.

        Handling it here instead would be worse: the owner may have its transaction, and a request that is
        forwarded by two workers is two requests to the next hop. Who sent a datagram repeats it; of a connection
        the sender is told (`proxy/unowned.py`).
        """
        if not self._post(worker, self._framer.frame(data, flow, now)):
            return False
        self._stats.handed_over += 1
        return True

    def takes(self, flow: Flow) -> bool:
        """Tell whether a flow can be written into a frame; that of whom a certificate gives too many names cannot."""
        try:
            self._framer.frame(b"", flow, 0.0)
        except ValueError:
            return False
        return True

    def has(self, worker: int) -> bool:
        """Tell whether there is such a worker beside us."""
        return worker in self._untold

    def send(self, worker: int, data: bytes, flow: Flow, now: float) -> bool:
        """Have a message sent by the worker that has its connection; False where that takes nothing."""
        if not self.has(worker) or not self._post(worker, self._framer.frame(data, flow, now, Matter.SEND)):
            return False
        self._stats.sent_by_others += 1
        return True

    def undelivered(self, worker: int, data: bytes, flow: Flow, now: float) -> None:
        """Tell a transaction's worker that its request never left; where it takes nothing, a timer tells it later."""
        self._post(worker, self._framer.frame(data, flow, now, Matter.UNDELIVERED))

    def closed(self, flow: Flow, now: float) -> None:
        """Tell all others that a connection of ours has ended."""
        if self.takes(flow):
            self._tell_all(self._framer.frame(b"", flow, now, Matter.CLOSED))

    def began(self, local: Flow, now: float) -> None:
        """Tell all others that we have been started; local is any flow, for frames have one."""
        self._tell_all(self._framer.frame(bytes((self._worker,)), local, now, Matter.BEGAN))

    def offered(self, flow: Flow, port: int, now: float) -> None:
        """Tell all others of a connection that serves our requests."""
        if self.takes(flow):
            frame = self._framer.frame(b"%d" % port, flow, now, Matter.OFFERED)
            for worker in self._others:
                self._post(worker, frame)

    def registered(self, said: bytes, local: Flow, now: float, worker: int | None = None) -> None:
        """Tell all others, or one of them, what became of a registration at a trunk; local as of `began`."""
        self._tell_all(self._framer.frame(said, local, now, Matter.REGISTERED), worker)

    def timed(self, flow: Flow, now: float, *, timed: bool) -> None:
        """Tell the worker that has a connection whether it may be silent; where it takes nothing, as long as others."""
        if self.has(worker_of_connection(flow.connection)) and self.takes(flow):
            frame = self._framer.frame(b"timed" if timed else b"", flow, now, Matter.TIMED)
            self._post(worker_of_connection(flow.connection), frame)

    def flush(self) -> None:
        """Tell what could not be told before, in order; to be called a few times a second."""
        for worker, untold in self._untold.items():
            while untold and self._write(worker, untold[0]):
                untold.popleft()

    def _tell_all(self, frame: bytes, only: int | None = None) -> None:
        """Write a frame that must arrive, now or later, as long as the memory for it is bounded."""
        for worker, untold in self._untold.items():
            if only not in (None, worker):
                continue
            if untold or not self._write(worker, frame):
                if len(untold) >= MOST_UNTOLD:
                    self._stats.lost += 1
                else:
                    untold.append(frame)

    def _post(self, worker: int, frame: bytes) -> bool:
        if len(frame) > LONGEST_FRAME or self._untold.get(worker) or not self._write(worker, frame):
            self._stats.lost += 1
            return False
        return True

    def _write(self, worker: int, frame: bytes) -> bool:
        try:
            self._sends[worker](frame)
        except OSError:  # no room
            return False
        return True


Take = Callable[[bytes, Flow, float], object]


@implementer(IReadDescriptor)
class InboxReader:
    """A worker's own inbox on the reactor: what others read for it goes to the core as if it had read it itself."""

    def __init__(
        self, reactor: Reactor, sock: socket.socket, framer: Framer, stats: HandoverStats, *,
        takes: Sequence[Take], clock: Callable[[], float], failed: Callable[[Exception], None], overload: Overload,
    ) -> None:  # fmt: skip
        """Read from sock once `start` is called.

        Args:
            reactor: where to be called from.
            sock: the reading end of our inbox.
            framer: takes frames apart.
            stats: what is counted.
            takes: by Matter: each gets message, flow and monotonic seconds.
            clock: monotonic seconds.
            failed: told of what these raised; must not raise and must not write out its text.
            overload: told how long frames wait, as listeners tell it of datagrams.
        """
        self._overload = overload
        self._behind = False
        self._reactor = reactor
        self._socket = sock
        self._framer = framer
        self._stats = stats
        self._takes = takes
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
        takes, clock, read, recv = self._takes, self._clock, self._framer.read, self._socket.recv
        measure = self._behind
        for _ in range(DATAGRAMS_PER_WAKE_UP):
            try:
                frame = recv(LONGEST_FRAME)
            except OSError:  # nothing left
                self._caught_up()
                return
            try:
                matter, data, flow, read_at = read(frame)
                self._stats.taken_over += matter == Matter.ARRIVED
                now = clock()
                if measure:
                    self._overload.measured(self, now - read_at, 0.0, now)
                    measure = False
                takes[matter](data, flow, now)
            except Exception as error:  # the boundary: whatever a datagram raised ends here
                self._stats.failures += 1
                self._failed(error)
            if not self._open:
                return
        self._behind = True
        if is_empty(self._socket):  # nobody would wake us up to find that out
            self._caught_up()

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
