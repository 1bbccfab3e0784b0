"""The stored baseline of `scripts/bench core`, so that a change shows.

Kept are lower quartiles in units of the calibration's fixed work: another machine reproduces these far better than
microseconds, and what neighbours on a machine do only ever adds.
"""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from scripts.benchmark.core import Sample
from scripts.benchmark.errors import BenchError
from scripts.benchmark.spread import NOISE

FILE = Path(__file__).with_name("baseline.json")


class Baseline(NamedTuple):
    """What an earlier run measured."""

    python: str
    relative: Mapping[str, float]
    """Name → lower quartile in units of the fixed work."""


def of(samples: Mapping[str, Sequence[Sample]]) -> Baseline:
    """Return the baseline that samples make."""
    return Baseline(platform.python_version(), {name: typical(found) for name, found in samples.items()})


def typical(found: Sequence[Sample]) -> float:
    """Return the lower quartile in units of the fixed work."""
    values = [each.relative for each in found]
    return statistics.quantiles(values, n=4, method="inclusive")[0] if len(values) > 1 else values[0]


def save(baseline: Baseline, file: Path = FILE) -> None:
    """Write it; four digits are more than a machine can tell apart."""
    rounded = {name: float(f"{value:.4g}") for name, value in baseline.relative.items()}
    file.write_text(json.dumps({"python": baseline.python, "relative": rounded}, indent=2) + "\n")


def load(file: Path = FILE) -> Baseline | None:
    """Return the stored baseline, None where there is none.

    Raises BenchError for a file that is something else.
    """
    if not file.exists():
        return None
    try:
        found = json.loads(file.read_text())
        return Baseline(str(found["python"]), {str(k): float(v) for k, v in found["relative"].items()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BenchError(f"{file} is no baseline; make a new one with scripts/bench core --save") from error


def change(now: float, before: float | None) -> float | None:
    """Return the relative change, 0.25 for a quarter more; None where there was nothing before."""
    return now / before - 1 if before else None


def marked(found: float | None) -> bool:
    """Tell whether a change is more than this kind of measurement can be wrong by."""
    return found is not None and abs(found) > NOISE
