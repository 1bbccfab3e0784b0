"""A result for tests of what is made of results."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scripts.load.result import Result

GOOD = Result(
    scenario="rich", rate=100.0, limit=0, sources=1, ports=1, workers=1, calls=1000, completed=1000, refused=0,
    failed=0, reasons={}, surprise=None, retransmissions=2, dropped=0, seconds=10.2, achieved=99.9, ring_ms=20,
    set_up_ms={"p50": 24.0, "p90": 28.0, "p99": 32.0, "max": 64.0}, cpu_us_per_call=412.3,
    cpu_us_by_process=[412_300], cpu_percent=4.0, resident_before=60 << 20, resident_after=64 << 20,
    searched=3000, searched_decoded=2900, leaks=[],
)  # fmt: skip


def result(**changes: Any) -> Result:
    """Return a good result with changes."""
    return replace(GOOD, **changes)
