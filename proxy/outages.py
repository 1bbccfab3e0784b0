"""Targets that are passed over while another is left: they were silent, or asked to be left alone (RFC 3263 §4.3).

Without this each call would wait for timer B anew. A silent target is tried again after a while by one request alone;
the others pass it over until that one was answered. Only a target that has an alternative is ever passed over, so no
call is lost by what is remembered here, and for a bounded time only.

This is a circuit breaker for each address: silence, a Retry-After or some 503 in a row open it; after a while it is
half open, and the request that goes through then, or an OPTIONS of ours (`proxy/probes.py`), closes or opens it.
"""

from __future__ import annotations

from typing import NamedTuple

from proxy.location import Address

SILENT_FOR = 30.0
"""Seconds that a target which did not answer is passed over."""
PROBE_FOR = 40.0
"""Seconds that it is passed over further while one request tries it: 64*T1 and some."""
MAX_BUSY = 300.0
"""Seconds that a 503 may keep us away at most, whatever its Retry-After says (standards.md §1.3.4)."""
MAX_MARKS = 1024
"""Most targets remembered; the oldest leaves first."""


class _Mark(NamedTuple):
    until: float
    is_silent: bool
    """Whether an answer ends it; a Retry-After holds, whatever else comes (RFC 3261 §21.5.4)."""
    refuses: bool = False
    """Whether it has answered, and with 503: then what ends it has to be another answer to an INVITE."""


class Outages:
    """The memory of one core."""

    __slots__ = ("marks", "refusals", "trunks")

    def __init__(self) -> None:
        """Begin with all targets in service."""
        self.marks: dict[Address, _Mark] = {}
        self.refusals: dict[Address, int] = {}
        """How many 503 in a row each address has answered, of those that have."""
        self.trunks: set[str] = set()
        """Names of trunks that are of no use as long as we are not registered there."""

    def silent(self, address: Address, now: float) -> None:
        """Note that a target did not answer, or could not be reached."""
        self._put(address, _Mark(now + SILENT_FOR, is_silent=True))

    def busy(self, address: Address, seconds: float, now: float) -> None:
        """Note that a target wants to be left alone for some seconds."""
        self._put(address, _Mark(now + min(seconds, MAX_BUSY), is_silent=False))

    def refused(self, address: Address, limit: int, now: float) -> None:
        """Note a 503 that says nothing of when to come back: so many in a row are an outage."""
        count = self.refusals.pop(address, 0) + 1
        mark = self.marks.get(address)
        if count >= limit or (mark is not None and mark.refuses):
            self._put(address, _Mark(now + SILENT_FOR, is_silent=True, refuses=True))
            return
        self.refusals[address] = count
        if len(self.refusals) > MAX_MARKS:
            del self.refusals[next(iter(self.refusals))]

    def heard(self, address: Address, status: int, *, takes_calls: bool) -> None:
        """Note that a target answers; `takes_calls`: that it has answered an INVITE."""
        if takes_calls and status != 503:
            self.refusals.pop(address, None)
        mark = self.marks.get(address)
        if mark is not None and mark.is_silent and (not mark.refuses or (takes_calls and status != 503)):
            del self.marks[address]

    def probed(self, address: Address, now: float) -> None:
        """Note that a target answers our OPTIONS: where it has refused calls, the next one may find out."""
        mark = self.marks.get(address)
        if mark is not None and mark.refuses:
            self.marks[address] = mark._replace(until=min(mark.until, now))

    def passed_over(self, address: Address, now: float, *, may_probe: bool) -> bool:
        """Tell whether to try others first.

        Args:
            address: of a target that is about to be tried.
            now: the time.
            may_probe: whether this request may find out if a silent one is back; else it leaves that to others.
        """
        mark = self.marks.get(address)
        if mark is None:
            return False
        if now < mark.until or (mark.is_silent and not may_probe):
            return True
        if mark.is_silent:
            self.marks[address] = mark._replace(until=now + PROBE_FOR)
        else:
            del self.marks[address]
        return False

    def is_out(self, address: Address, now: float) -> bool:
        """Tell whether a target is passed over now, finding nothing out."""
        mark = self.marks.get(address)
        return mark is not None and now < mark.until

    def _put(self, address: Address, mark: _Mark) -> None:
        self.marks.pop(address, None)
        self.marks[address] = mark
        if len(self.marks) > MAX_MARKS:
            del self.marks[next(iter(self.marks))]
