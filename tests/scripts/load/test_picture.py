"""Pictures in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.load.picture import picture


@pytest.mark.parametrize(("name", "begin"), [("a.svg", b"<?xml"), ("a", b"<?xml"), ("a.png", b"\x89PNG")])
def test_the_ending_says_the_format(tmp_path: Path, name: str, begin: bytes) -> None:
    """SVG if there is none; the same twice, and with text that can be searched."""
    drawn = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        with picture(tmp_path / folder / name, 2, 1) as figure:
            figure.subplots().set(title="calls")
        drawn.append((tmp_path / folder / name).read_bytes())
    assert drawn[0] == drawn[1]
    assert drawn[0].startswith(begin)
    assert name == "a.png" or b">calls<" in drawn[0]
