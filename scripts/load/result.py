"""What a run has shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple


class Leak(NamedTuple):
    """A planted value that arrived at the trunk."""

    place: str
    """Where it was planted, as scripts/load/canaries.py calls it."""
    message: str
    """`INVITE`, `200 to INVITE`."""
    messages: int
    """How many messages had it."""


@dataclass(frozen=True, kw_only=True)
class Reloading:
    """What came of reloads during a run."""

    made: int
    refused: list[str]
    """Why others were not."""
    longest_ms: float
    """From the request to its answer: it is prepared in a thread, so calls do not wait for it."""
    gap_ms: float
    """Longest pause between two messages at the trunk while one was made."""
    other_gap_ms: float
    """Longest pause at other times of the run, to compare: what the machine did to all."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One run's figures."""

    scenario: str
    rate: float
    """Calls a second that were offered."""
    limit: int
    sources: int
    """Addresses that the calls came from."""
    ports: int
    """Ports that they came from at a time, of one address."""
    workers: int
    calls: int
    completed: int
    """Calls that went as written."""
    refused: int
    """Calls that the proxy refused with 503: not completed, not failed."""
    failed: int
    reasons: dict[str, int]
    """SIPp's names of what made calls fail."""
    surprise: str | None
    """The first message that made a call fail."""
    retransmissions: int
    """Messages that callers and trunk repeated."""
    dropped: int
    """Datagrams for the proxy that the kernel threw away. Without these what was repeated was late, not lost."""
    seconds: float
    achieved: float
    """Calls set up a second, in the middle eight tenths."""
    ring_ms: int
    """What of each set-up time is the trunk's ringing."""
    set_up_ms: dict[str, float | None]
    """p50, p90, p99 and max of the time from INVITE to its answer (OPTIONS: to 200; cancel: to 180; busy: to 486)."""
    cpu_us_per_call: float | None
    """The proxy's CPU by completed calls; None where none was."""
    cpu_us_by_process: list[int]
    """Parent first."""
    cpu_percent: float
    """Of one core."""
    resident_before: int
    resident_after: int
    searched: int
    """Messages at the trunk that were searched for canaries: all of them."""
    searched_decoded: int
    """How many of these were searched decoded too."""
    leaks: list[Leak]
    reloads: Reloading | None = None
    """What came of reloading meanwhile; None where nobody asked for it."""

    def as_json(self) -> dict[str, Any]:
        """Return what json.dumps takes."""
        return asdict(self) | {"leaks": [leak._asdict() for leak in self.leaks]}
