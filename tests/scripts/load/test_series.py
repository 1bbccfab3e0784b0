"""A run as a picture."""

from __future__ import annotations

from pathlib import Path

from scripts.load.looks import Sample
from scripts.load.series import plot_series


def test_a_panel_for_each_value(tmp_path: Path) -> None:
    samples = [Sample(1.0, {"calls/s": 5.0, "memory": 1.0}), Sample(2.0, {"calls/s": 6.0})]
    plot_series(samples, tmp_path / "a.svg", {"killed": 1.5})
    text = (tmp_path / "a.svg").read_text()
    assert all(f">{word}<" in text for word in ("calls/s", "memory", "killed"))
    plot_series(samples, tmp_path / "b.svg", {"killed": 1.5})
    assert (tmp_path / "b.svg").read_text() == text


def test_nothing(tmp_path: Path) -> None:
    """A run that was too short has a picture without lines."""
    plot_series([], tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
