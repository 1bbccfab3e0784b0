"""Timers that a wall clock cannot stop."""

from __future__ import annotations

import time

from twisted.internet.selectreactor import SelectReactor

from tap.clock import use_monotonic


def test_timers_fire_although_the_wall_clock_goes_back() -> None:
    """A tick that was set before an hour was taken back still comes."""
    reactor = SelectReactor()
    assert use_monotonic(reactor)
    fired: list[bool] = []
    reactor.callLater(0.01, fired.append, True)
    time.sleep(0.02)
    assert reactor.seconds() < 1e9  # no Unix time: setting the clock does not concern it
    reactor.runUntilCurrent()
    assert fired == [True]
    reactor.removeAll()


def test_not_while_timers_are_set() -> None:
    """A timer set in the old time would fire at once, or never."""
    reactor = SelectReactor()
    timer = reactor.callLater(10, lambda: None)
    assert not use_monotonic(reactor)
    timer.cancel()
