"""Requests that wait for their first answer over a connection, so that its end tells at once what timer B would tell.

For streams alone: what a datagram waits for no system tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.places import worker_of_connection
from proxy.timers import TICK

if TYPE_CHECKING:
    from proxy.flow import Flow
    from proxy.timers import TimerWheel
    from proxy.transaction import ClientTransaction

AT_ONCE = 50
"""Requests that fail within one tick: a connection may have carried thousands, and each costs an edit elsewhere."""

Connection = int | tuple[str, tuple[str, int], tuple[str, ...]]
"""A number; or transport, address and name of whichever connection of ours leads there."""


class Waiting:
    """Who waits, by connection; no more than there are client transactions."""

    __slots__ = ("_by_connection",)

    def __init__(self) -> None:
        """Begin with nobody."""
        self._by_connection: dict[Connection, dict[ClientTransaction, None]] = {}

    def begins(self, client: ClientTransaction) -> None:
        """Note that a request is about to be sent."""
        self._by_connection.setdefault(_connection(client.flow), {})[client] = None

    def over(self, client: ClientTransaction) -> None:
        """Note that it was answered, or has ended."""
        key = _connection(client.flow)
        there = self._by_connection.get(key)
        if there is not None:
            there.pop(client, None)
            if not there:
                del self._by_connection[key]

    def ended(self, flow: Flow, wheel: TimerWheel, now: float, *, here: bool = True) -> None:
        """Fail those that wait on a connection that has ended, in their order, some with each tick.

        One of another worker (not here) takes nobody along who waits for one that this worker has made itself.
        """
        there = [*self._by_connection.pop(flow.connection, ())]
        if here:
            there += self._by_connection.pop((flow.transport, flow.peer, flow.identity), ())
        _fail(there, wheel, now)

    def worker_ended(self, worker: int, wheel: TimerWheel, now: float) -> None:
        """Fail those that wait on connections of a worker that is no more."""
        keys = [key for key in self._by_connection if isinstance(key, int) and worker_of_connection(key) == worker]
        _fail([client for key in keys for client in self._by_connection.pop(key)], wheel, now)

    def __len__(self) -> int:
        """Return how many wait."""
        return sum(map(len, self._by_connection.values()))


class _Lost:
    """Ends a request whose connection has gone, unless it was answered meanwhile."""

    __slots__ = ("_client",)

    def __init__(self, client: ClientTransaction) -> None:
        self._client = client

    def fire(self, name: str, now: float) -> None:
        self._client.unreachable(now)


def _fail(clients: list[ClientTransaction], wheel: TimerWheel, now: float) -> None:
    for number, client in enumerate(clients):
        wheel.start(now, (number // AT_ONCE + 1) * TICK, _Lost(client), "closed")


def _connection(flow: Flow) -> Connection:
    return flow.connection or (flow.transport, flow.peer, flow.identity)
