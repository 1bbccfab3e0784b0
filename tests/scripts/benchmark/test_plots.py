"""Curves as SVG."""

from __future__ import annotations

from pathlib import Path

from scripts.benchmark.growth import Curve
from scripts.benchmark.plots import draw

CURVES = [
    Curve("headers", "lines", "INVITE", {0: 1.0, 200: 2.0}, {0: 0.1, 200: 0.2}),
    Curve("size", "bytes", "INVITE", {100: 1.0, 200: 2.0}, {100: 0.1, 200: 0.2}),
]


def test_drawn_alike_each_time(tmp_path: Path) -> None:
    """A plot in the repository changes only when a figure does."""
    first = draw(CURVES, tmp_path).read_bytes()
    assert b"<svg" in first
    assert draw(CURVES, tmp_path).read_bytes() == first
