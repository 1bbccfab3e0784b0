"""Counting per key in fixed windows, within bounded memory."""

from __future__ import annotations


def part_of(limit: int, workers: int, least: int = 1) -> int:
    """Return one worker's part of a limit on what is spread over all of them, rounded up.

    Args:
        limit: for all of them together.
        workers: how many there are.
        least: what a worker allows at least, or all that there is: chance spreads few events unevenly.
    """
    return max(-(-limit // workers), min(limit, least))


class RateLimit:
    """Allows so many events a window for each key."""

    __slots__ = ("_counts", "_most", "_seconds", "_window", "limit")

    def __init__(self, limit: int, seconds: int, most: int = 100_000) -> None:
        """Allow `limit` events in each window of `seconds`; remember at most `most` keys at once."""
        self.limit = limit
        """May be changed at any time."""
        self._seconds = seconds
        self._most = most
        self._window = 0
        self._counts: dict[bytes, int] = {}

    def allow(self, key: bytes, now: int) -> bool:
        """Count one event for key at `now` (seconds) and tell whether it is within the limit.

        Where more keys come than are remembered, the strict outcome: no.
        """
        window = now // self._seconds
        if window != self._window:
            self._window = window
            self._counts.clear()
        if key not in self._counts and len(self._counts) >= self._most:
            return False
        self._counts[key] = count = self._counts.get(key, 0) + 1
        return count <= self.limit
