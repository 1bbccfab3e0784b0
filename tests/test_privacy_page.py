"""docs/privacy.md promises nothing that no test proves."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from tap.main import main

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")


def test_every_proof_is_there() -> None:
    """A command that names a file which is gone proves nothing."""
    files = re.findall(r"tests/[\w/]+\.py", PAGE)
    assert len(files) > 15
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_commands_that_are_no_tests_succeed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they are written, from the root of the tree."""
    monkeypatch.chdir(ROOT)
    commands = re.findall(r"`scripts/run ((?:explain|plan) [^`]+)`", PAGE)
    assert len(commands) >= 2
    for command in commands:
        told = CliRunner().invoke(main, shlex.split(command))
        assert told.exit_code == 0, told.output


def test_every_row_has_a_proof() -> None:
    rows = [line for line in PAGE.splitlines() if re.match(r"\| \d", line)]
    assert len(rows) >= 15
    assert all(line.rstrip("| ").endswith("`") for line in rows)
