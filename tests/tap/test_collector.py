"""The garbage collector's settings, in a process of their own."""

from __future__ import annotations

import subprocess
import sys


def test_the_start_is_set_aside_and_the_thresholds_are_high() -> None:
    """The test's own process keeps Python's settings."""
    code = (
        "import gc; from tap.collector import THRESHOLDS, relax; relax(); "
        "assert gc.get_threshold() == THRESHOLDS; assert gc.get_freeze_count() > 1000; assert gc.isenabled()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
