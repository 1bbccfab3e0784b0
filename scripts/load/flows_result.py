"""Thousands of registered connections: what is offered, and what a run has shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.load import figures
from scripts.load.looks import MEGABYTE
from scripts.load.offered import Offered
from scripts.load.outcome import Outcome


@dataclass(frozen=True, kw_only=True)
class Flows(Offered):
    """What is offered to the proxy."""

    flows: int = 0
    """How many; 0: as many as there may be."""
    seconds: float = 60.0
    """How long they are kept alive once all are there."""
    keep_alive: float = 20.0
    """Seconds between two pings of a phone."""
    calls: int = 100
    """Flows that are called then."""
    digest: bool = True
    tls: bool = False


@dataclass(frozen=True, kw_only=True)
class Flowing(Outcome):
    """What a run has shown."""

    scenario = "flows"
    load: Flows
    wanted: int
    registered: int
    registering_seconds: float
    register_ms: dict[str, float | None]
    register_cpu_us: float
    """The proxy's, for a connection with its registration."""
    resident_before: int
    resident_after: int
    held_cpu_percent: float
    """Of a core, while they were only kept alive."""
    pongs: int
    pong_ms: dict[str, float | None]
    lost: dict[str, int]
    """Why flows ended → how many."""
    called: int
    answered: int
    ended: int
    """Calls whose BYE was answered."""
    refused: dict[int, int]

    @property
    def bytes_per_flow(self) -> float:
        """Return what the proxy's memory grew by for each flow."""
        return (self.resident_after - self.resident_before) / max(1, self.registered)

    @property
    def leaking(self) -> bool:
        """No trunk hears anything of a phone here but its answers, which are not searched."""
        return False

    @property
    def failing(self) -> bool:
        """Tell whether a flow or a call was lost."""
        return bool(self.lost) or self.registered < self.wanted or min(self.answered, self.ended) < self.called

    def head(self) -> str:
        """Return what was played."""
        load = self.load
        return (
            f"{self.wanted} over {'TLS' if load.tls else 'TCP'}, {'digest' if load.digest else 'no passwords'}, a ping "
            f"every {load.keep_alive:g} s for {load.seconds:g} s"
        )

    def rows(self) -> Mapping[str, str]:
        """Return what came of it."""
        refused = ", ".join(f"{code} {number}" for code, number in self.refused.items())
        lost = ", ".join(f"{why} {number}" for why, number in self.lost.items())
        rate = self.registered / max(0.001, self.registering_seconds)
        before, after = (size / MEGABYTE for size in (self.resident_before, self.resident_after))
        return {
            "registered": f"{self.registered} of {self.wanted}, {rate:.0f}/s, "
            f"{self.register_cpu_us:.0f} µs of CPU each",
            "to the 200, ms": figures.words(self.register_ms),
            "memory per flow": f"{self.bytes_per_flow / 1024:.1f} KiB ({before:.1f} MB before, {after:.1f} after)",
            "keep-alives": f"{self.pongs} answered, ms: {figures.words(self.pong_ms)}",
            "CPU meanwhile": f"{self.held_cpu_percent:.1f} % of a core",
            "flows lost": f"{sum(self.lost.values())}" + (f" ({lost})" if lost else ""),
            "called": f"{self.called}, answered {self.answered}, ended {self.ended}"
            + (f" ({refused})" if refused else ""),
        }

    def figures(self) -> dict[str, Any]:
        """Return what came of it for a program."""
        return {**super().figures(), "bytes_per_flow": self.bytes_per_flow}
