"""At most so many lines a second of one kind: what strangers send must not fill a disk."""

from __future__ import annotations

from collections.abc import Callable, Hashable


class Throttle:
    """Counts what it lets through by key and second."""

    def __init__(self, clock: Callable[[], float], per_second: int = 10, max_keys: int = 1024) -> None:
        """Let through per_second of each key; more than max_keys keys within a second count as one."""
        self._clock = clock
        self._per_second = per_second
        self._max_keys = max_keys
        self._second = 0
        self._seen: dict[Hashable, int] = {}
        self._suppressed = 0

    def allows(self, key: Hashable) -> bool:
        """Tell whether one more of key may pass now."""
        second = int(self._clock())
        if second != self._second:
            self._second = second
            self._seen.clear()
        if key not in self._seen and len(self._seen) >= self._max_keys:
            key = None
        self._seen[key] = self._seen.get(key, 0) + 1
        if self._seen[key] <= self._per_second:
            return True
        self._suppressed += 1
        return False

    def suppressed(self) -> int:
        """Return how many did not pass since this was last asked."""
        count, self._suppressed = self._suppressed, 0
        return count
