"""Where exceptions end: none that a message, a timer or an answer causes may reach the reactor."""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from tap.log import where
from tap.throttle import Throttle

PLACES = ("datagram", "message", "timer", "lookup", "registration")
"""From where the core is called: a datagram or a message on a connection came, time passed, addresses were found,
another worker told who is registered."""


class Boundary:
    """Counts and writes down what the core raised: type and place, never the text."""

    def __init__(self, log: Logger, clock: Callable[[], float]) -> None:
        """Write to log, of each place in the code at most one line a second."""
        self.counts = dict.fromkeys(PLACES, 0)
        self._log = log
        self._throttle = Throttle(clock, per_second=1)

    def failed(self, place: str, error: Exception) -> None:
        """Take note of an exception."""
        self.counts[place] += 1
        spot = where(error)
        if self._throttle.allows(spot):
            self._log.error("{place} failed: {spot}", place=place, spot=spot)

    def run(self, place: str, call: Callable[[], object]) -> None:
        """Call, and take note of what it raises."""
        try:
            call()
        except Exception as error:  # the boundary itself
            self.failed(place, error)
