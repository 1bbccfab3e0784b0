"""Curves as SVG, where matplotlib is installed."""

from __future__ import annotations

import builtins
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from scripts.benchmark.errors import BenchError
from scripts.benchmark.growth import Curve
from scripts.benchmark.plots import draw

CURVES = [Curve("headers", "lines", "INVITE", {0: 1.0, 200: 2.0}, {0: 0.1, 200: 0.2})]


def test_drawn_or_told_what_is_missing(tmp_path: Path) -> None:
    """matplotlib is an extra: both are right."""
    if importlib.util.find_spec("matplotlib") is None:
        with pytest.raises(BenchError, match="plots need matplotlib"):
            draw(CURVES, tmp_path)
        return
    first = draw(CURVES, tmp_path).read_bytes()
    assert b"<svg" in first
    assert draw(CURVES, tmp_path).read_bytes() == first


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BenchError, match=r"pip install .* '\.\[plot\]'"):
        draw(CURVES, tmp_path)
