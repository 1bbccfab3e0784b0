"""Datagrams that leave when what has come is worked through, not one by one in between.

Each datagram that leaves wakes up whoever waits for it, and that one then runs beside us, on what may be the other
half of our core, goes to sleep, and is woken up again. What a wake-up has produced leaves at its end, or some at a
time: that costs a message a millisecond or two, and takes a quarter of a call's CPU away where there is much to do
(docs/performance.md). So what the system refuses is known a moment later, and the core is told of it as of
connections (`proxy/undelivered.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from proxy.flow import Flow

if TYPE_CHECKING:
    from proxy.datagrams import Datagrams

AT_ONCE = 16
"""So many datagrams are kept at most, and what one message more brings: none waits for more than some milliseconds."""


class Outbox:
    """Keeps datagrams of all sockets of a process in order while one of them is read."""

    __slots__ = ("_kept", "_undelivered", "is_open")

    def __init__(self, undelivered: Callable[[Flow, bytes], None]) -> None:
        """Begin closed.

        Args:
            undelivered: told of what was kept and then refused; must not raise. What it sends may be kept, too.
        """
        self.is_open = False
        """Whether datagrams are to be kept."""
        self._kept: list[tuple[Datagrams, Flow, bytes]] = []
        self._undelivered = undelivered

    def open(self) -> None:
        """Keep what is sent from now on."""
        self.is_open = True

    def keep(self, sender: Datagrams, flow: Flow, data: bytes) -> None:
        """Take a datagram while open; `sender` gets it back when it is to leave.

        It never leaves from within this: the core would be told of a failure in the midst of what it is at.
        """
        self._kept.append((sender, flow, data))

    def relieve(self) -> None:
        """Let everything leave if it is much; between two messages."""
        if len(self._kept) >= AT_ONCE:
            self.empty()

    def empty(self) -> None:
        """Let everything leave."""
        kept, self._kept = self._kept, []
        for sender, flow, data in kept:
            if not sender.leave(flow, data):
                self._undelivered(flow, data)

    def close(self) -> None:
        """Let everything leave, and keep nothing any more."""
        self.is_open = False
        self.empty()
