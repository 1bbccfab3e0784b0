"""How many calls each trunk has, softly: nothing hangs on this count but whether a further call is let in.

There is no dialog table, so the count is one of keyed pseudonyms of calls: put in when an INVITE leaves for the trunk,
taken out when it fails or a BYE passes, renewed by what comes within the call, and gone by itself after a while. After
a restart it begins at none and learns of calls that are up by their re-INVITEs. With several workers each has its share
of the limit, and a BYE from the trunk's side may reach another one than the INVITE did: then the call is counted until
it has been quiet for long enough.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from config.settings import Trunk
from proxy.crossing import Crossing
from proxy.party import Party

_OF_A_CALL = (b"INVITE", b"UPDATE", b"INFO", b"PRACK")
"""Methods that only come within calls: after a restart they tell of one that is up."""
PURGE_EVERY = 1.0
"""Seconds between two looks through a full trunk for calls that went quiet."""


class _Count:
    """Calls and rate of one trunk."""

    __slots__ = ("at", "calls", "purged", "tokens")

    def __init__(self, now: float) -> None:
        self.calls: dict[bytes, float] = {}
        """Pseudonym of a call → when it is counted no more."""
        self.tokens = -1.0
        """Calls that may come at once; below 0 where nothing has been counted yet."""
        self.at = now
        """When the tokens were last worked out."""
        self.purged = -PURGE_EVERY


class TrunkLimits:
    """The counts of one core."""

    __slots__ = ("_counts", "_workers", "active")

    def __init__(self, workers: int) -> None:
        """Begin with no calls; limits are shared among so many workers."""
        self._counts: dict[str, _Count] = {}
        self._workers = workers
        self.active = False
        """Whether any trunk was ever counted: what comes within calls is only looked at then."""

    def reached(self, trunk: Trunk, now: float) -> str:
        """Return which limit keeps a further call from a trunk: `calls`, `rate`, or "" for none."""
        limits, count = trunk.limits, self._counts.get(trunk.name)
        if limits is None or count is None:
            return ""
        if limits.calls is not None and self._is_full(count, ceil(limits.calls / self._workers), now):
            return "calls"
        if limits.rate is not None:
            self._refill(count, limits.rate / self._workers, now)
            # What floating point takes from a token must not cost a call.
            if count.tokens < 1 - 1e-9:
                return "rate"
        return ""

    def take(self, trunk: Trunk, call: bytes, now: float) -> None:
        """Count a call that goes to a trunk."""
        limits = trunk.limits
        if limits is None:
            return
        count = self._counts.get(trunk.name)
        if count is None:
            count = self._counts[trunk.name] = _Count(now)
            self.active = True
        if limits.rate is not None:
            self._refill(count, limits.rate / self._workers, now)
            count.tokens = max(0.0, count.tokens - 1)
        if limits.calls is not None:
            self._put(count, trunk, call, now)

    def leave(self, party: Party, call: bytes) -> None:
        """Count a call of a side no more, if it is counted there."""
        count = self._counts.get(party.label) if party.is_limited else None
        if count is not None:
            count.calls.pop(call, None)

    def within(self, crossing: Crossing, now: float) -> None:
        """Renew what a request in a dialog belongs to, or take it out where it ends it."""
        method, call = crossing.request.method, crossing.base.call
        for party in (crossing.source, crossing.hop.party):
            if not party.is_limited or party.trunk is None:
                continue
            if method == b"BYE":
                self.leave(party, call)
            elif method in _OF_A_CALL:
                self._renew(party.trunk, call, now)

    def calls(self, name: str) -> int:
        """Return how many calls are counted for a trunk."""
        count = self._counts.get(name)
        return len(count.calls) if count is not None else 0

    def adopt(self, trunks: Iterable[Trunk]) -> None:
        """Count for these trunks alone from now on."""
        limited = [trunk for trunk in trunks if trunk.limits is not None]
        names = {trunk.name for trunk in limited}
        self._counts = {name: count for name, count in self._counts.items() if name in names}
        # Where nothing is counted yet there may be calls all the same: from before a restart, or before the limit.
        self.active = bool(limited)

    def _renew(self, trunk: Trunk, call: bytes, now: float) -> None:
        limits = trunk.limits
        if limits is None or limits.calls is None:
            return
        count = self._counts.get(trunk.name)
        if count is None:
            count = self._counts[trunk.name] = _Count(now)
        # With several workers another one may have it already.
        if call in count.calls or self._workers == 1:
            self._put(count, trunk, call, now)

    def _put(self, count: _Count, trunk: Trunk, call: bytes, now: float) -> None:
        """Count a call; more than twice the limit are not told apart, so that emergency calls cannot fill memory."""
        limits = trunk.limits
        if limits is None or limits.calls is None:
            return
        if call in count.calls or len(count.calls) < 2 * limits.calls:
            count.calls[call] = now + limits.quiet

    def _is_full(self, count: _Count, most: int, now: float) -> bool:
        if len(count.calls) < most:
            return False
        if now - count.purged >= PURGE_EVERY:
            count.purged = now
            count.calls = {call: until for call, until in count.calls.items() if until > now}
        return len(count.calls) >= most

    def _refill(self, count: _Count, rate: float, now: float) -> None:
        """Let tokens come back at the rate; a bucket holds those of a second, and one at least."""
        room = max(1.0, rate)
        count.tokens = room if count.tokens < 0 else min(room, count.tokens + (now - count.at) * rate)
        count.at = now
