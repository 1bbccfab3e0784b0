"""Requests too large for a datagram go over TCP, and over UDP all the same where nobody takes that (RFC 3261 §18.1.1).

What counts is the size of what leaves, not that it came as large: the path behind us is another. Only towards trunks
and the core, over a TCP listener with address and port of the UDP one: a phone behind a NAT takes no connections.
The branch over TCP is the one over UDP with a letter more, so each try is a transaction of its own (§17.1.3) and a node
that was restarted makes the same two. A far end that refused is remembered for a while, or each long INVITE would
wait for a connection that never comes.

A dialog's record that is too long for a UDP hop goes over TCP alone (dialogs.md "What a record holds").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.edge_flow import acknowledge_to_edge
from proxy.matching import top_branch
from proxy.transports import VIA_HEADS

if TYPE_CHECKING:
    from proxy.core import Core
    from proxy.crossing import Crossing
    from proxy.flow import Flow
    from proxy.location import Address
    from proxy.party import Party
    from proxy.transaction import ClientTransaction, ClientUser

MAX_DATAGRAM = 1300
"""Most bytes over UDP where nobody knows the path's MTU (§18.1.1)."""
REFUSED_FOR = 300.0
"""Seconds for which a far end that took no connection gets datagrams."""
MAX_REFUSED = 1024
"""Most far ends remembered; the oldest leaves first."""
_PLACE = 20
"""Where the letter goes: behind cookie, worker and twelve letters of the hash, before the dot."""
_LETTER = b"t"
_MARK = b"t."
_NO_WAY_BACK = b"r"
"""The letter of what UDP may not carry at all."""


class RefusedConnections:
    """Far ends that took no connection lately."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        """Begin with none."""
        self._until: dict[Address, float] = {}

    def note(self, address: Address, now: float) -> None:
        """Remember one."""
        self._until.pop(address, None)
        self._until[address] = now + REFUSED_FOR
        if len(self._until) > MAX_REFUSED:
            del self._until[next(iter(self._until))]

    def knows(self, address: Address, now: float) -> bool:
        """Tell whether one is remembered."""
        until = self._until.get(address)
        if until is None or now < until:
            return until is not None
        del self._until[address]
        return False


def may_grow(core: Core, crossing: Crossing, now: float) -> bool:
    """Tell whether a request for a UDP hop may go over TCP."""
    hop, network = crossing.hop, core.generation.network
    if hop.transport != "UDP" or hop.party.in_access or hop.local not in network.siblings:
        return False
    address = (hop.host, hop.port)
    return not core.refused.knows(address, now) and not network.is_us(hop.host.encode(), hop.port)


def is_for_tcp(core: Core, crossing: Crossing, data: bytes, now: float) -> bool:
    """Tell whether a finished request for a UDP hop goes over TCP."""
    return crossing.must_grow or (len(data) > MAX_DATAGRAM and may_grow(core, crossing, now))


def over_tcp(crossing: Crossing, data: bytes, branch: bytes) -> tuple[bytes, bytes]:
    """Return branch and bytes of a request for UDP, rewritten for TCP: the top Via alone."""
    other = branch[:_PLACE] + (_NO_WAY_BACK if crossing.must_grow else _LETTER) + branch[_PLACE:]
    return other, _rewritten(data, (VIA_HEADS["UDP"], branch), (VIA_HEADS["TCP"], other))


def fall_back(core: Core, client: ClientTransaction, user: ClientUser, now: float) -> ClientTransaction | None:
    """Return what sends over UDP, once it is started, what could not be sent over TCP; None for anything else."""
    branch = top_branch(client.request)
    if client.flow.transport != "TCP" or branch[_PLACE : _PLACE + 2] != _MARK:
        return None
    core.refused.note(client.flow.peer, now)
    if client.hop is not None and is_too_large(client.hop, client.request):
        return None
    plain, data = over_udp(client.request, branch)
    other = core.start_client(client.flow._replace(transport="UDP"), data.partition(b" ")[0], data, plain, user)
    other.hop = client.hop
    return other


def is_too_large(party: Party, data: bytes) -> bool:
    """Tell whether a party takes no datagram of such a size."""
    return party.trunk is not None and len(data) > party.trunk.max_datagram


def over_udp(data: bytes, branch: bytes) -> tuple[bytes, bytes]:
    """Undo `over_tcp`."""
    plain = branch[:_PLACE] + branch[_PLACE + 1 :]
    return plain, _rewritten(data, (VIA_HEADS["TCP"], branch), (VIA_HEADS["UDP"], plain))


def acknowledge_again(core: Core, flow: Flow, data: bytes) -> None:
    """Send an ACK over UDP that was too large for it and could not be sent over TCP: nobody asks for it again.

    So too over a connection of ours one that was for a connection which the far end had offered, or an edge proxy's.
    """
    own = core.aliases.own(flow)
    if own is not None:
        core.aliases.ended(flow)
        core.transmit(own, data)
        return
    if acknowledge_to_edge(core, flow, data):
        return
    branch = top_branch(data)
    if flow.transport == "TCP" and branch[_PLACE : _PLACE + 2] == _MARK:
        core.transmit(flow._replace(transport="UDP", connection=0), over_udp(data, branch)[1])


def _rewritten(data: bytes, old: tuple[bytes, bytes], new: tuple[bytes, bytes]) -> bytes:
    """Return a request of ours with another transport and branch in its top Via, which is its first line."""
    start, end, rest = data.partition(b"\r\n")
    via, end, rest = rest.partition(b"\r\n")
    return b"".join((start, end, via.replace(old[0], new[0], 1).replace(old[1], new[1], 1), end, rest))
