"""Heads of messages whose end nobody can tell: what a stream brought as its last (RFC 3261 §18.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.errors import Malformed
from proxy.parse import parse, partial

if TYPE_CHECKING:
    from proxy.core import Core
    from proxy.flow import Flow


def unframed(core: Core, head: bytes, flow: Flow, code: int, why: str) -> None:
    """Answer a request by its start line and headers, as far as they can be read; anything else gets silence.

    Args:
        core: answers.
        head: the message without a body.
        flow: where it came from, and where the answer goes.
        code: of the answer.
        why: Reason-Phrase, from a closed set.
    """
    network = core.generation.network
    if network.party_from(flow.transport, flow.local, flow.peer, flow.identity) is None:
        core.drop("unknown-source")
        return
    try:
        request = parse(head, network.limits)
    except Malformed as error:
        known = partial(error)
        answerable = error.code
    else:
        known = request
        answerable = 0 if request.status or request.method == b"ACK" else code
    if known is None or not answerable or not known.method:
        core.drop("malformed")
    else:
        core.respond_statelessly(known, flow, code, why.encode())
