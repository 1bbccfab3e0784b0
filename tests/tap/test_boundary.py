"""The boundary that no exception crosses."""

from __future__ import annotations

from twisted.logger import Logger, LogPublisher

from tap.boundary import PLACES, Boundary
from tap.log import LineObserver
from tests.tap.fakes import Lines, StoppedClocks


def test_counts_and_names_the_place_but_not_the_text() -> None:
    """What was raised ends here, as a number and one line without its text."""
    stream = Lines()
    boundary = Boundary(Logger(namespace="sipveil.x", observer=LogPublisher(LineObserver(stream))), StoppedClocks().now)

    def explode() -> None:
        raise ValueError("sip:+15550142@example.net")

    boundary.run("timer", explode)
    boundary.run("timer", lambda: None)
    assert boundary.counts == {**dict.fromkeys(PLACES, 0), "timer": 1}
    assert "error timer failed: ValueError at tap/boundary.py:" in stream.lines[0]
    assert "5550142" not in stream.getvalue()


def test_one_line_a_second_of_each_spot() -> None:
    """A poisonous message that is sent a thousand times fills no disk; a second bug still shows."""
    stream, clocks = Lines(), StoppedClocks()
    boundary = Boundary(Logger(namespace="sipveil.x", observer=LogPublisher(LineObserver(stream))), clocks.now)
    for _ in range(1000):
        boundary.failed("datagram", KeyError("x"))
    boundary.failed("datagram", IndexError("x"))
    assert len(stream.lines) == 2
    assert boundary.counts["datagram"] == 1001
    clocks.monotonic += 1
    boundary.failed("datagram", KeyError("x"))
    assert len(stream.lines) == 3
