"""SIPp's files, and what follows from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.load.figures import (
    Counts,
    SetUp,
    counts,
    percentile,
    percentiles,
    set_ups,
    steady_rate,
    why_failed,
)  # fmt: skip

HEAD = (
    "StartTime;TotalCallCreated;CurrentCall;SuccessfulCall(P);SuccessfulCall(C);FailedCall(P);FailedCall(C);"
    "FailedMaxUDPRetrans(P);FailedMaxUDPRetrans(C);FailedTimeoutOnRecv(C);Retransmissions(P);Retransmissions(C);"
)
CALLER = HEAD + "refused(P);refused(C);\n"
ROW = "x;100;7;10;90;1;3;1;2;0;4;11;"


def test_last_complete_row_counts(tmp_path: Path) -> None:
    """A row that is being written is not there yet."""
    path = tmp_path / "a.csv"
    path.write_text(CALLER + "x;50;7;10;40;0;0;0;0;0;0;0;1;1;\n" + ROW + "0;5;\n" + "x;10")
    assert counts(path) == Counts(100, 90, 3, 5, 7, 11)


def test_a_scenario_without_refusals(tmp_path: Path) -> None:
    """The trunk's has no such counter."""
    path = tmp_path / "a.csv"
    path.write_text(HEAD + "\n" + ROW + "\n")
    assert counts(path) == Counts(100, 90, 3, 0, 7, 11)


def test_nothing_yet(tmp_path: Path) -> None:
    """No file, or one with half a head."""
    assert counts(tmp_path / "none.csv") == Counts()
    (tmp_path / "a.csv").write_text(HEAD)
    assert counts(tmp_path / "a.csv") == Counts()


def test_why_failed(tmp_path: Path) -> None:
    """Totals, not those of the last second; reasons that did not occur are left out."""
    (tmp_path / "a.csv").write_text(HEAD + "\n" + ROW + "\n")
    assert why_failed(tmp_path / "a.csv") == {"MaxUDPRetrans": 2}


def test_set_ups(tmp_path: Path) -> None:
    """In order of time; a torn line is left out."""
    (tmp_path / "a.csv").write_text("Date_ms;response_time_ms;rtd_no\n12.001;4;setup\n8;0;setup\n13")
    assert set_ups(tmp_path / "a.csv") == [SetUp(8.0, 0.0), SetUp(12.001, 4.0)]
    assert set_ups(tmp_path / "none.csv") == []


def test_steady_rate_leaves_stragglers_out() -> None:
    """A hundred calls, ten milliseconds apart, one of which came a minute later."""
    calls = [SetUp(10.0 * number, 1) for number in range(99)]
    assert steady_rate([*calls, SetUp(60_000, 1)]) == pytest.approx(100)
    assert steady_rate(calls[:2]) == pytest.approx(100)
    assert steady_rate(calls[:1]) == 0
    assert steady_rate([]) == 0
    assert steady_rate([SetUp(1, 1)] * 5) == 0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (range(1, 101), {"p50": 50, "p90": 90, "p99": 99, "max": 100}),
        ([3, 1, 2], {"p50": 2, "p90": 3, "p99": 3, "max": 3}),
        ([7], {"p50": 7, "p90": 7, "p99": 7, "max": 7}),
        ([], dict.fromkeys(("p50", "p90", "p99", "max"))),
    ],
)
def test_percentiles(values: list[float], expected: dict[str, float | None]) -> None:
    """Nearest rank: always a value that occurred."""
    assert percentiles(values) == expected


def test_a_percentile_of_one_in_a_thousand() -> None:
    """One slow call in a thousand shows in the maximum only."""
    ordered = [1.0] * 999 + [500.0]
    assert percentile(ordered, 0.99) == 1.0
    assert percentile(ordered, 0.9995) == 500.0
