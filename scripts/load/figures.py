"""From SIPp's files to figures: its statistics (-trace_stat) and its response times (-trace_rtt)."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Counts(NamedTuple):
    """What a SIPp has counted so far."""

    created: int = 0
    succeeded: int = 0
    """Calls that went as written, those that were refused with 503 included."""
    failed: int = 0
    refused: int = 0
    current: int = 0
    """Calls in flight."""
    retransmissions: int = 0
    """Messages that this SIPp repeated."""

    def __add__(self, other: object) -> Counts:
        """Return both together."""
        if not isinstance(other, Counts):
            return NotImplemented
        return Counts(*(mine + its for mine, its in zip(self, other, strict=True)))


def counts(path: Path) -> Counts:
    """Return the last complete row of a statistics file; zeros where there is none yet."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return Counts()
    lines = text[: text.rfind("\n") + 1].splitlines()  # the last may be half written
    if len(lines) < 2:
        return Counts()
    row = next(csv.DictReader([lines[0], lines[-1]], delimiter=";"))
    return Counts(
        created=int(row["TotalCallCreated"]),
        succeeded=int(row["SuccessfulCall(C)"]),
        failed=int(row["FailedCall(C)"]),
        refused=int(row.get("refused(C)") or 0),
        current=int(row["CurrentCall"]),
        retransmissions=int(row["Retransmissions(C)"]),
    )


def why_failed(path: Path) -> dict[str, int]:
    """Return SIPp's reasons for failed calls with their numbers, zeros left out."""
    lines = path.read_text().splitlines()
    row = next(csv.DictReader([lines[0], lines[-1]], delimiter=";"))
    reasons = {key[6:-3]: int(value) for key, value in row.items()
               if key.startswith("Failed") and key.endswith("(C)") and key != "FailedCall(C)"}  # fmt: skip
    return {reason: number for reason, number in reasons.items() if number}


class SetUp(NamedTuple):
    """A call that was set up, as the caller saw it."""

    at: float
    """Milliseconds of the caller's clock."""
    took: float
    """Milliseconds, as exact as SIPp's clock: the kernel's coarse one, which moves every 1 to 4."""


def set_ups(path: Path) -> list[SetUp]:
    """Return all calls in a -trace_rtt file, the first to be set up first."""
    try:
        lines = path.read_text().splitlines()[1:]
    except FileNotFoundError:
        return []
    return sorted(SetUp(float(fields[0]), float(fields[1])) for line in lines if len(fields := line.split(";")) == 3)


def steady_rate(calls: Sequence[SetUp]) -> float:
    """Return the calls a second of the middle eight tenths: neither the start nor one that came late distorts it."""
    tenth = len(calls) // 10
    middle = calls[tenth : len(calls) - tenth]
    if len(middle) < 2 or middle[-1].at == middle[0].at:
        return 0.0
    return (len(middle) - 1) * 1000 / (middle[-1].at - middle[0].at)


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the least value that so large a share of all does not exceed (nearest rank); None of nothing."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def percentiles(values: Sequence[float]) -> dict[str, float | None]:
    """Return p50, p90, p99 and max."""
    ordered = sorted(values)
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return {name: percentile(ordered, share) for name, share in shares.items()}


def words(times: Mapping[str, float | None]) -> str:
    """Return percentiles for a person."""
    return ", ".join(f"{name} {'-' if value is None else f'{value:.1f}'}" for name, value in times.items())
