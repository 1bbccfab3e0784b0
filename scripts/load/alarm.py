"""Things to do later, in the order of their times."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count


class Alarms:
    """A heap of calls; whoever no longer wants one lets it find that out."""

    def __init__(self) -> None:
        """Begin with none."""
        self._heap: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = count()

    def at(self, when: float, what: Callable[[float], None]) -> None:
        """Call what with the time, at a time (monotonic seconds) or soon after."""
        heapq.heappush(self._heap, (when, next(self._order), what))

    def ring(self, now: float) -> None:
        """Call all whose time has come."""
        while self._heap and self._heap[0][0] <= now:
            heapq.heappop(self._heap)[2](now)
