"""A phone's connection that is gone: nobody can connect to a phone behind a NAT (dialogs.md "Flows").

The core's registrar is told 430, by which it tries the phone's other flows (RFC 5626 §11.5); anybody else 480.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.edge_flow import edge_flow
from proxy.errors import Refused

if TYPE_CHECKING:
    from proxy.crossing import Crossing
    from proxy.generation import Generation
    from proxy.party import Party
    from proxy.record import Record


def check_flow(generation: Generation, record: Record, source: Party, routes: tuple[bytes, ...]) -> Record:
    """Refuse what is for a connection of a process that is no more, whichever worker that was.

    An edge proxy gets another connection: the record is returned with that flow. `routes` lead to where it does.

    Raises:
        Refused: 430 or 480.
    """
    flow = record.flow
    if flow is not None and flow.connection and not generation.places.has(flow, record.node):
        again = edge_flow(generation.network, flow, routes)
        if again is None:
            raise Refused(flow_failed(source), "Flow Failed")
        return record.replace(flow=again)
    return record


def is_lost(crossing: Crossing) -> bool:
    """Tell whether a request that could not be sent was for a phone's connection."""
    return crossing.hop.connection != 0 and crossing.hop.party.in_access


def flow_failed(source: Party) -> int:
    """Return the status that tells a sender so."""
    return 430 if source.in_core else 480
