"""Sentences about memory."""

from __future__ import annotations

from rich.console import Console

from scripts.benchmark import report_memory
from scripts.benchmark.generator import Played
from scripts.benchmark.lingering import Kept
from scripts.benchmark.memory import Flatness, Ringing
from tests.scripts.benchmark.test_generator import PLAYED
from tests.scripts.benchmark.test_report import shown

MB = 1 << 20
LOST = Played(**PLAYED)  # type: ignore[arg-type]


def test_starts() -> None:
    assert "800 / 900 / 1,000 ms" in report_memory.starts("sipveil", [0.8, 1.0, 0.9])


def test_ringing() -> None:
    text = report_memory.ringing("sipveil", Ringing(60 * MB, 70 * MB, 1024))
    assert "10.0 KB resident per ringing call" in text
    assert "60 MB before them, 70 MB with them" in text


def test_flat() -> None:
    samples = [(float(second), 100 * MB) for second in range(120)]
    assert "after 90 s 100 to 100 MB, growing by 0.000 bytes a call" in report_memory.flat("x", Flatness(samples, LOST))
    assert "too short to tell" in report_memory.flat("x", Flatness(samples[:10], LOST))


def test_progress() -> None:
    with Console(quiet=True).status("") as status:
        report_memory.progress(status)(5 * MB)
        assert status.status == "playing: 5 MB"


def test_lingering() -> None:
    text = shown(report_memory.lingering({"D": Kept(10, 20480)}))
    assert "2.00" in text
    assert "refused INVITE" in text
