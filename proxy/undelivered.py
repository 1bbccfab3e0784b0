"""Messages that `send` had taken and that never left: a connection that failed, showed a wrong name, or broke; a
datagram that the system refused when the outbox was emptied.

To a client transaction that is a transport error (RFC 3261 §17.1.4), at once where otherwise timer B or F would tell. A
response is sent anew where its connection is gone: over one that we make (§18.2.2).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxy.by_size import acknowledge_again
from proxy.errors import Malformed
from proxy.flow import Flow
from proxy.headers import parse_via, split_list
from proxy.matching import client_key, top_branch
from proxy.transaction import ClientTransaction
from proxy.transports import DEFAULT_PORTS, SECURE, WEBSOCKET

if TYPE_CHECKING:
    from proxy.core import Core

_TOP_VIA = re.compile(rb"\r\n(?:via|v)[ \t]*:([^\r\n]*)", re.IGNORECASE)
"""The first Via line of a message of ours."""


def undelivered(core: Core, flow: Flow, data: bytes, now: float) -> None:
    """Fail the client transaction of a request of ours; an ACK has none, and is lost unless UDP may carry it."""
    if data[:4] == b"SIP/":
        if flow.connection:
            give_back_anew(core, flow, data)
        else:
            core.drop("undelivered")
        return
    method = data.partition(b" ")[0]
    if method == b"ACK":
        acknowledge_again(core, flow, data)
        return
    client = core.clients.get(client_key(top_branch(data), method))
    if isinstance(client, ClientTransaction) and client.flow.peer == flow.peer:
        client.unreachable(now)


def give_back_anew(core: Core, flow: Flow, data: bytes) -> None:
    """Send a response over a connection that we make to the address that its request came from (§18.2.2).

    The port is that of the Via, and a Via chooses no next hop: it has to lie with the same party. Over TLS there has to
    be a name to expect (RFC 5922), so phones are left out; and nobody connects to a browser. What the sent-by calls a
    host is not looked up (RFC 3263 §5 would): a name in a message makes us ask nobody.
    """
    network = core.generation.network
    where = _where(flow, data)
    party = network.party_from(flow.transport, flow.local, flow.peer, flow.identity)
    if where is None or party is None or party != network.party_from(flow.transport, flow.local, where, flow.identity):
        core.drop("undelivered")
        return
    identity = network.identity(party) if flow.transport in SECURE else ()
    if flow.transport in SECURE and not identity:
        core.drop("undelivered")
        return
    if not core.transmit(Flow(flow.transport, flow.local, where, 0, identity), data):
        core.drop("undelivered")


def _where(flow: Flow, data: bytes) -> tuple[str, int] | None:
    """Return the address that a request came from with the port of its Via; None for browsers."""
    line = _TOP_VIA.search(data)
    if line is None or flow.transport in WEBSOCKET:
        return None
    try:
        via = parse_via(split_list(line[1])[0])
    except (Malformed, IndexError):
        return None
    return flow.peer[0], via.port or DEFAULT_PORTS[flow.transport]
