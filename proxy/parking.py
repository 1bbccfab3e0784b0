"""Branches that wait for a look-up (design.md §5): bounded, and voided by simply taking the ticket."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from proxy.location import Place

Found = Callable[[Sequence[Place], float], None]
"""Called with where the name is served, which may be nowhere, and the time."""


ROOM_FOR_HELP = 10_000
"""Places beyond the limit, for what is urgent: anybody may call for help, and memory ends."""


class Parking:
    """Tickets for what waits."""

    __slots__ = ("_next", "_waiting", "limit")

    def __init__(self, limit: int) -> None:
        """Let at most `limit` wait at once."""
        self.limit = limit
        """May be changed at any time."""
        self._next = 0
        self._waiting: dict[int, Found] = {}

    def put(self, found: Found, *, urgent: bool = False) -> int | None:
        """Return the ticket under which `found` waits; None when it is full; what is urgent has room beyond."""
        if len(self._waiting) >= self.limit + (ROOM_FOR_HELP if urgent else 0):
            return None
        self._next += 1
        self._waiting[self._next] = found
        return self._next

    def take(self, ticket: int) -> Found | None:
        """Return and forget what waits under a ticket; None for a ticket that was used."""
        return self._waiting.pop(ticket, None)

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)
