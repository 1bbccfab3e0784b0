"""Counts of connections by source."""

from __future__ import annotations

from proxy.tally import OwnTally


def test_sources_are_apart_and_leave_nothing_behind() -> None:
    tally = OwnTally()
    for source, number in (("10.1.1.23", 1), ("10.1.1.23", 1), ("10.1.1.24", 1), ("10.1.1.23", -1)):
        tally.add(source, number)
    assert [tally.total(source) for source in ("10.1.1.23", "10.1.1.24", "10.1.1.25")] == [1, 1, 0]
    tally.add("10.1.1.23", -1)
    tally.add("10.1.1.24", -1)
    assert len(tally) == 0
