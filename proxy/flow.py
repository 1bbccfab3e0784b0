"""Flows: where a message came in, and where one goes out, as plain values."""

from __future__ import annotations

from typing import NamedTuple

from proxy.memo import remembered, remembered_by_all


class Flow(NamedTuple):
    """A transport, our end and the peer's (RFC 5626 §2); hashable, so that it can be kept in records."""

    transport: str
    """Transport protocol as Via spells it: `UDP`, `TCP`, `TLS`, `WS` or `WSS`."""
    local: tuple[str, int]
    """Address and port of the listener, IPv6 without brackets."""
    peer: tuple[str, int]
    """Address and port of the far end, IPv6 without brackets."""
    connection: int = 0
    """Number of the connection within this process, never used twice; 0 for datagrams, and for whichever connection of
    ours leads there, made if need be."""
    identity: tuple[str, ...] = ()
    """Names that TLS vouches for: incoming, those of the peer's verified certificate (RFC 5922 §7.1); outgoing, the one
    that the far certificate must show."""


def udp_flow(local: tuple[str, int], host: str, port: int) -> Flow:
    """Return the flow from one of our sockets to an address: the same object for all calls to a trunk."""
    return _by_udp((local, host, port))


@remembered
def _by_udp(way: tuple[tuple[str, int], str, int]) -> Flow:
    local, host, port = way
    return Flow("UDP", local, (host, port))


@remembered_by_all
def flow_to(transport: str, local: tuple[str, int], peer: tuple[str, int], identity: tuple[str, ...]) -> Flow:
    """Return the flow of whichever connection of ours leads to an address, to one that shows this name."""
    return Flow(transport, local, peer, 0, identity)
