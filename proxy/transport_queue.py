"""The kernel's queue in front of a UDP socket: how long a datagram waited there, how full it is, what it dropped.

Linux only, as is the epoll reactor; where the system does not tell, nothing is measured and nothing refused.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
from collections.abc import Callable
from typing import NamedTuple

from proxy.overload import Overload

_SIOCGSTAMPNS = 0x8907
"""socket(7): the receive time stamp of the last datagram read, CLOCK_REALTIME; the first call switches stamping on.

Unlike SO_TIMESTAMPNS it costs nothing but for the datagrams that we ask about, and `recvfrom` stays what it is.
"""
_TIMESPEC = struct.Struct("ll")
_INT = struct.Struct("i")
_SO_MEMINFO = 55
_MEMINFO = struct.Struct("=9I")
"""sock_diag(7), SK_MEMINFO_*: bytes allocated for receiving, their limit, …, datagrams dropped."""


def is_empty(sock: socket.socket) -> bool:
    """Tell whether nothing waits to be read (FIONREAD, udp(7)); False where that is not known.

    An empty datagram counts as nothing.
    """
    try:
        return fcntl.ioctl(sock, termios.FIONREAD, bytes(_INT.size)) == bytes(_INT.size)
    except (OSError, ValueError):
        return False


class Memory(NamedTuple):
    """What SO_MEMINFO tells."""

    fill: float
    """Part of the receive buffer that is taken, 0 to 1."""
    drops: int
    """Datagrams that the kernel dropped since the socket was opened."""


class ReceiveQueue:
    """Measures one socket; each method is one system call of about a microsecond."""

    __slots__ = ("_socket", "_wall")

    def __init__(self, sock: socket.socket, wall: Callable[[], float]) -> None:
        """Switch time stamps on; `wall` gives seconds since the epoch."""
        self._socket = sock
        self._wall = wall
        self.wait()

    def wait(self) -> float:
        """Return how many seconds the datagram read last had waited; 0 where that is not known."""
        try:
            seconds, nanoseconds = _TIMESPEC.unpack(fcntl.ioctl(self._socket, _SIOCGSTAMPNS, bytes(_TIMESPEC.size)))
        except (OSError, ValueError):  # nothing read yet, no time stamps here, or closed
            return 0.0
        # Somebody may have set the clock back meanwhile.
        return max(0.0, self._wall() - seconds - nanoseconds * 1e-9) if seconds else 0.0

    def memory(self) -> Memory:
        """Return how full the queue is and what it has dropped; zeros where that is not known."""
        try:
            fields = _MEMINFO.unpack(self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))
        except (OSError, struct.error):
            return Memory(0.0, 0)
        return Memory(min(1.0, fields[0] / max(fields[1], 1)), fields[8])


class QueueWatch:
    """Tells overload control about one queue."""

    __slots__ = ("_overload", "queue")

    def __init__(self, queue: ReceiveQueue, overload: Overload) -> None:
        """Measure queue for overload."""
        self.queue = queue
        self._overload = overload

    def measure(self, now: float) -> None:
        """Report the datagram that was read just now, and what stands behind it."""
        self._overload.measured(self, self.queue.wait(), self.queue.memory().fill, now)

    def emptied(self, now: float) -> None:
        """Report that nothing is left to read."""
        self._overload.measured(self, 0.0, 0.0, now)
