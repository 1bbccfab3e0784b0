"""Where a command writes, and the status that it ends with."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.load.errors import LoadError
from scripts.load.output import Output, explained, status
from tap.native import CORE


def test_for_a_person(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Text on standard output; JSON into a file, if one is asked for."""
    Output().say("words")
    Output().write("{}")
    Output(tmp_path / "a.json").say("more")
    Output(tmp_path / "a.json").write("{}")
    assert capsys.readouterr().out == "words\nmore\n"
    assert (tmp_path / "a.json").read_text() == "{}\n"


def test_for_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON on standard output, and nothing else."""
    Output(Path("-")).say("words")
    Output(Path("-")).write("{}")
    assert capsys.readouterr().out == "{}\n"


@pytest.mark.parametrize(
    ("leaking", "failing", "code"), [(False, False, 0), (True, False, 1), (True, True, 1), (False, True, 3)]
)
def test_status(leaking: bool, failing: bool, code: int) -> None:
    """A leak is worse than a call that failed."""
    assert status(leaking=leaking, failing=failing) == code


@pytest.mark.parametrize(
    ("error", "code", "words"), [(LoadError("no room"), 2, "no room"), (KeyboardInterrupt(), 130, "interrupted")]
)
def test_one_sentence(capsys: pytest.CaptureFixture[str], error: BaseException, code: int, words: str) -> None:
    """On standard error, behind which core it was."""
    with pytest.raises(SystemExit) as ended, explained():
        raise error
    assert ended.value.code == code
    assert capsys.readouterr().err == f"core: {CORE}\nloadtest: {words}\n"


def test_what_goes_well_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with explained():
        pass
    assert capsys.readouterr().err == f"core: {CORE}\n"
