"""What calls keep: counted over a few, never judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.benchmark.contenders import NULL, SIPVEIL
from scripts.benchmark.errors import BenchError
from scripts.benchmark.generator import Load, Played
from scripts.benchmark.memory import Flatness, Ringing, flat, ringing
from scripts.load.cores import Cores
from tests.real.harness import program
from tests.scripts.benchmark.test_generator import PLAYED

LOST = Played(**PLAYED)  # type: ignore[arg-type]


def test_each() -> None:
    assert Ringing(1000, 3000, 10).each == 200


def test_growth_only_after_the_first_transactions_have_ended() -> None:
    """4 calls/s; 100 bytes/s at first, then 8 bytes/s: 2 bytes a call."""
    samples = [(second, second * 100) for second in range(90)] + [(s, 9000 + (s - 90) * 8) for s in range(90, 120)]
    assert Flatness(samples, LOST).growth == pytest.approx(2.0)
    assert Flatness(samples[:91], LOST).growth is None


def test_calls_are_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program("gcc", "build-essential")
    monkeypatch.setattr("scripts.benchmark.memory.WARM_CALLS", 5)
    found = ringing(SIPVEIL, tmp_path, Cores(), 20, 40)
    assert found.calls == 20
    assert found.held > 0


def test_many_calls(tmp_path: Path) -> None:
    program("gcc", "build-essential")
    sizes: list[int] = []
    found = flat(NULL, tmp_path, Cores(), Load(calls=200, rate=400), sizes.append)
    assert found.played.completed == 200
    assert len(found.samples) == len(sizes) > 0


def test_calls_that_do_not_ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said with what became of them; here nobody ever hears of the first call."""
    program("gcc", "build-essential")
    monkeypatch.setattr("scripts.benchmark.generator.Load.limit", lambda load: load.calls or 1)
    monkeypatch.setattr("scripts.benchmark.memory.WARM_CALLS", 1)
    monkeypatch.setattr("scripts.benchmark.messages.as_file", _without_ringing)
    with pytest.raises(BenchError, match="does not hold 1 calls"):
        ringing(NULL, tmp_path, Cores(), 1, 1000)


def _without_ringing() -> str:
    from scripts.benchmark import messages  # noqa: PLC0415

    sections = [f"%% {name}\n{text}" for name, text in messages.TEMPLATES.items()]
    return "".join(sections).replace("180 Ringing", "500 Broken") + "%% canaries\n"
