"""The command line of scripts/compile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from scripts.native import __main__ as module
from scripts.native.errors import CompileError
from tap.native import FOLDER


def test_says_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """And how long it took."""

    def build(progress: Callable[[str, int, int], None], *, force: bool) -> Path:
        assert force
        progress("translating to C", 0, 0)
        progress("compiling", 1, 2)
        return FOLDER / "abc"

    monkeypatch.setattr(module, "build", build)
    result = CliRunner().invoke(module.main, ["--force"])
    assert (result.exit_code, result.stdout) == (0, "the compiled core is .native/abc (0 s)\n")


def test_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence, and exit status 1."""

    def build(*_: object, **__: object) -> Path:
        raise CompileError("there is no C compiler")

    monkeypatch.setattr(module, "build", build)
    result = CliRunner().invoke(module.main)
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, "scripts/compile: there is no C compiler")
