"""Lines of the routing table that no request ever reaches."""

from __future__ import annotations

from collections.abc import Iterator

from config.problem import Mistake
from config.settings import Route, Settings


def route_advice(settings: Settings) -> Iterator[Mistake]:
    """Yield each line that stands behind one which takes all that it would."""
    longest = settings.route_order == "longest"
    for index, line in enumerate(settings.routes):
        before = next(
            (place for place, other in enumerate(settings.routes[:index]) if _covers(other, line, longest=longest)),
            None,
        )
        if before is not None:
            right = "put the narrower line first, or take one out"
            yield Mistake(("routes", index), "is never reached, for all of it is taken by", right, ("routes", before))


def _takes(line: Route, source: str) -> bool:
    """Tell whether a line takes what comes from a zone; from one trunk to another it has to say so."""
    if line.source != "any":
        return line.source == source
    return source != "trunk" or line.emergency or not line.leads_to_trunks


def _covers(one: Route, other: Route, *, longest: bool) -> bool:
    """Tell whether one line takes whatever another, behind it, would take."""
    taken = [source for source in ("access", "core", "trunk") if _takes(other, source)]
    if one.emergency is not other.emergency or not all(_takes(one, source) for source in taken):
        return False
    if one.methods and not (other.methods and set(other.methods) <= set(one.methods)):
        return False
    return one.prefix == other.prefix if longest else other.prefix.startswith(one.prefix)
