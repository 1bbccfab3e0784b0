"""Calls for a core without sockets."""

from __future__ import annotations

import pytest

from scripts.benchmark.calls import (
    CALL,
    EXTRA,
    copied,
    dialog,
    expect,
    extras,
    full_world,
    lines,
    spare_world,
    whole_calls,
)
from scripts.benchmark.core import receive_all
from scripts.benchmark.errors import BenchError
from scripts.benchmark.world import World


def test_a_call_has_its_seven_messages() -> None:
    world, kinds = World(), []
    for step in whole_calls(world, lines("r", 3, 2)):
        assert len(step.messages) == len(set(step.messages)) == 3
        kinds.append(step.kind)
        receive_all(step)
    assert tuple(kinds) == CALL
    world.wait(40)
    assert not any(world.core.gauges().values())


def test_extras() -> None:
    kinds = []
    for step in extras(spare_world(), full_world(), lines("r", 2, 2)):
        kinds.append(step.kind)
        receive_all(step)
    assert tuple(kinds) == EXTRA


def test_a_core_that_does_not_forward_is_no_measurement() -> None:
    steps = whole_calls(World(), lines("r", 2, 2))
    next(steps)  # and the core never gets it
    with pytest.raises(BenchError, match="INVITE: 2 went in, 0 came out"):
        next(steps)


def test_own_100_does_not_count() -> None:
    batch = lines("r", 1, 1)
    assert expect("180", [b"SIP/2.0 100 Trying\r\n", b"SIP/2.0 180 Ringing\r\n"], batch) == [b"SIP/2.0 180 Ringing\r\n"]


def test_lines_differ() -> None:
    found = lines("r", 4, 2, first=2)
    assert [line.subscriber for line in found] == ["00000000", "00000001"] * 2
    assert [line.call for line in found] == ["00000002", "00000003", "00000004", "00000005"]


REQUEST = (
    b"BYE sip:x SIP/2.0\r\nVia: 1\r\nVia: 2\r\nFrom: a\r\nTo: b%b\r\nCall-ID: c\r\nCSeq: 1 BYE\r\nX-Other: d\r\n\r\n"
)


def test_copied_lines() -> None:
    """RFC 3261 §8.2.6.2; a tag only where there is none."""
    head = "Via: 1\r\nVia: 2\r\nFrom: a\r\nTo: b"
    assert copied(REQUEST % b"", "t") == f"{head};tag=t\r\nCall-ID: c\r\nCSeq: 1 BYE\r\n"
    assert copied(REQUEST % b";tag=x", "t") == f"{head};tag=x\r\nCall-ID: c\r\nCSeq: 1 BYE\r\n"


def test_dialog_of_an_answer() -> None:
    """RFC 3261 §12.1.2: the route set is Record-Route, reversed."""
    recorded = b"Record-Route: <sip:1>\r\nRecord-Route: <sip:2>\r\n"
    answer = b"SIP/2.0 200 OK\r\nTo: <sip:b>;tag=1\r\n" + recorded + b"Contact: <sip:c>;x\r\n\r\n"
    routes = "Route: <sip:2>\r\nRoute: <sip:1>\r\n"
    assert dialog(answer) == {"to": "<sip:b>;tag=1", "target": "sip:c", "routes": routes}
