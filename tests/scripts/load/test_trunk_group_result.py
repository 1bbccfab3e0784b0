"""What calls to a group of trunks have shown."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from scripts.load.trunk_group_result import MARGIN, TOLD, Failed, Group, Grouped

LOST = Failed(7, 2.5, "rang", 408, 7.0, ("first", "second"), unavoidable=False)
GONE = Failed(8, 2.6, "up", 408, 9.0, ("first",), unavoidable=True)
BUSY = Failed(9, 2.7, "called", 503, 0.1, (), unavoidable=False)
FOUND = Grouped(
    load=Group(rate=40, seconds=20, failover=1), calls=100, answered=97, ended=96,
    by_trunk={"first": 30, "second": 31}, failures=[LOST, GONE, BUSY], normal_ms={"p50": 21.0}, all_ms={"p50": None},
    delayed=4, longest_beyond=1.2, detection={"first": 0.5, "second": None}, back={"first": 0.1}, probes=1, leaks=0,
    cpu_us_per_call=400.0, samples=(),
)  # fmt: skip
WELL = replace(FOUND, failures=[GONE, BUSY])


def test_when_what_happens() -> None:
    assert Group(seconds=10).marks == {"first killed": 2, "second swallows": 4, "both back": 6}


def test_kinds_of_calls() -> None:
    """Nobody can take a call elsewhere that a trunk had; 503 is the proxy's, which has too much to do."""
    assert (FOUND.lost, FOUND.refused) == ([LOST], 1)


@pytest.mark.parametrize(
    ("found", "failing"),
    [(WELL, False), (FOUND, True), (replace(WELL, longest_beyond=1.1 + MARGIN), True)],
    ids=["well", "lost", "late"],
)
def test_failing(found: Grouped, failing: bool) -> None:
    assert found.failing is failing


def test_text() -> None:
    lines = FOUND.text().splitlines()
    assert lines[0] == (
        "trunk-group: 40 calls/s for 20 s, first killed at 4 s, second swallows from 8 s, both back at 12 s"
    )
    assert "  went with a trunk  1 (up 1)" in lines
    assert "  detection, s       first 0.50, second -" in lines
    assert lines[-3:] == [
        "    call 7 at 2.50 s: rang, 408, after 7.00 s, seen at first, second",
        "    call 8 at 2.60 s: up, 408, after 9.00 s, seen at first (went with it)",
        "  no leaks",
    ]


def test_only_the_first_are_told() -> None:
    """But a leak always."""
    many = replace(FOUND, failures=[LOST] * (TOLD + 5), leaks=2, cpu_us_per_call=None)
    assert many.text().count("    call 7") == TOLD
    assert many.leaking
    assert many.text().endswith("  LEAKS: 2 messages had a caller's number")
    assert "  CPU of the proxy   -\n" in many.text()


def test_json() -> None:
    read = json.loads(json.dumps(FOUND.as_json()))
    assert (read["scenario"], read["lost"], read["refused"], read["failover"]) == ("trunk-group", 1, 1, 1)
    assert read["failures"][0] == LOST._asdict() | {"trunks": ["first", "second"]}
