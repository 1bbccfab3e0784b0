"""What a connection has brought for a worker that cannot be given it: its inbox is full, it hangs or starts anew.

Over UDP a lost datagram is repeated; over a connection nothing is (RFC 3261 §17.1.1.2). So a request is answered at
once, and its sender tries elsewhere or later, where otherwise it would wait for timer B. A call for help is handled
where it was read: what is worse with two workers than with one is that a CANCEL may not find it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.errors import Malformed
from proxy.parse import parse

if TYPE_CHECKING:
    from proxy.core import Core
    from proxy.flow import Flow

RETRY_AFTER = 1
"""Seconds: a worker that died is back within less (tap/backoff.py, the first time)."""


def unowned(core: Core, data: bytes, flow: Flow, now: float) -> None:
    """Answer a request with 503, and let go of anything else."""
    network = core.generation.network
    if network.party_from(flow.transport, flow.local, flow.peer, flow.identity) is None:
        core.drop("unknown-source")
        return
    try:
        message = parse(data, network.limits)
    except Malformed:
        core.drop("malformed")
        return
    if not message.status and network.is_emergency(message.uri):
        core.receive(data, flow, now)
    elif message.status or message.method == b"ACK":
        core.drop("worker")
    else:
        core.respond_statelessly(message, flow, 503, b"", (b"Retry-After: %d" % RETRY_AFTER,))
