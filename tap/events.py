"""The core's events as log lines: the first of the ledgers to come, and the only one without a file."""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger, LogLevel

from proxy.sinks import Event
from tap.throttle import Throttle

LEVELS = {
    "call": LogLevel.debug,
    "answered": LogLevel.debug,
    "ended": LogLevel.debug,
    "dropped": LogLevel.debug,
    "refused": LogLevel.debug,
    "recording": LogLevel.info,
    "recording-refused": LogLevel.warn,
    "token-refused": LogLevel.warn,
    "emergency": LogLevel.info,
    "privacy-override": LogLevel.info,
    "overload": LogLevel.warn,
    "failover": LogLevel.warn,
    "authentication": LogLevel.info,
    "challenge": LogLevel.warn,
    "guard": LogLevel.warn,
    "registered": LogLevel.info,
    "registration-failed": LogLevel.warn,
    "failed-closed": LogLevel.error,
}
"""Level of each kind of proxy.sinks.EVENTS. What every call and every stranger causes is for debugging only."""

_ORDER = ("debug", "info", "warn", "error")


class EventLog:
    """Writes events, at most a few a second of one kind, so that strangers cannot fill a disk."""

    def __init__(self, log: Logger, clock: Callable[[], float], level: str = "info") -> None:
        """Write events of level and above to log; below it an event costs one look-up in a set."""
        least = _ORDER.index(level)
        self._log = log
        self._written = frozenset(kind for kind, at in LEVELS.items() if _ORDER.index(at.name) >= least)
        self._throttle = Throttle(clock)

    def __call__(self, event: Event) -> None:
        """Take note of an event."""
        if event.kind not in self._written or not self._throttle.allows(event.kind):
            return
        missing = self._throttle.suppressed()
        self._log.emit(
            LEVELS[event.kind],
            "{kind} peer={peer} call={call} detail={detail}{more}",
            kind=event.kind,
            peer=event.peer or "-",
            call=event.call or "-",
            detail=event.detail or "-",
            more=f" ({missing} more events were not written)" if missing else "",
        )
