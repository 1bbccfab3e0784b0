"""Connections that may not be silent for long, though the core registers who uses them."""

from __future__ import annotations

from proxy.flow import Flow
from proxy.places import WORKER_SHIFT
from proxy.timed_flows import TimedFlows


def flow(number: int, worker: int = 0) -> Flow:
    return Flow("TCP", ("192.0.2.1", 5060), ("10.1.1.23", 5062), worker << WORKER_SHIFT | number)


def test_ours_are_noted_until_they_are_taken_back() -> None:
    timed = TimedFlows(0)
    timed.note(flow(7), timed=True)
    assert [timed.has(flow(number)) for number in (7, 8)] == [True, False]
    timed.note(flow(7), timed=False)
    assert not timed.has(flow(7))


def test_the_worker_that_has_a_connection_is_told() -> None:
    """It alone looks for silence; one that has ended as well as one that nobody asks of tells nobody."""
    here, there = TimedFlows(0), TimedFlows(1)
    here.note(flow(7, 1), timed=True)
    here.tell = lambda connection, timed: there.learn(connection, timed=timed)
    here.note(flow(8, 1), timed=True)
    here.note(flow(9), timed=True)
    assert [there.has(flow(number, 1)) for number in (7, 8, 9)] == [False, True, False]
    assert [here.has(flow(number, 1)) for number in (7, 8)] == [False, False]
