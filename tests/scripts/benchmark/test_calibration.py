"""The fixed piece of work."""

from __future__ import annotations

import os

from scripts.benchmark import calibration


def test_the_work_is_fixed() -> None:
    """What it makes never changes: else the stored baseline would mean something else."""
    assert calibration.once() == 22_980


def test_measured() -> None:
    before = os.sched_getaffinity(0)
    assert calibration.measure(1) > 0
    assert calibration.machine(sorted(before)[:1]) > 0
    assert os.sched_getaffinity(0) == before
    assert calibration.timed(lambda: None) >= 0
