"""The options of scripts/loadtest, and what follows from them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from scripts.load import __main__ as command
from scripts.load.config import CATEGORIES
from scripts.load.cores import Cores
from scripts.load.errors import LoadError
from scripts.load.result import Leak, Reloading, Result
from scripts.load.run import Load
from scripts.load.scenario import SCENARIOS, Scenario
from tap import CORE
from tests.scripts.load.results import result


class Runs:
    """Stands in for real runs, and keeps what they would have been."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Load]] = []
        self.outcome: dict[str, Any] = {}

    def __call__(self, scenario: Scenario, load: Load, _folder: Path, _watch: object) -> Result:
        self.asked.append((scenario.name, load))
        if "error" in self.outcome:
            raise LoadError(self.outcome["error"])
        return result(scenario=scenario.name, rate=load.rate, **self.outcome)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    made = Runs()
    monkeypatch.setattr(command, "run", made)
    return made


def call(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(command.main, arguments)
    assert done.exit_code == code, done.output
    return done.stdout


def test_without_options(runs: Runs) -> None:
    """Ten seconds of the rich call."""
    assert call().startswith("rich: ")
    ((name, load),) = runs.asked
    assert (name, load.rate, load.calls, load.limit, load.sources, load.workers) == ("rich", 100, 1000, 0, 1, 1)
    assert load.keep == ()


def test_all_options(runs: Runs) -> None:
    """Each arrives."""
    options = "--rate 50 --calls 7 --limit 9 --sources 64 --workers 2 --ring 1 --talk 2 --port 6000 --no-pin"
    options += " --reload-every 0.5"
    repeated = "--scenario busy --scenario rich --keep name --keep name"
    call(*options.split(), *repeated.split())
    expected = Load(rate=50, calls=7, limit=9, sources=64, workers=2, ring=1, talk=2, port=6000, keep=("name",),
                    reload_every=0.5, cores=Cores())  # fmt: skip
    assert runs.asked == [("busy", expected), ("rich", expected)]


def test_ports_or_addresses(runs: Runs) -> None:
    """SIPp has no several ports on several addresses."""
    call("--ports", "64")
    assert [(load.sources, load.ports) for _, load in runs.asked] == [(1, 64)]
    call("--ports", "2", "--sources", "2", code=2)
    assert len(runs.asked) == 1


def test_all(runs: Runs) -> None:
    """Scenarios, and categories."""
    call("--scenario", "all", "--keep", "all")
    assert [name for name, _ in runs.asked] == list(SCENARIOS)
    assert runs.asked[0][1].keep == CATEGORIES


def test_sweep(runs: Runs, tmp_path: Path) -> None:
    """A run for each rate, ten seconds each, and a picture; failures are what it is for."""
    runs.outcome = {"failed": 3}
    call("--sweep", "100,250.5", "--plot", str(tmp_path / "a.svg"))
    assert [(load.rate, load.calls) for _, load in runs.asked] == [(100, 1000), (250.5, 2505)]
    assert (tmp_path / "a.svg").read_text().count("<svg") == 1


@pytest.mark.parametrize("text", ["", "x", "100,", "0", "-1,5", "inf", "nan"])
def test_no_rates(text: str) -> None:
    """Said by name, before anything runs."""
    with pytest.raises(click.BadParameter, match="such as 100,200,400"):
        command.rates(click.Context(command.main), command.main.params[0], text)


def test_a_plot_needs_a_sweep(runs: Runs) -> None:
    """One rate is no line."""
    call("--plot", "a.svg", code=2)
    assert runs.asked == []


def test_json(runs: Runs, tmp_path: Path) -> None:
    """To standard output, with nothing else, or to a file beside the text."""
    assert json.loads(call("--json", "-"))["runs"][0]["scenario"] == "rich"
    assert call("--json", str(tmp_path / "a.json")).startswith("rich: ")
    assert json.loads((tmp_path / "a.json").read_text())["leaking"] is False
    assert len(runs.asked) == 2


def test_a_leak_is_an_exit_status(runs: Runs) -> None:
    """Also in a sweep, and before failures."""
    runs.outcome = {"leaks": [Leak("cell", "INVITE", 2)], "failed": 5}
    assert "cell: INVITE 2" in call(code=1)
    assert json.loads(call("--sweep", "1,2", "--json", "-", code=1))["leaking"] is True


def test_failed_calls_are_another(runs: Runs) -> None:
    """Refused ones are not failed."""
    runs.outcome = {"failed": 1}
    call(code=3)
    runs.outcome = {"refused": 1}
    call()


def test_a_refused_reload_is_a_failure(runs: Runs) -> None:
    """Calls went well, but not through what was to be tested."""
    told = Reloading(made=3, refused=[], longest_ms=1, gap_ms=1, other_gap_ms=1)
    runs.outcome = {"reloads": told}
    call("--reload-every", "1")
    runs.outcome = {"reloads": replace(told, refused=["no"])}
    call("--reload-every", "1", code=3)


def test_what_cannot_be_run_is_one_sentence(runs: Runs) -> None:
    """On standard error."""
    runs.outcome = {"error": "SIPp is not installed"}
    done = CliRunner().invoke(command.main, [])
    assert (done.exit_code, done.stderr) == (2, f"core: {CORE}\nloadtest: SIPp is not installed\n")
