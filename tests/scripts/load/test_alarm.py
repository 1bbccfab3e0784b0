"""Things to do later."""

from __future__ import annotations

from scripts.load.alarm import Alarms


def test_in_order_and_not_before() -> None:
    """Those of one time in the order in which they were asked for; what an alarm asks for rings in the same turn."""
    alarms, rung = Alarms(), []
    alarms.at(2, lambda now: rung.append(("b", now)))
    alarms.at(2, lambda now: rung.append(("c", now)))
    alarms.at(1, lambda now: alarms.at(now, lambda at: rung.append(("a", at))))
    alarms.ring(0.5)
    assert rung == []
    alarms.ring(1.5)
    assert rung == [("a", 1.5)]
    alarms.ring(3)
    assert rung == [("a", 1.5), ("b", 3), ("c", 3)]
