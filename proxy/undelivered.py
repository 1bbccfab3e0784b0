"""Messages that `send` had taken and that never left: a connection that failed, showed a wrong name, or broke.

To a client transaction that is a transport error (RFC 3261 §17.1.4), at once where otherwise timer B or F would tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.matching import client_key, top_branch
from proxy.transaction import ClientTransaction

if TYPE_CHECKING:
    from proxy.core import Core
    from proxy.flow import Flow


def undelivered(core: Core, flow: Flow, data: bytes, now: float) -> None:
    """Fail the client transaction of a request of ours; an ACK has none, and whoever sent it repeats its cause."""
    if data[:4] == b"SIP/":
        return
    method = data.partition(b" ")[0]
    client = core.clients.get(client_key(top_branch(data), method))
    if isinstance(client, ClientTransaction) and client.flow.peer == flow.peer:
        client.unreachable(now)
