"""A descriptor that the reactor watches for news, and for its end: socket pairs between our own processes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

_MOST = 4096
"""Bytes read at a time; a message between our processes has a handful."""


@implementer(IReadDescriptor)
class Watch:
    """Calls `got` with what can be read and `ended`, once, when everybody has closed the other end."""

    def __init__(
        self,
        reactor: Any,  # noqa: ANN401 - Twisted has no one interface for all that a reactor does
        descriptor: int,
        got: Callable[[bytes], None],
        ended: Callable[[], None],
    ) -> None:
        """Take over a descriptor and watch it on a Twisted reactor."""
        self._reactor = reactor
        self._descriptor = descriptor
        self._got = got
        self._ended = ended
        os.set_blocking(descriptor, False)
        reactor.addReader(self)

    def close(self) -> None:
        """Watch no longer; safe to call twice."""
        if self._descriptor >= 0:
            self._reactor.removeReader(self)
            os.close(self._descriptor)
            self._descriptor = -1

    def fileno(self) -> int:
        """Return the descriptor, -1 once closed."""
        return self._descriptor

    def doRead(self) -> None:  # noqa: N802 - IReadDescriptor
        """Read one message, or find that there will be none."""
        try:
            data = os.read(self._descriptor, _MOST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._got(data)
        else:
            self.close()
            self._ended()

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802 - IReadDescriptor
        """Close: the reactor stops."""
        self.close()

    def logPrefix(self) -> str:  # noqa: N802 - ILoggingContext
        """Return the name for the reactor's own log."""
        return "watch"
