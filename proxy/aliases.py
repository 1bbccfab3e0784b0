"""Connections that a trunk or the core made to us over TLS and offers for our requests too: `;alias` (RFC 5923).

An offer holds for the address that it came from with the port of its Via, and for the names that its verified
certificate shows: a hop is reached over it where it would have had to show one of these (§8.2). Over TCP nothing
vouches for who offers, so there is no such thing (§9.2). What cannot be sent over it goes over a connection of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.flow import Flow
from proxy.matching import top_branch
from proxy.places import worker_of_connection
from proxy.transports import DEFAULT_PORTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.core import Core
    from proxy.headers import Via
    from proxy.hop import Hop
    from proxy.location import Address
    from proxy.party import Party
    from proxy.transaction import ClientTransaction, ClientUser

MAX_ALIASES = 1024
"""Most offers remembered; the oldest leaves first."""
MAX_NAMES = 8
"""Most names of one certificate that count."""

Key = tuple[tuple[str, int], str]


class Aliases:
    """The offers of one core."""

    __slots__ = ("_ended", "_flows", "tell")

    def __init__(self) -> None:
        """Begin with none."""
        self.tell: Callable[[Flow, int], None] | None = None
        """Tells other workers of an offer: its connection, and the port of the Via."""
        self._flows: dict[Key, Flow] = {}
        self._ended: dict[int, Flow] = {}
        """What stands for those that have ended lately, for what was under way over them."""

    def offered(self, flow: Flow, via: Via, source: Party) -> None:
        """Note that a request over TLS offers its connection, if it does; a phone's serves its own flow alone."""
        if flow.transport != "TLS" or b"alias" not in via.params or source.in_access:
            return
        port = via.port or DEFAULT_PORTS["TLS"]
        if self.learn(flow, port) and self.tell is not None:
            self.tell(flow, port)

    def learn(self, flow: Flow, port: int) -> bool:
        """Take an offer, which another worker may have heard; tell whether it says anything new."""
        new = False
        for name in flow.identity[:MAX_NAMES]:
            key = (flow.peer[0], port), name.lower()
            new = self._flows.pop(key, None) != flow or new
            self._flows[key] = flow
            if len(self._flows) > MAX_ALIASES:
                del self._flows[next(iter(self._flows))]
        return new

    def offers(self) -> dict[Flow, int]:
        """Return the connections that are offered, with the ports of their Vias."""
        return {flow: address[1] for (address, _), flow in self._flows.items()}

    def worker_ended(self, worker: int) -> None:
        """Forget the offers of connections that a worker had, which is no more."""
        for flow in set(self._flows.values()):
            if worker_of_connection(flow.connection) == worker:
                self.ended(flow)

    def flow_to(self, hop: Hop) -> Flow:
        """Return the flow to a hop over TLS: the connection that it offers, else whichever of ours leads there."""
        for name in hop.identity:
            flow = self._flows.get(((hop.host, hop.port), name))
            if flow is not None:
                return flow
        return hop.flow

    def own(self, flow: Flow) -> Flow | None:
        """Return the flow of ours that an offered connection stands for; None for another connection."""
        if flow.transport != "TLS" or not flow.connection:
            return None
        found = next((key for key, offered in self._flows.items() if offered.connection == flow.connection), None)
        if found is None:
            return self._ended.get(flow.connection)
        address, name = found
        return Flow(flow.transport, flow.local, address, 0, (name,))

    def ended(self, flow: Flow) -> None:
        """Forget what a connection was offered for."""
        own = self.own(flow)
        if own is None:
            return
        for key in [key for key, offered in self._flows.items() if offered.connection == flow.connection]:
            del self._flows[key]
        self._ended[flow.connection] = own
        if len(self._ended) > MAX_ALIASES:
            del self._ended[next(iter(self._ended))]

    def __len__(self) -> int:
        """Return how many offers there are."""
        return len(self._flows)


def send_over_own(core: Core, client: ClientTransaction, user: ClientUser) -> ClientTransaction | None:
    """Return what sends over a connection of ours, once it is started, what an offered one did not take."""
    own = core.aliases.own(client.flow)
    if own is None:
        return None
    core.aliases.ended(client.flow)
    data = client.request
    other = core.start_client(own, data.partition(b" ")[0], data, top_branch(data), user)
    other.hop = client.hop
    return other


def address_of(core: Core, flow: Flow) -> Address:
    """Return the address that a target is remembered by: its configured one, not the port that it happened to use."""
    own = core.aliases.own(flow)
    return own.peer if own is not None else flow.peer
