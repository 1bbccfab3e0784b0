"""Connections of phones that were told by us how often they have to be heard of, though the core registers them.

With `mode = "forward"` no binding here says that a connection is a flow of Outbound (RFC 5626), and the 200 to a
REGISTER is passed on by the worker that owns the request. The worker that has the connection is told, for it looks for
silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.flow import Flow
from proxy.memo import Recent
from proxy.places import worker_of_connection

if TYPE_CHECKING:
    from collections.abc import Callable

MOST: Final = 131_072
"""Most that are remembered, more than there may be files; each is asked for twice a minute, and so stays."""


class TimedFlows:
    """Those of one worker, by their numbers, which no connection has twice."""

    __slots__ = ("_timed", "_worker", "tell")

    def __init__(self, worker: int) -> None:
        """Begin with none; worker: our number."""
        self._worker = worker
        self._timed: Recent[int, bool] = Recent(MOST)
        self.tell: Callable[[Flow, bool], None] | None = None
        """Tells the worker that has a connection, for its `learn`."""

    def note(self, flow: Flow, *, timed: bool) -> None:
        """Note whether a connection, ours or another worker's, may no longer be silent for as long as it likes."""
        if worker_of_connection(flow.connection) == self._worker:
            self.learn(flow, timed=timed)
        elif self.tell is not None:
            self.tell(flow, timed)

    def learn(self, flow: Flow, *, timed: bool) -> None:
        """Take note of one of our own connections."""
        self._timed.put(flow.connection, timed)

    def has(self, flow: Flow) -> bool:
        """Tell whether a connection may not be silent."""
        return bool(self._timed.get(flow.connection))
