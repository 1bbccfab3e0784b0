"""The reactor of a proxy: Twisted's for epoll, which goes straight to UDP sockets.

Twisted calls each descriptor through its log, so that a line that is written meanwhile can name it: ten functions of
Python an event, which take as long as half of what else a datagram's wake-up costs (docs/performance.md). Our log names
no descriptor, and a UDP listener lets no exception out.
"""

from __future__ import annotations

from select import EPOLLIN

from twisted.internet.epollreactor import EPollReactor
from twisted.internet.main import installReactor
from twisted.python import log

from proxy.transport import UdpListener


class DirectReactor(EPollReactor):
    """Reads UDP listeners directly, and does all else as its base does."""

    def doPoll(self, timeout: float | None) -> None:  # noqa: N802 - Twisted's name
        """Wait until something is to be done, at most for timeout seconds, and do it.

        Where that were only datagrams, go on until a timer is due: nothing else can have become the main loop's to do.
        """
        while self._poll(timeout) and self.running:
            timeout = self.timeout()
            if timeout == 0:
                return

    def _poll(self, timeout: float | None) -> bool:
        """Do what is to be done next; tell whether that were only datagrams."""
        events = self._poller.poll(timeout, len(self._selectables))
        only = bool(events)
        for number, event in events:
            selectable = self._selectables.get(number)  # None: an earlier one of these has closed it
            if event == EPOLLIN and isinstance(selectable, UdpListener):
                selectable.doRead()
            elif selectable is not None:
                only = False
                log.callWithLogger(selectable, self._doReadOrWrite, selectable, number, event)
        return only

    doIteration = doPoll  # noqa: N815 - Twisted's name


def install() -> None:
    """Make it the process's reactor, before anybody imports `twisted.internet.reactor`."""
    installReactor(DirectReactor())  # type: ignore[no-untyped-call]
