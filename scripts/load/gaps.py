"""How long nothing came from the proxy: the pauses between messages at the trunk.

SIPp stamps each message with microseconds when it reads it, so nothing has to be sent to find out. What is measured
is the proxy's pause and that of a SIPp which had to wait for its core; so a pause says something only beside others
of the same run.
"""

from __future__ import annotations

from collections.abc import Callable

LEAST = 0.002
"""Seconds from which a pause is remembered: shorter ones are between any two messages."""


class Gaps:
    """Takes the times of messages, in the order in which they came."""

    def __init__(self) -> None:
        """Begin with none."""
        self._last: float | None = None
        self._gaps: list[tuple[float, float]] = []

    def message(self, at: float) -> None:
        """Take note that a message came, at Unix seconds."""
        if self._last is not None and at - self._last >= LEAST:
            self._gaps.append((self._last, at))
        self._last = at

    def longest(self, during: Callable[[float, float], bool]) -> float:
        """Return the milliseconds of the longest pause of which `during` is true, 0 where there was none."""
        return max(((ended - began) * 1000 for began, ended in self._gaps if during(began, ended)), default=0.0)
