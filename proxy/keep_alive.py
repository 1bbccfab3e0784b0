"""Datagrams that only keep a flow open (RFC 5626 §4.4 and §8): silence for blanks, an answer to a phone's STUN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy import stun
from proxy.flow import Flow

if TYPE_CHECKING:
    from proxy.core import Core

BLANK = b"\r\n\0 \t"
"""What such a datagram begins with; the zero is that of a STUN request, and what some phones send alone."""


def is_kept_alive(core: Core, data: bytes, flow: Flow) -> bool:
    """Take a datagram that is shorter than four bytes or begins with one of BLANK; tell whether it was no message."""
    if len(data) < 4 or not data.strip(BLANK):
        core.counters.add("dropped", "keepalive")
        return True
    if data[:2] != stun.BINDING or flow.transport != "UDP":
        return False
    network = core.generation.network
    party = network.party_from(flow.transport, flow.local, flow.peer, flow.identity)
    known = network.settings.registrar is not None and party is not None and party.in_access
    answer = stun.answer(data, flow.peer) if known else None
    if answer is not None:
        core.transmit(flow, answer)
    core.counters.add("stun", "ignored" if answer is None else "answered")
    return True
