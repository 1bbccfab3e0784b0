"""Clock and account together."""

from __future__ import annotations

import os
import time

import pytest

from scripts.load.account import Account
from scripts.load.meter import START, Meter, Moment


def test_from_the_moment_in_which_it_is_made() -> None:
    """Work before counts nothing, work after counts; memory is what there is."""
    _work(0.1)
    meter = Meter(os.getpid())
    first = meter.now()
    _work(0.1)
    then = meter.now()
    assert first.used.cpu[os.getpid()] < 90_000
    assert then.used.cpu[os.getpid()] - first.used.cpu[os.getpid()] >= 90_000
    assert 0 <= first.at < then.at <= meter.seconds
    assert then.used.resident > 1_000_000
    assert meter.before.resident > 1_000_000


def test_percent_of_a_core() -> None:
    half = Moment(4.0, Account({1: 1_500_000.0, 2: 500_000.0}, 0))
    assert half.cpu_percent(START) == pytest.approx(50)
    assert Moment(5.0, Account({1: 2_000_000.0, 2: 500_000.0}, 0)).cpu_percent(half) == pytest.approx(50)
    assert half.cpu_percent(half) == 0


def _work(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
