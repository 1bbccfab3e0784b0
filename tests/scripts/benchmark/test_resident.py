"""Resident memory."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from scripts.benchmark.resident import proportional


def test_of_this_process() -> None:
    before = proportional(os.getpid())
    held = bytearray(b"x" * (32 << 20))
    grown = proportional(os.getpid()) - before
    assert len(held) * 0.8 < grown < len(held) * 1.5


def test_pages_of_files_are_nobody_s_growth(tmp_path: Path) -> None:
    """Libraries are files too."""
    (tmp_path / "library").write_bytes(b"x" * (32 << 20))
    before = proportional(os.getpid())
    with (tmp_path / "library").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert mapped[:: mmap.PAGESIZE].count(b"x") == len(mapped) // mmap.PAGESIZE
        assert proportional(os.getpid()) - before < 1 << 20


def test_gone() -> None:
    assert proportional(2**22 + 1) == 0
