"""Calls of phones with passwords: what is offered, and what a run has shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.benchmark.generator import Played
from scripts.load.looks import MEGABYTE
from scripts.load.offered import OfferedCalls
from scripts.load.outcome import Outcome

MOST_SOURCES = 64


@dataclass(frozen=True, kw_only=True)
class Calls(OfferedCalls):
    """What is offered to the proxy."""

    rate: int = 1000
    """New calls a second."""
    seconds: int = 10
    accounts: int = 5000
    """Callers, in turn; each may make `guard.subscriber_calls` a minute."""
    sources: int = MOST_SOURCES
    """Addresses that they share."""
    algorithm: str = "SHA-256"
    reuse: bool = False
    """Whether a phone begins its next call with the nonce that it has, as most do."""
    workers: int = 1
    port: int = 0


@dataclass(frozen=True, kw_only=True)
class Authenticated(Outcome):
    """What a run has shown."""

    scenario = "authenticated"
    load: Calls
    played: Played
    dropped: int
    """Datagrams for the proxy that the kernel threw away."""
    cpu_us_per_call: float | None
    cpu_percent: float
    generator_percent: float
    """Of a core: above some 80 it is the generator that is measured."""
    resident_before: int
    resident_after: int

    @property
    def lost(self) -> int:
        """Return the calls that got no final answer, or whose BYE got none."""
        return self.played.expired + self.played.unfinished

    @property
    def busy(self) -> int:
        """Return the calls that the proxy refused with 503."""
        return self.played.statuses.get("503", 0)

    @property
    def failed(self) -> int:
        """Return the calls that were refused with anything else."""
        return self.played.refused - self.busy

    @property
    def leaking(self) -> bool:
        """Tell whether the trunk saw what it should not."""
        return self.played.leaks > 0

    @property
    def failing(self) -> bool:
        """Tell whether a call was lost or failed."""
        return self.lost + self.failed > 0

    def head(self) -> str:
        """Return what was played."""
        load = self.load
        nonce = "its last nonce" if load.reuse else "no credentials"
        return (
            f"{load.rate} calls/s for {load.seconds} s, {load.algorithm}, {load.accounts} accounts at {load.sources} "
            f"addresses, a call begins with {nonce}"
        )

    def rows(self) -> Mapping[str, str]:
        """Return what came of it."""
        played = self.played
        missing = ", ".join(f"{what} {number}" for what, number in played.expired_in.items() if number)
        others = ", ".join(f"{code} {number}" for code, number in played.statuses.items() if code != "503")
        cpu = "-" if self.cpu_us_per_call is None else f"{self.cpu_us_per_call:.0f}"
        before, after = (size / MEGABYTE for size in (self.resident_before, self.resident_after))
        return {
            "calls/s": f"{played.rate:.1f} over {played.elapsed:.1f} s",
            "completed": f"{played.completed} of {played.created}",
            "lost": f"{self.lost}" + (f" ({missing})" if missing else ""),
            "failed": f"{self.failed}" + (f" ({others})" if others else ""),
            "refused (503)": f"{self.busy}",
            "challenges": f"{played.challenges}, of which {played.stale} for a nonce that did not hold any longer",
            "retransmissions": f"{played.retransmissions}",
            "lost (full buffer)": f"{self.dropped}",
            "set-up time, ms": f"p50 {played.setup_p50:.1f}, p95 {played.setup_p95:.1f}, p99 {played.setup_p99:.1f}, "
            f"max {played.setup_max:.1f} (rings {self.load.ring})",
            "CPU of the proxy": f"{cpu} µs a call, {self.cpu_percent:.0f} % of a core",
            "of the generator": f"{self.generator_percent:.0f} % of a core, behind by {played.late:.1f} ms at worst",
            "its memory, MB": f"{after:.1f}, before the first call {before:.1f}",
            "searched": f"{played.checked} requests at the trunk",
        }

    def notes(self) -> list[str]:
        """Return what leaked."""
        played = self.played
        return [f"  LEAKS: {played.leaked!r} and more in {played.leaks} requests" if self.leaking else "  no leaks"]

    def figures(self) -> dict[str, Any]:
        """Return what came of it for a program: what the generator has counted stands beside the rest."""
        mine = super().figures()
        played = mine.pop("played")._asdict() | {"expired_in": dict(self.played.expired_in)}
        return {**played, **mine, "lost": self.lost, "busy": self.busy, "failed": self.failed}
