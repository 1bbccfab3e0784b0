"""The order of things around what a scenario plays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.load import trial
from scripts.load.addresses import is_bound
from scripts.load.config import METRICS, document, listener
from scripts.load.errors import LoadError
from scripts.load.looks import Look, Looks
from scripts.load.offered import Offered
from scripts.load.outcome import Outcome
from scripts.load.proxy import Proxy
from scripts.load.trial import Trial, run


@dataclass(frozen=True, kw_only=True)
class Asked(Outcome):
    """The proxy was asked whether it is there."""

    scenario = "asked"
    leaking = failing = False
    there: bool

    def head(self) -> str:
        return "once"

    def rows(self) -> Mapping[str, str]:
        return {}


class Asks(Trial[Offered, Asked]):
    """Notes what is called in which order."""

    done: list[str]

    def __init__(self, load: Offered, folder: Path) -> None:
        super().__init__(load, folder)
        Asks.done = ["made"]

    def configuration(self) -> str:
        self.done.append("configuration")
        return document(listener("phones", self.proxy), METRICS)

    @contextmanager
    def surroundings(self) -> Iterator[None]:
        self.done.append("before")
        yield
        self.done.append("after")

    def ready(self) -> bool:
        return is_bound(self.proxy)

    def play(self, proxy: Proxy, looks: Looks) -> Asked:
        self.done.append("play")
        looks.take()
        return Asked(load=self.load, samples=tuple(looks.samples), there=is_bound(self.proxy))

    def counted(self) -> Mapping[str, float]:
        return {"asked": 1}

    def panels(self, last: Look, now: Look) -> Mapping[str, float]:
        return now.counted

    def words(self, now: Look) -> str:
        return f"{now.counted['asked']} asked"

    def close(self) -> None:
        self.done.append("close")


def test_order(tmp_path: Path) -> None:
    """A proxy with the scenario's configuration runs while it plays, and no longer."""
    told: list[str] = []
    found = run(Asks, Offered(), tmp_path, lambda _, words: told.append(words.partition(",")[0]))
    assert found.there
    assert Asks.done == ["made", "configuration", "before", "play", "after", "close"]
    assert told == ["1 asked"]
    assert [sample.values for sample in found.samples] == [{"asked": 1}]


def test_accounts_are_there_before_the_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as the scenario wants; what goes wrong then leaves nothing open."""

    def refuse(count: int, config: Path, folder: Path) -> None:
        assert (count, config.parent, folder) == (7, tmp_path, tmp_path)
        raise LoadError("no accounts")

    monkeypatch.setattr(trial, "import_accounts", refuse)
    monkeypatch.setattr(Asks, "accounts", 7)
    with pytest.raises(LoadError, match="no accounts"):
        run(Asks, Offered(), tmp_path)
    assert Asks.done == ["made", "configuration", "close"]
