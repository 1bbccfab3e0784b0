"""How far the proxy is behind, and what share of new requests it takes: no clock, no socket, only numbers.

The measure is how long a datagram had to wait in the kernel's queue before we read it. Event-loop lag, slow
timers, too many calls: whatever holds us up shows there, and nothing else does. As in CoDel (RFC 8289 §3.2) a
queue that only comes and goes is no overload: 500 calls at once are taken if they drain. Only a queue that stands
is. From then on the share of new requests falls in proportion to the wait, so that the queue settles where
what we take is what we can carry, rather than swing between all and nothing (RFC 6357 §5, RFC 7339 §6).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from config.settings import Overload as OverloadSettings

STANDING = 0.1
"""Seconds that the queue must have stood above the limit before requests are refused (RFC 8289 §4.3: its interval)."""
AT_ONCE = 3.0
"""So many times the limit is not waited out: what is set up now crosses the queue two or three times already."""
EASE = 0.2
"""Below this part of the limit everything is taken."""
CALM = 1.0
"""Seconds that it must have been eased before overload counts as over: it is not announced ten times a second."""
FULL = 0.5
"""Filled to this part, a receive buffer counts as a wait at the limit: the kernel would soon drop BYEs too.

With the 208 KiB that Linux gives by default, a buffer holds no more than some 5 ms.
"""


class Overload:
    """Decides from the listeners' measurements whether to refuse, and how much."""

    __slots__ = (
        "_above_since",
        "_changed",
        "_eased_since",
        "_enabled",
        "_limit",
        "_pressures",
        "_waits",
        "active",
        "share",
    )

    def __init__(self, settings: OverloadSettings, changed: Callable[[bool], None]) -> None:
        """Begin at ease.

        Args:
            settings: the limit.
            changed: told when overload begins (True) and when it is over (False).
        """
        self.active = False
        """Whether new requests are looked at for refusal at all: what the hot path tests."""
        self.share = 1.0
        """Part of the new requests that is taken, 0 to 1."""
        self._enabled = settings.enabled
        self._limit = settings.max_delay
        self._changed = changed
        self._pressures: dict[Hashable, float] = {}
        self._waits: dict[Hashable, float] = {}
        self._above_since: float | None = None
        self._eased_since = 0.0

    def obey(self, settings: OverloadSettings) -> None:
        """Follow new settings; where overload control is switched off, overload is over."""
        self._enabled = settings.enabled
        self._limit = settings.max_delay
        if self.active and not self._enabled:
            self.active = False
            self.share = 1.0
            self._above_since = None
            self._changed(False)

    @property
    def wait(self) -> float:
        """Return the longest wait measured last, over all queues; seconds."""
        return max(self._waits.values(), default=0.0)

    def measured(self, queue: Hashable, wait: float, fill: float, now: float) -> None:
        """Take note of one queue.

        Args:
            queue: which one; any hashable.
            wait: seconds that the datagram just read had waited; 0 for a queue that was emptied.
            fill: how full the queue is, 0 to 1.
            now: monotonic seconds.
        """
        self._waits[queue] = wait
        self._pressures[queue] = max(wait / self._limit, fill / FULL)
        if self._enabled:
            self._decide(now)

    def tick(self, now: float) -> None:
        """Let time pass: queues that are always emptied report nothing."""
        if self.active:
            self._decide(now)

    def takes(self, key: Hashable) -> bool:
        """Tell whether a new request is taken.

        Args:
            key: bytes that a request has in common with its retransmissions only. They are judged alike, or one
                might ring where its first copy was refused; and a second attempt has its own luck. Python's hash
                of bytes is keyed at random for each process, so nobody can choose keys that always pass.
        """
        return hash(key) & 0xFFFF < self.share * 0x10000

    def _decide(self, now: float) -> None:
        """Follow the queue with the most pressure."""
        pressure = max(self._pressures.values(), default=0.0)
        if not self.active and self._stands(pressure, now):
            self.active = True
            self._changed(True)
        if not self.active:
            return
        self.share = min(1.0, max(0.0, (1 - pressure) / (1 - EASE)))
        if pressure > EASE:
            self._eased_since = now
        elif now - self._eased_since >= CALM:
            self.active = False
            self._above_since = None
            self._changed(False)

    def _stands(self, pressure: float, now: float) -> bool:
        """Tell whether the queue is more than a burst."""
        if pressure < 1:
            self._above_since = None
            return False
        if self._above_since is None:
            self._above_since = now
        return pressure >= AT_ONCE or now - self._above_since >= STANDING
