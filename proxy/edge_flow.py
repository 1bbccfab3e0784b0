"""An edge proxy whose connection is gone: it is a server with an address, so a new one can be made to it.

Nobody connects to a phone behind a NAT. An edge proxy is known by configuration (`access.edge_proxies`): it is reached
at the address that its connection came from, at the port that is written there, else at that of its own Route, which is
believed of it alone, else at the default one (RFC 3261 §18.2.2 has it so for responses). Nothing in a message chooses
the host. Over TLS it has to show the name that is configured for all of them (`access.edge_tls_name`, RFC 5922); where
there is no name, none is made. Over WebSocket nobody can connect.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from proxy.errors import Malformed
from proxy.flow import Flow
from proxy.matching import top_branch
from proxy.transports import DEFAULT_PORTS, SECURE
from proxy.uri import parse_sip_uri

if TYPE_CHECKING:
    from proxy.core import Core
    from proxy.routing import Network
    from proxy.transaction import ClientTransaction, ClientUser

_CONNECTED = ("TCP", "TLS")
_ROUTE = re.compile(rb"\r\nRoute: <([^<>\r\n]*)>")
"""The first URI of the Routes in a request of ours."""


def edge_flow(network: Network, flow: Flow, routes: Sequence[bytes]) -> Flow | None:
    """Return the flow to an edge proxy in place of a connection that is gone; None where it was not one's.

    Args:
        network: who is who.
        flow: the connection.
        routes: of what is to be sent.
    """
    if flow.transport not in _CONNECTED or not flow.connection:
        return None
    party = network.party_from(flow.transport, flow.local, flow.peer, flow.identity)
    if party is None or not party.edge:
        return None
    identity = network.identity(party) if flow.transport in SECURE else ()
    if flow.transport in SECURE and not identity:
        return None
    host = flow.peer[0]
    port = _written(network, host) or _routed(host, routes) or DEFAULT_PORTS[flow.transport]
    return Flow(flow.transport, flow.local, (host, port), 0, identity)


def send_to_edge(core: Core, client: ClientTransaction, user: ClientUser) -> ClientTransaction | None:
    """Return what sends over a new connection, once it is started, what could not be sent to an edge proxy."""
    flow = _again(core, client.flow, client.request)
    if flow is None:
        return None
    data = client.request
    other = core.start_client(flow, data.partition(b" ")[0], data, top_branch(data), user)
    other.hop = client.hop
    return other


def acknowledge_to_edge(core: Core, flow: Flow, data: bytes) -> bool:
    """Send an ACK that found no connection to an edge proxy over a new one; False where it was for no edge proxy."""
    again = _again(core, flow, data)
    if again is not None:
        core.transmit(again, data)
    return again is not None


def _again(core: Core, flow: Flow, data: bytes) -> Flow | None:
    route = _ROUTE.search(data)
    return edge_flow(core.generation.network, flow, (route[1],) if route is not None else ())


def _written(network: Network, host: str) -> int:
    """Return the port that is configured for an edge proxy; 0 where none is."""
    access, address = network.settings.access, _address(host)
    if access is None:
        return 0
    return max([each.port for each in access.edge_proxies if address in each.network], default=0)


def _routed(host: str, routes: Sequence[bytes]) -> int:
    """Return the port of an edge proxy's own Route, where that names the very address that it has; else 0."""
    try:
        uri = parse_sip_uri(routes[0]) if routes else None
        # As addresses: of IPv6 there are many ways to write one.
        return uri.port if uri is not None and _address(uri.host.decode("ascii")) == _address(host) else 0
    except (Malformed, ValueError):  # ValueError: it names no address
        return 0


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(host.partition("%")[0])
