"""Looks at a run."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

from scripts.load.account import Account
from scripts.load.looks import EVERY, Look, Looks
from scripts.load.meter import START, Meter, Moment


class Run:
    """Has counted one more each time."""

    def __init__(self) -> None:
        self.number = 0

    def counted(self) -> Mapping[str, float]:
        self.number += 1
        return {"calls": self.number}

    def panels(self, last: Look, now: Look) -> Mapping[str, float]:
        return {"calls": now.counted["calls"] - last.counted.get("calls", 0)}

    def words(self, now: Look) -> str:
        return f"{now.counted['calls']} calls"


def test_samples_and_words() -> None:
    """Of what was between this look and the last one."""
    told: list[tuple[float, str]] = []
    looks = Looks(Run(), Meter(os.getpid()), lambda *what: told.append(what))
    looks.take()
    looks.take()
    assert [sample.values for sample in looks.samples] == [{"calls": 1}, {"calls": 1}]
    assert [words.partition(", CPU ")[0] for _, words in told] == ["1 calls", "2 calls"]
    assert [at for at, _ in told] == [sample.at for sample in looks.samples]


def test_about_a_second_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is asked."""
    looks = Looks(Run(), Meter(os.getpid()), lambda *_: None)
    for at in (0.5, EVERY, EVERY + 0.5, 2 * EVERY + 0.1):
        monkeypatch.setattr(Meter, "seconds", at)
        looks.look()
    assert [sample.at for sample in looks.samples] == [EVERY, 2 * EVERY + 0.1]


def test_rates() -> None:
    """By the time between; what was not counted yet was nothing."""
    first = Look(Moment(2.0, Account({}, 3 << 20)), {"calls": 10})
    then = Look(Moment(4.0, Account({}, 3 << 20)), {"calls": 40})
    assert then.rate("calls", first) == 15
    assert first.rate("calls", Look(START, {})) == 5
    assert then.megabytes == 3
