"""The commands of scenarios with ends of our own: options, output, exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from scripts.load import commands
from scripts.load.__main__ import main
from scripts.load.authenticated import AuthenticatedTrial
from scripts.load.authenticated_result import Calls
from scripts.load.cores import Cores
from scripts.load.errors import LoadError
from scripts.load.flows import FlowsTrial
from scripts.load.flows_result import Flows
from scripts.load.looks import Sample
from scripts.load.offered import Offered
from scripts.load.outcome import Outcome
from scripts.load.trunk_group import GroupTrial
from scripts.load.trunk_group_result import Group


@dataclass(frozen=True, kw_only=True)
class Stub(Outcome):
    """Stands in for a result."""

    scenario = "x"
    load: Offered = field(default_factory=Group)
    samples: tuple[Sample, ...] = (Sample(1.0, {"calls/s": 1.0}),)
    leaking: bool = False
    failing: bool = False

    def head(self) -> str:
        return "head"

    def rows(self) -> dict[str, str]:
        return {"a row": "figures"}


TEXT = "x: head\n  a row  figures\n"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what would have been played: who plays, and what is offered."""
    loads: list[Any] = []

    def run(kind: type[Any], load: Any, _folder: Path, _watch: Callable[..., None]) -> Stub:
        loads.append((kind, load))
        return Stub()

    monkeypatch.setattr(commands, "run", run)
    return loads


def call(*words: str) -> Result:
    return CliRunner().invoke(main, words)


@pytest.mark.parametrize(
    ("words", "kind", "load"),
    [
        (
            "authenticated --rate 7 --seconds 3 --accounts 9 --sources 2 --algorithm MD5 --reuse --ring 1 --talk 2 "
            "--workers 3 --port 4",
            AuthenticatedTrial,
            Calls(rate=7, seconds=3, accounts=9, sources=2, algorithm="MD5", reuse=True, ring=1, talk=2, workers=3,
                  port=4),
        ),
        (
            "flows --flows 7 --seconds 3 --keep-alive 9 --calls 2 --no-digest --tls",
            FlowsTrial,
            Flows(flows=7, seconds=3, keep_alive=9, calls=2, digest=False, tls=True),
        ),
        (
            "trunk-group --rate 7 --seconds 21 --failover 2 --options 3 --ring 4 --talk 5",
            GroupTrial,
            Group(rate=7, seconds=21, failover=2, options=3, ring=4, talk=5),
        ),
        ("authenticated", AuthenticatedTrial, Calls()),
        ("flows", FlowsTrial, Flows()),
        ("trunk-group", GroupTrial, Group()),
    ],
)  # fmt: skip
def test_options_arrive(asked: list[Any], words: str, kind: type[Any], load: Offered) -> None:
    """Each; and without any the command has the defaults that the scenario has."""
    assert call(*words.split(), "--no-pin").stdout == TEXT
    assert asked == [(kind, load)]


@pytest.mark.parametrize("name", ["authenticated", "flows", "trunk-group"])
def test_cores(asked: list[Any], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """One for each worker of the proxy, if there are several."""
    monkeypatch.setattr(commands, "available", lambda: (0, 1, 2, 3))
    call(name)
    assert asked[-1][1].cores == Cores((3,), (0, 1, 2))
    if name == "authenticated":
        call(name, "--workers", "2")
        assert asked[-1][1].cores == Cores((2, 3), (0, 1))


def test_a_group_needs_time(asked: list[Any]) -> None:
    """So that what one trunk kept waiting is not kept waiting by the other one too."""
    assert call(*["trunk-group", "--seconds", "20", "--failover", "2"]).exit_code == 2
    assert asked == []


@pytest.mark.parametrize("name", ["authenticated", "flows", "trunk-group"])
def test_outputs(asked: list[Any], tmp_path: Path, name: str) -> None:
    done = call(name, "--json", "-", "--plot", str(tmp_path / "a.svg"))
    assert json.loads(done.stdout)["runs"][0]["scenario"] == "x"
    assert "second swallows" in (tmp_path / "a.svg").read_text(), "what happens when is drawn too"
    assert call(name, "--json", str(tmp_path / "a.json")).stdout == TEXT
    assert json.loads((tmp_path / "a.json").read_text())["leaking"] is False
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("outcome", "code"), [(Stub(leaking=True, failing=True), 1), (Stub(failing=True), 3), (Stub(), 0)]
)
def test_exit_status(monkeypatch: pytest.MonkeyPatch, outcome: Stub, code: int) -> None:
    monkeypatch.setattr(commands, "run", lambda *_: outcome)
    assert call("flows").exit_code == code


def test_what_cannot_be_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object) -> None:
        raise LoadError("no room")

    monkeypatch.setattr(commands, "run", run)
    done = call("flows")
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (2, "loadtest: no room")
