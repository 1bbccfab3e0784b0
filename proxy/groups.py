"""Groups of trunks: in which order a request tries the members, and what is left of them for its branch.

The order is drawn by priority and weight from a seed that is the request's own, as that of a name's targets is
(`proxy/location.py`): who repeats it, after a restart too, reaches the same trunk. Members that are known to be out of
order come last. Each member that gets its turn has a decision and a crossing of its own, made from the request as it
came: no contract is another's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from proxy.errors import Refused
from proxy.location import draws, is_address
from proxy.outages import Outages

if TYPE_CHECKING:
    from proxy.crossing import Crossing
    from proxy.hop import Hop


class Member(NamedTuple):
    """One trunk of a group."""

    hop: Hop
    """Its first target, with the others."""
    priority: int
    """The lowest is tried first."""
    weight: int
    """Share among those of one priority; 0: after all others of it."""


class Group(NamedTuple):
    """What a route may lead to."""

    name: str
    members: tuple[Member, ...]
    patience: float
    """Seconds that an INVITE may be without an answer until the next target is tried."""


def order(group: Group, seed: bytes) -> list[Hop]:
    """Return the members' hops in the order to try them; as long as the seed is the same, so is the order.

    Each draw takes a member with a chance of its weight among the weights that are left.
    """
    drawn: list[Hop] = []
    numbers = draws(seed)
    for priority in sorted({member.priority for member in group.members}):
        left = [member for member in group.members if member.priority == priority]
        while left:
            drawn.append(left.pop(_pick([member.weight for member in left], next(numbers))).hop)
    return drawn


def _pick(weights: list[int], number: int) -> int:
    """Return which is next: where a number between 0 and the sum of the weights falls; all alike if all are 0."""
    total = sum(weights)
    if not total:
        return number % len(weights)
    number %= total
    for position, weight in enumerate(weights):
        if number < weight:
            return position
        number -= weight
    raise AssertionError("the weights end at their sum")


def last_resorts_last(hops: list[Hop], outages: Outages, now: float) -> list[Hop]:
    """Return hops with those behind that are out: every address of the trunk, or the registration that it needs.

    Names cannot be told before they are looked up.
    """
    if not outages.marks and not outages.trunks:
        return hops
    out = [
        hop.party.label in outages.trunks
        or (is_address(hop.host) and all(outages.is_out(each, now) for each in ((hop.host, hop.port), *hop.others)))
        for hop in hops
    ]
    return [hop for hop, gone in zip(hops, out, strict=True) if not gone] + [
        hop for hop, gone in zip(hops, out, strict=True) if gone
    ]


R = TypeVar("R", bound=Refused)


def worse(one: R | None, other: R) -> R:
    """Return which of two refusals the caller hears: that there is no room, rather than that there is no way."""
    return other if one is None or (one.code == 403 and other.code != 403) else one


class Spare:
    """The members that a branch has not turned to yet."""

    __slots__ = ("_cross", "_left", "emergency", "patience")

    def __init__(
        self, hops: list[Hop], cross: Callable[[Hop, float], Crossing], patience: float, *, emergency: bool
    ) -> None:
        """Begin before the first one.

        Args:
            hops: in the order to try them.
            cross: makes a crossing to one of them, under the generation that the request came in; raises Refused
                where that trunk may not have it, or is full.
            patience: seconds of silence after which the next is tried.
            emergency: whether this is an emergency call.
        """
        self._left = deque(hops)
        self._cross = cross
        self.patience = patience
        self.emergency = emergency

    def __len__(self) -> int:
        """Return how many are left."""
        return len(self._left)

    def first(self, now: float) -> Crossing:
        """Return the crossing to the first member that may have the request.

        Raises:
            Refused: when none may.
        """
        refusal: Refused | None = None
        while self._left:
            try:
                return self.cross(self._left.popleft(), now)
            except Refused as refused:
                refusal = worse(refusal, refused)
        raise refusal or Refused(404, "No Route")

    def next(self) -> Hop | None:
        """Return the hop of the next member; None when there is none."""
        return self._left.popleft() if self._left else None

    def cross(self, hop: Hop, now: float) -> Crossing:
        """Return the crossing to a member.

        Raises:
            Refused: when it may not have the request.
            Exception: whatever a filter raises.
        """
        return self._cross(hop, now)
