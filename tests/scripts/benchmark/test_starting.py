"""Start to first answer; never how long."""

from __future__ import annotations

from pathlib import Path

from scripts.benchmark.contenders import SIPVEIL
from scripts.benchmark.starting import first_answers
from scripts.load.cores import Cores


def test_so_many_times(tmp_path: Path) -> None:
    found = first_answers(SIPVEIL, tmp_path, Cores(), 1)
    assert len(found) == 1
    assert min(found) > 0
