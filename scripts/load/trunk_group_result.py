"""Calls to a group of trunks that go and come back: what is offered, and what a run has shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from scripts.load import figures
from scripts.load.offered import OfferedCalls
from scripts.load.outcome import Outcome

MARGIN = 1.0
"""Seconds above the failover time that a call may take: a machine that is busy is no fault of the group's."""
BUSY = 503
"""What the proxy says that has too much to do."""
TOLD = 20
"""Failed calls that are told one by one."""


@dataclass(frozen=True, kw_only=True)
class Group(OfferedCalls):
    """What is offered to the proxy, and what happens meanwhile."""

    rate: float = 250.0
    """New calls a second."""
    seconds: float = 90.0
    failover: float = 5.0
    """`groups.failover`."""
    options: float = 0.0
    """`trunks.health.options`; 0: only calls find out."""
    talk: int = 500

    @property
    def killed_at(self) -> float:
        """Return after how many seconds the first trunk is killed."""
        return self.seconds * 0.2

    @property
    def swallows_at(self) -> float:
        """Return after how many the second one begins to swallow."""
        return self.seconds * 0.4

    @property
    def back_at(self) -> float:
        """Return after how many both are back."""
        return self.seconds * 0.6

    @property
    def marks(self) -> Mapping[str, float]:
        """Return what happens when."""
        return {"first killed": self.killed_at, "second swallows": self.swallows_at, "both back": self.back_at}


class Failed(NamedTuple):
    """A call that was not answered, or whose end was not."""

    call: int
    at: float
    """When it began, seconds since the run did."""
    state: str
    """`called`, `rang`, `up`."""
    status: int
    """Of its last answer; 408: none came."""
    took: float
    """Seconds from its beginning to its last word, or to the moment in which the caller gave up."""
    trunks: tuple[str, ...]
    """Where its INVITE was seen."""
    unavoidable: bool
    """Whether it rang or was up at a trunk when that went."""

    def text(self) -> str:
        """Return it for a person."""
        return (
            f"    call {self.call} at {self.at:.2f} s: {self.state}, {self.status}, after {self.took:.2f} s, seen at "
            f"{', '.join(self.trunks) or 'no trunk'}{' (went with it)' if self.unavoidable else ''}"
        )


@dataclass(frozen=True, kw_only=True)
class Grouped(Outcome):
    """What a run has shown."""

    scenario = "trunk-group"
    load: Group
    calls: int
    answered: int
    ended: int
    by_trunk: dict[str, int]
    failures: list[Failed]
    normal_ms: dict[str, float | None]
    """Set-up times before anything happened."""
    all_ms: dict[str, float | None]
    delayed: int
    """Calls that were set up, and took half of the failover time or more."""
    longest_beyond: float
    """Seconds that the longest set-up took beyond the median before anything happened, of calls that could be moved."""
    detection: dict[str, float | None]
    """Trunk → seconds from its end to the beginning of the last call of the first wave that had to wait for it."""
    back: dict[str, float | None]
    """Trunk → seconds from its return to the first call that it answered."""
    probes: int
    """Delayed calls behind that wave: the one in half a minute that finds out."""
    leaks: int
    cpu_us_per_call: float | None

    @property
    def lost(self) -> list[Failed]:
        """Return the calls that another trunk could have taken."""
        return [each for each in self.failures if not each.unavoidable and each.status != BUSY]

    @property
    def refused(self) -> int:
        """Return the calls that got 503: of the proxy, which had too much to do, for no trunk here says it."""
        return sum(1 for each in self.failures if each.status == BUSY)

    @property
    def leaking(self) -> bool:
        """Tell whether a trunk saw a caller's number."""
        return self.leaks > 0

    @property
    def failing(self) -> bool:
        """Tell whether a call was lost, or took longer than the failover time allows."""
        return bool(self.lost) or self.longest_beyond > self.load.failover + MARGIN

    def head(self) -> str:
        """Return what was played."""
        load = self.load
        return (
            f"{load.rate:g} calls/s for {load.seconds:g} s, first killed at {load.killed_at:g} s, second swallows from "
            f"{load.swallows_at:g} s, both back at {load.back_at:g} s"
        )

    def rows(self) -> Mapping[str, str]:
        """Return what came of it."""
        kinds = Counter((each.state, each.status) for each in self.failures if each.unavoidable)
        gone = ", ".join(f"{state} {number}" for (state, _), number in kinds.items())
        return {
            "calls": f"{self.calls}, answered {self.answered}, ended by BYE {self.ended}",
            "by trunk": ", ".join(f"{name} {number}" for name, number in self.by_trunk.items()),
            "lost": str(len(self.lost)),
            "refused (503)": str(self.refused),
            "went with a trunk": f"{sum(kinds.values())}" + (f" ({gone})" if gone else ""),
            "set-up before, ms": figures.words(self.normal_ms),
            "set-up in all, ms": figures.words(self.all_ms),
            "delayed": f"{self.delayed}, of which {self.probes} later found out whether a trunk is back",
            "longest beyond": f"{self.longest_beyond:.2f} s (failover {self.load.failover:g} s)",
            "detection, s": _seconds(self.detection),
            "back in use, s": _seconds(self.back),
            "CPU of the proxy": "-" if self.cpu_us_per_call is None else f"{self.cpu_us_per_call:.0f} µs a call",
        }

    def notes(self) -> list[str]:
        """Return what happened to the first calls that failed, and what leaked."""
        told = [each.text() for each in self.failures if each.status != BUSY][:TOLD]
        return [*told, f"  LEAKS: {self.leaks} messages had a caller's number" if self.leaks else "  no leaks"]

    def figures(self) -> dict[str, Any]:
        """Return what came of it for a program."""
        failures = [each._asdict() for each in self.failures]
        return {**super().figures(), "failures": failures, "lost": len(self.lost), "refused": self.refused}


def _seconds(times: dict[str, float | None]) -> str:
    return ", ".join(f"{name} {'-' if at is None else f'{at:.2f}'}" for name, at in times.items())
