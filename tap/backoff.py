"""How soon a worker that died is started again: at once, unless it dies again and again."""

from __future__ import annotations

FIRST = 0.1
"""Seconds that a second death in a row costs; each further one costs twice as much."""
LONGEST = 5.0
"""Seconds at most: what a phone sends is repeated for 32 (timers B and F), so a call may still get through."""
HEALTHY = 10.0
"""Seconds of life after which a death is a first one again."""


class Backoff:
    """Counts deaths in a row of one worker."""

    def __init__(self) -> None:
        """Begin without any."""
        self._in_a_row = 0

    def died(self, lived: float) -> float:
        """Take note of a death after so many seconds of life; return seconds until the next start."""
        self._in_a_row = 1 if lived >= HEALTHY else self._in_a_row + 1
        if self._in_a_row == 1:
            return 0.0
        return min(FIRST * 2.0 ** min(self._in_a_row - 2, 10), LONGEST)
