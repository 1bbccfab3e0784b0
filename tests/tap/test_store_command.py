"""How commands on the store end where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.statefile import StateFileError
from tap.store_command import attempt, settings_with_store
from tests.tap.fakes import CONFIG


def test_a_configuration_without_a_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sipveil.toml").write_text(CONFIG)
    with pytest.raises(SystemExit):
        settings_with_store(tmp_path / "sipveil.toml")
    assert "has no section [subscribers]" in capsys.readouterr().err


def test_a_configuration_with_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sipveil.toml").write_text("wrong = 1")
    with pytest.raises(SystemExit):
        settings_with_store(tmp_path / "sipveil.toml")
    assert "wrong" in capsys.readouterr().err


def test_a_store_that_cannot_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        raise StateFileError("the disk is full")

    with pytest.raises(SystemExit):
        attempt(fails)
    assert capsys.readouterr().err == "sipveil: the disk is full\n"
    assert attempt(lambda: 7) == 7
