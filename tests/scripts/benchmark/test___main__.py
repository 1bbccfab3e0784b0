"""The command line, as scripts/bench runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scripts.benchmark import baseline
from scripts.benchmark.__main__ import contenders_of, main
from scripts.benchmark.errors import BenchError
from scripts.benchmark.generator import Load
from tests.real.harness import program


def bench(*words: str) -> Result:
    return CliRunner().invoke(main, words, catch_exceptions=False)


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the baseline of this test is stored."""
    path = tmp_path / "baseline.json"
    monkeypatch.setattr(baseline, "FILE", path)
    monkeypatch.setattr(baseline.save, "__defaults__", (path,))
    monkeypatch.setattr(baseline.load, "__defaults__", (path,))
    return path


CORE = ("core", "--rounds", "1", "--batch", "2", "--subscribers", "2")


def test_core_is_stored_and_compared(file: Path) -> None:
    assert "stored as" in bench(*CORE, "--save").output
    assert "INVITE" in json.loads(file.read_text())["relative"]
    assert "%" in bench(*CORE).output


def test_core_as_json() -> None:
    done = CliRunner().invoke(main, [*CORE, "--json"])
    assert "there is no baseline yet" in done.stderr
    assert json.loads(done.stdout[done.stdout.index("{") : done.stdout.rindex("}") + 1])["INVITE"]["micros"]


def test_profile() -> None:
    output = bench("profile", "--calls", "50", "--top", "2", "--of", "BYE").output
    assert "identity and records" in output
    assert "BYE: the dearest functions" in output


def test_growth() -> None:
    assert "different callers" in bench("growth", "--rounds", "1", "--of", "subscribers").output


def test_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    program("gcc", "build-essential")
    monkeypatch.setattr("scripts.benchmark.peers.WARM", Load(calls=20))
    output = bench("peers", "--rounds", "1", "--rate", "0", "--seconds", "1", "--with", "null").output
    assert "saturated: least / median / greatest of 1 rounds" in output


def test_memory() -> None:
    output = bench("memory", "--ringing", "0", "--starts", "1", "--lingering", "0").output
    assert "sipveil: start to first answer" in output


def test_unknown_contender() -> None:
    done = bench("peers", "--with", "asterisk")
    assert done.exit_code == 1
    said = done.stderr.splitlines()
    assert said[0].startswith("core: ")
    assert said[1:] == ["scripts/bench: there is no contender 'asterisk', only sipveil, kamailio, null"]
    with pytest.raises(BenchError):
        contenders_of("")
