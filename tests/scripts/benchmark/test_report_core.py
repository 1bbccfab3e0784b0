"""Tables of what was measured in the process."""

from __future__ import annotations

import pytest

from scripts.benchmark.baseline import Baseline
from scripts.benchmark.calls import CALL
from scripts.benchmark.core import WHOLE, Sample, Samples
from scripts.benchmark.growth import Curve
from scripts.benchmark.profiling import TOTAL, Profile
from scripts.benchmark.report_core import (
    as_json,
    change_text,
    core_row,
    core_table,
    dearest_table,
    growth_table,
    profile_table,
)
from tests.scripts.benchmark.test_report import shown

SAMPLES = Samples({"INVITE": [Sample(100, 1.0), Sample(300, 1.2)], WHOLE: [Sample(900, 9.0)]}, {})


def test_row() -> None:
    row = core_row("INVITE", SAMPLES.of["INVITE"], Baseline("3", {"INVITE": 1.0}))
    assert row[:4] == ("INVITE", "100 / 200 / 300", "1.00 / 1.10 / 1.20", "1.00")
    assert "+5%" in row[4]
    assert core_row("INVITE", SAMPLES.of["INVITE"], None)[3:] == ("", "")


@pytest.mark.parametrize(("change", "style"), [(0.3, "bold red"), (-0.3, "bold green"), (0.1, "dim"), (-0.1, "dim")])
def test_only_what_is_more_than_noise_is_marked(change: float, style: str) -> None:
    assert change_text(change) == f"[{style}]{change:+.0%}[/]"


def test_table() -> None:
    text = shown(core_table(SAMPLES, Baseline("3", {"INVITE": 2.0})))
    assert "-48%" in text
    assert WHOLE in text


def test_profile() -> None:
    """Stages down, messages across, a whole call at the end."""
    stages = {kind: {"parse": 2.0, TOTAL: 3.0} for kind in CALL}
    profile = Profile(stages, {"BYE": [("proxy/parse.py:1 parse", 1.5)]}, frozenset())
    text = shown(profile_table(profile), dearest_table(profile, "BYE"))
    assert "14.0" in text
    assert "21.0" in text
    assert "proxy/parse.py:1 parse" in text


def test_growth() -> None:
    text = shown(growth_table(Curve("headers", "lines", "INVITE", {0: 10.0, 200: 30.0}, {0: 1.0, 200: 2.5})))
    assert "200" in text
    assert "2.50" in text


def test_json() -> None:
    assert as_json(SAMPLES)["INVITE"] == {"micros": [100, 300], "relative": [1.0, 1.2], "typical": 1.05}
