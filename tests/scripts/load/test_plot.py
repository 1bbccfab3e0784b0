"""The picture of a sweep."""

from __future__ import annotations

from pathlib import Path

from scripts.load.plot import PANELS, plot
from tests.scripts.load.results import result

SWEEP = [
    result(rate=100.0),
    result(rate=200.0, achieved=150.0, failed=10, refused=40),
    result(rate=400.0, completed=0, achieved=0.0, cpu_us_per_call=None, set_up_ms={"p99": None}),
    result(scenario="plain", rate=100.0),
]


def test_svg_with_all_panels(tmp_path: Path) -> None:
    """Text that can be read and searched; what there is no figure of is left out; the same twice."""
    for name in ("a.svg", "b"):
        plot(SWEEP, tmp_path / name)
    drawn = (tmp_path / "a.svg").read_text()
    assert "<svg" in drawn
    assert all(title in drawn for title, _ in PANELS)
    assert ">plain<" in drawn
    assert drawn == (tmp_path / "b").read_text()


def test_png(tmp_path: Path) -> None:
    """The ending decides."""
    plot(SWEEP, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_failures_and_refusals_count_together() -> None:
    """As a share of all calls."""
    (share,) = [value for title, value in PANELS if title == "calls failed or refused, %"]
    assert share(SWEEP[1]) == 5.0
