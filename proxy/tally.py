"""How many connections each source has: an IPv4 address, or an IPv6 network of 64 bits (`proxy.guard.source_of`)."""

from __future__ import annotations

from typing import Protocol


class Tally(Protocol):
    """Counts them, for one process or for all of them (`tap/shared_tally.py`)."""

    def total(self, source: str) -> int:
        """Return how many a source has; perhaps a few more than that, never fewer."""

    def add(self, source: str, number: int) -> None:
        """Count more of them, or fewer."""


class OwnTally:
    """Counts those of one process."""

    def __init__(self) -> None:
        """Begin with none."""
        self._counts: dict[str, int] = {}

    def total(self, source: str) -> int:
        """Return how many a source has."""
        return self._counts.get(source, 0)

    def add(self, source: str, number: int) -> None:
        """Count more of them, or fewer."""
        left = self.total(source) + number
        if left:
            self._counts[source] = left
        else:
            del self._counts[source]

    def __len__(self) -> int:
        """Return how many sources have any."""
        return len(self._counts)
