"""Requests with a To tag that bring no record of ours.

They are never forwarded to or from a trunk (dialogs.md "Opening", 5). Between phones and core, where a
dialog may have begun without us, they take the route of a request outside dialogs.
"""

from __future__ import annotations

from config.vocabulary import Zone
from proxy import initial
from proxy.crossing import Crossing
from proxy.generation import Generation
from proxy.in_dialog import TokenRefused
from proxy.initial import Arrival


def cross(generation: Generation, arrival: Arrival, refusal: TokenRefused) -> list[Crossing]:
    """Return the crossings of a request that `in_dialog.cross` refused for want of a token.

    Raises:
        TokenRefused: the given one, where a trunk is on either side, or for another fault than a missing token.
        Refused: as for a request outside dialogs.
    """
    if refusal.kind != "no-dialog" or arrival.source.zone in (Zone.TRUNK, Zone.PSAP):
        raise refusal
    routes = initial.take_routes(generation, arrival)
    found, _ = initial.destinations(generation, arrival, routes, lambda who: False)
    if any(destination.hop.party.trunk is not None for destination in found):
        raise refusal
    crossings = [initial.cross(generation, arrival, destination, routes, emergency=False) for destination in found]
    for crossing in crossings:
        crossing.forms_dialog = False
    return crossings
