"""Events as log lines."""

from __future__ import annotations

import pytest
from twisted.logger import Logger, LogPublisher

from proxy.sinks import EVENTS, Event
from tap.events import LEVELS, EventLog
from tap.log import LineObserver
from tests.tap.fakes import Lines, StoppedClocks


def event_log(stream: Lines, level: str, clocks: StoppedClocks) -> EventLog:
    logger = Logger(namespace="sipveil.events", observer=LogPublisher(LineObserver(stream, level)))
    return EventLog(logger, clocks.now, level)


def test_every_kind_has_a_level() -> None:
    """The closed set of the core and the table here are the same."""
    assert set(LEVELS) == EVENTS


def test_line_has_all_fields() -> None:
    """Kind, peer, pseudonym of the call and detail; `-` where there is none."""
    stream = Lines()
    event_log(stream, "info", StoppedClocks())(Event("token-refused", "ab12", "", "forged"))
    assert stream.lines[0].endswith("warn token-refused peer=- call=ab12 detail=forged")


@pytest.mark.parametrize(("level", "lines"), [("debug", 2), ("info", 1), ("error", 1)])
def test_what_every_call_causes_is_for_debugging(level: str, lines: int) -> None:
    """At `info` a thousand calls a second write nothing."""
    stream = Lines()
    log = event_log(stream, level, StoppedClocks())
    log(Event("call", "ab12", "carrier", "trunk"))
    log(Event("failed-closed", "ab12", "carrier", "request"))
    assert len(stream.lines) == lines


def test_floods_are_counted_not_written() -> None:
    """Ten lines a second of a kind; the next second's first line says how many are missing."""
    stream, clocks = Lines(), StoppedClocks()
    log = event_log(stream, "info", clocks)
    for _ in range(500):
        log(Event("token-refused", "", "access", "forged"))
    assert len(stream.lines) == 10
    clocks.monotonic += 1
    log(Event("token-refused", "", "access", "forged"))
    assert stream.lines[-1].endswith("(490 more events were not written)")
