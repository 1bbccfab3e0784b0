"""What is shown while a run goes on."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from scripts.load.figures import Counts
from scripts.load.progress import Lines, shown, words
from scripts.load.run import Load, Snapshot
from scripts.load.scenario import SCENARIOS

START = Snapshot(0.0, Counts(), Counts(), 0.0, 0)


def at(seconds: float, ended: int = 0, *, failed: int = 0, refused: int = 0, leaks: int = 0) -> Snapshot:
    callers = Counts(ended + 20, ended - failed, failed, refused, 20, 3)
    return Snapshot(seconds, callers, Counts(retransmissions=1), seconds * 250_000, leaks)


def test_words() -> None:
    """Rates are those of the time between; failures are those so far."""
    expected = "100 calls/s, 20 in flight, 2 failed, 4 repeated, CPU 25 %"
    assert words(at(4.0, 400, failed=2), at(2.0, 200)) == expected
    assert words(START, START) == "0 calls/s, 0 in flight, 0 failed, 0 repeated, CPU 0 %"


def test_refusals_and_leaks_show_when_there_are_any() -> None:
    """Each in its place."""
    assert ", 7 refused, " in words(at(2.0, 200, refused=7), START)
    assert words(at(2.0, 200, leaks=3), START).endswith(", 3 LEAKS")


def test_plain_lines_without_a_terminal() -> None:
    """One every five seconds, without control characters."""
    out = io.StringIO()
    with shown(Console(file=out, width=40), SCENARIOS["rich"], Load(rate=100, calls=2000)) as watch:
        for quarter in range(1, 49):
            watch(at(quarter / 4, quarter * 25))
    lines = out.getvalue().splitlines()
    assert [line.partition(",")[0] for line in lines] == ["rich at 100/s: 500/2000", "rich at 100/s: 1000/2000"]
    assert ", 100 calls/s, " in lines[-1]
    assert out.getvalue().isprintable() or "\x1b" not in out.getvalue()


def test_a_live_line_on_a_terminal() -> None:
    """Drawn again and again, and gone at the end."""
    out = io.StringIO()
    console = Console(file=out, width=120, force_terminal=True)
    with shown(console, SCENARIOS["busy"], Load(rate=50, calls=100)) as watch:
        for second in range(1, 4):
            watch(at(second, second * 25))
    assert "busy at 50/s" in out.getvalue()
    assert "75/100" in out.getvalue()


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """A line every five seconds."""
    progress = Lines("flows")
    for at in (1, 5, 6, 9, 10):
        progress(at, f"{at} up")
    assert capsys.readouterr().err == "flows: 5 s, 5 up\nflows: 10 s, 10 up\n"
