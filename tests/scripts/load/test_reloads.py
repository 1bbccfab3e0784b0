"""Asking for reloads in turn; with a proxy that takes calls it is tests/real/test_loadtest.py."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from scripts.load import reloads as module
from scripts.load.reloads import AFTERWARDS, Reloads, Span
from tap.control import ControlError
from tap.reload_history import Outcome

ENOUGH = 3


class Answers:
    """Stands in for the control socket: notes what the file said each time, and answers as told."""

    def __init__(self, outcome: Outcome | ControlError, config: Path) -> None:
        self.outcome, self.config = outcome, config
        self.asked: list[tuple[Path, str, str]] = []
        self.enough = threading.Event()

    def __call__(self, folder: Path, command: str) -> Outcome:
        self.asked.append((folder, command, self.config.read_text()))
        if len(self.asked) >= ENOUGH:
            self.enough.set()
        if isinstance(self.outcome, ControlError):
            raise self.outcome
        return self.outcome


def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, outcome: Outcome | ControlError) -> tuple[Reloads, Answers]:
    config = tmp_path / "a.toml"
    answers = Answers(outcome, config)
    monkeypatch.setattr(module, "ask", answers)
    with Reloads(0.01, config, tmp_path / "state", ["one", "two"]) as reloads:
        assert answers.enough.wait(10)
    return reloads, answers


def test_in_turn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each writes the next text and asks by the file's name; nothing is asked after the end."""
    before = time.time()
    reloads, answers = run(monkeypatch, tmp_path, Outcome(True, ("reloaded",)))
    number = len(answers.asked)
    asked = [(tmp_path / "state", f"reload {tmp_path / 'a.toml'}", text) for text in ("one", "two") * number]
    assert answers.asked == asked[:number]
    assert (len(reloads.done), reloads.refused) == (number, [])
    assert all(before <= span.began <= span.ended <= time.time() for span in reloads.done)
    reloads.stop()
    assert len(answers.asked) == number


@pytest.mark.parametrize("outcome", [Outcome(False, ("a.toml:1: no", "kept")), ControlError("a.toml:1: no kept")])
def test_refusals_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, outcome: Outcome | ControlError) -> None:
    """By the proxy, or because there is none; and the next is asked for."""
    reloads, answers = run(monkeypatch, tmp_path, outcome)
    assert reloads.done == []
    assert reloads.refused == ["a.toml:1: no kept"] * len(answers.asked)


def test_during() -> None:
    """A pause belongs to a reload if it touches it, or what comes just after it."""
    reloads = Reloads(1, Path("a"), Path("b"), ["one"])
    reloads.done += [Span(10.0, 10.2), Span(20.0, 20.2)]
    assert reloads.during(9.9, 10.05)
    assert reloads.during(20.2 + AFTERWARDS / 2, 21)
    assert not reloads.during(9.8, 9.9)
    assert not reloads.during(10.2 + 2 * AFTERWARDS, 19.9)
