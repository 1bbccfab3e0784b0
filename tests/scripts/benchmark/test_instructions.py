"""Instructions: the difference of two runs, and what is said where they cannot be counted."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from scripts.benchmark import instructions
from scripts.benchmark.errors import BenchError
from scripts.benchmark.instructed import BATCH, DIGEST
from scripts.benchmark.instructions import count

# It is called as valgrind is: the number of batches stands last, and `digest` before it.
PRETENDS = """#!/bin/sh
times=1
for last; do test "$last" = digest && times=2; done
echo "==1== Collected : $((9000 + last * times * {each}))" >&2
echo "{core}"
exit {status}
"""


def valgrind(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, each: int = 0, core: str = "compiled", status: int = 0
) -> None:
    """Put a program in valgrind's place that pretends to count `each` instructions a batch."""
    program = folder / "valgrind"
    program.write_text(PRETENDS.format(each=each, core=core, status=status))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(shutil, "which", lambda name: str(program) if name == "valgrind" else None)


def test_what_is_done_once_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    valgrind(tmp_path, monkeypatch, each=BATCH * 1000)
    assert count().call == 1000
    assert count(kind=DIGEST).call == 2000


def test_only_a_compiled_core_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sources have no function of that name: nothing would be counted."""
    valgrind(tmp_path, monkeypatch, core="pure Python")
    with pytest.raises(BenchError, match="scripts/compile"):
        count()


def test_a_failing_run_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    valgrind(tmp_path, monkeypatch, status=1)
    with pytest.raises(BenchError, match="failed"):
        count()


def test_without_valgrind(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence that says what to do."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(BenchError, match="apt-get install valgrind"):
        count()


def test_rows_of_the_report_are_read() -> None:
    """As callgrind_annotate 3.19 prints them; totals and headings are none."""
    text = (
        "--------------------------------------------------------------------------------\n"
        "920,510,025 (100.0%)  PROGRAM TOTALS\n\n"
        " 40,787,577 ( 4.43%)  Objects/dictobject.c:_Py_dict_lookup [/usr/lib/libpython3.11.so.1.0]\n"
        "  9,897,000 ( 1.08%)  ???:CPyDef_parse___parse [/x/sipveil__mypyc.so]\n"
    )
    assert instructions._FUNCTION.findall(text) == [
        ("40,787,577", "_Py_dict_lookup"), ("9,897,000", "CPyDef_parse___parse"),
    ]  # fmt: skip
