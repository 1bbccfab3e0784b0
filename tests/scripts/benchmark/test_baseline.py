"""The stored baseline and what is compared with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.benchmark.baseline import Baseline, change, load, marked, of, save, typical
from scripts.benchmark.core import Sample
from scripts.benchmark.errors import BenchError

SAMPLES = {"INVITE": [Sample(300, 1.0), Sample(100, 1.2), Sample(900, 1.1)]}


def test_kept_is_the_lower_quartile_in_calibrated_units() -> None:
    """Microseconds differ ninefold here; the machine did, not the code."""
    assert of(SAMPLES).relative == {"INVITE": 1.05}
    assert typical(SAMPLES["INVITE"][:1]) == 1.0


def test_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    assert load(file) is None
    save(Baseline("3.11.2", {"INVITE": 1.23456}), file)
    assert load(file) == Baseline("3.11.2", {"INVITE": 1.235})


@pytest.mark.parametrize("text", ["", "[]", '{"python": "3"}', '{"python": "3", "relative": {"INVITE": "fast"}}'])
def test_something_else(tmp_path: Path, text: str) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(text)
    with pytest.raises(BenchError, match="is no baseline"):
        load(file)


@pytest.mark.parametrize(
    ("now", "before", "found", "noteworthy"),
    [(1.2, 1.0, 0.2, True), (0.8, 1.0, -0.2, True), (1.1, 1.0, 0.1, False), (0.9, 1.0, -0.1, False)],
)
def test_change(now: float, before: float, found: float, noteworthy: bool) -> None:
    value = change(now, before)
    assert value == pytest.approx(found)
    assert marked(value) is noteworthy


def test_nothing_to_compare_with() -> None:
    assert change(1.0, None) is None
    assert not marked(None)
