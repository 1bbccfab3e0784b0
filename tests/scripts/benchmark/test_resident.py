"""Resident memory."""

from __future__ import annotations

import os

from scripts.benchmark.resident import proportional


def test_of_this_process() -> None:
    before = proportional(os.getpid())
    held = bytearray(b"x" * (32 << 20))
    grown = proportional(os.getpid()) - before
    assert len(held) * 0.8 < grown < len(held) * 1.5


def test_gone() -> None:
    assert proportional(2**22 + 1) == 0
