"""Where a request goes next."""

from __future__ import annotations

from typing import NamedTuple

from proxy.flow import Flow, flow_to, udp_flow
from proxy.groups import Group, Spare
from proxy.location import Address
from proxy.party import ACCESS, Party


class Hop(NamedTuple):
    """Where a branch goes: the party, its address (a name is looked up first), and our socket."""

    party: Party
    host: str
    port: int
    """0 for a name without one: its services are looked up (RFC 3263 §4.2)."""
    local: Address
    others: tuple[Address, ...] = ()
    """Further addresses and names of the party, to be tried in this order when this one fails."""
    transport: str = "UDP"
    connection: int = 0
    """The connection to use and no other; 0: as the transport has it."""
    identity: tuple[str, ...] = ()
    """The name that a far certificate must show."""
    group: Group | None = None
    """Set where the routing table names a group: any of its members may be meant."""
    spare: Spare | None = None
    """Of a request on its way: the members of its group that are left."""

    @property
    def flow(self) -> Flow:
        """Return the flow to its address."""
        return flow_of(self)


def flow_of(hop: Hop) -> Flow:
    """Return the flow to a hop's address; compiled code reaches a function at once, and a property by its name."""
    if hop.transport == "UDP":
        return udp_flow(hop.local, hop.host, hop.port)
    if hop.connection:
        return Flow(hop.transport, hop.local, (hop.host, hop.port), hop.connection, hop.identity)
    return flow_to(hop.transport, hop.local, (hop.host, hop.port), hop.identity)


def hop_over(party: Party, flow: Flow) -> Hop:
    """Return the hop that a flow leads to."""
    return Hop(party, *flow.peer, flow.local, (), flow.transport, flow.connection, flow.identity)


REGISTERED = Hop(ACCESS, "", 0, ("", 0))
"""Stands in a route for all phones that the Request-URI's address of record has; whoever asks looks them up."""
