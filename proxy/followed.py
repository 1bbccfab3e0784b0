"""Phones that are followed beyond the end of a process: their dialogs know which binding to look for.

This is "Flows" of dialogs.md. Within one process `Bindings.current` follows a phone by its former flow. After a restart
the numbers of connections say nothing any more; then the record does, once the phone is back and registered. Records of
datagrams have none of this: an address outlasts a restart, and they have little room.
"""

from __future__ import annotations

from proxy.flow import Flow
from proxy.generation import Generation
from proxy.hop import Hop
from proxy.party import Party
from proxy.places import worker_of_connection
from proxy.record import Binding, Record


def followed(generation: Generation, source: Party, near: Flow, hop: Hop) -> Binding | None:
    """Return what a dialog's records keep of its one phone that is reached by a connection.

    Between two such phones that is nothing: a record has room for one, and does not tell whose it is.
    """
    caller = near.connection != 0 and source.in_access
    callee = hop.connection != 0 and hop.party.in_access
    if caller is callee or generation.bindings is None:
        return None
    return generation.bindings.recorded(near if caller else hop.flow)


def follow(generation: Generation, latest: Record, binding: Binding) -> Record:
    """Return a record with the flow that a phone has by now, where another process had made its connection."""
    places = generation.places
    if generation.bindings is None or latest.flow is None or places.has(latest.flow, latest.node):
        return latest
    flow = generation.bindings.found_again(binding)
    if flow is None:
        return latest
    return latest.replace(flow=flow, node=places.node(flow), worker=worker_of_connection(flow.connection))
