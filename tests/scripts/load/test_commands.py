"""The commands of scenarios with ends of our own: options, output, exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from scripts.load import authenticated as calls_with_passwords
from scripts.load import flows as registered_flows
from scripts.load import trunk_group as group
from scripts.load.__main__ import main
from scripts.load.commands import Progress
from scripts.load.errors import LoadError
from scripts.load.series import Sample


class Outcome:
    """Stands in for a result."""

    samples = (Sample(1.0, {"calls/s": 1.0}),)

    def __init__(self, *, leaking: bool = False, failing: bool = False) -> None:
        self.leaking, self.failing = leaking, failing

    def text(self) -> str:
        return "figures"

    def as_json(self) -> dict[str, Any]:
        return {"scenario": "x"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the loads that would have been played; the first may be replaced by what comes of them."""
    loads: list[Any] = []

    def run(load: Any, _folder: Path, _watch: Callable[..., None]) -> Outcome:
        loads.append(load)
        return Outcome()

    for module in (calls_with_passwords, registered_flows, group):
        monkeypatch.setattr(module, "run", run)
    return loads


def call(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_options_arrive(asked: list[Any]) -> None:
    words = (
        "authenticated --rate 7 --seconds 3 --accounts 9 --sources 2 --algorithm MD5 --reuse --ring 1 --talk 2 --no-pin"
    )
    assert call(*words.split()).stdout == "figures\n"
    assert asked[-1] == calls_with_passwords.Calls(
        rate=7, seconds=3, accounts=9, sources=2, algorithm="MD5", reuse=True, ring=1, talk=2
    )
    assert (
        call(
            *[
                "flows",
                "--flows",
                "7",
                "--seconds",
                "3",
                "--keep-alive",
                "9",
                "--calls",
                "2",
                "--no-digest",
                "--tls",
                "--no-pin",
            ]
        ).exit_code
        == 0
    )
    assert asked[-1] == registered_flows.Flows(flows=7, seconds=3, keep_alive=9, calls=2, digest=False, tls=True)
    assert (
        call(
            *[
                "trunk-group",
                "--rate",
                "7",
                "--seconds",
                "21",
                "--failover",
                "2",
                "--options",
                "3",
                "--ring",
                "4",
                "--talk",
                "5",
                "--no-pin",
            ]
        ).exit_code
        == 0
    )
    assert asked[-1] == group.Group(rate=7, seconds=21, failover=2, options=3, ring=4, talk=5)


def test_a_group_needs_time(asked: list[Any]) -> None:
    """So that what one trunk kept waiting is not kept waiting by the other one too."""
    assert call(*["trunk-group", "--seconds", "20", "--failover", "2"]).exit_code == 2
    assert asked == []


@pytest.mark.parametrize("name", ["authenticated", "flows", "trunk-group"])
def test_outputs(asked: list[Any], tmp_path: Path, name: str) -> None:
    done = call(name, "--json", "-", "--plot", str(tmp_path / "a.svg"))
    assert json.loads(done.stdout)["runs"] == [{"scenario": "x"}]
    assert "<svg" in (tmp_path / "a.svg").read_text()
    assert call(name, "--json", str(tmp_path / "a.json")).stdout == "figures\n"
    assert json.loads((tmp_path / "a.json").read_text())["leaking"] is False
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("outcome", "code"), [(Outcome(leaking=True, failing=True), 1), (Outcome(failing=True), 3), (Outcome(), 0)]
)
def test_exit_status(monkeypatch: pytest.MonkeyPatch, outcome: Outcome, code: int) -> None:
    monkeypatch.setattr(registered_flows, "run", lambda *_: outcome)
    assert call("flows").exit_code == code


def test_what_cannot_be_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object) -> None:
        raise LoadError("no room")

    monkeypatch.setattr(registered_flows, "run", run)
    done = call("flows")
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (2, "loadtest: no room")


def test_progress(capsys: pytest.CaptureFixture[str]) -> None:
    """A line every five seconds."""
    progress = Progress("flows")
    for at in (1, 5, 6, 9, 10):
        progress(at, f"{at} up")
    assert capsys.readouterr().err == "flows: 5 s, 5 up\nflows: 10 s, 10 up\n"
