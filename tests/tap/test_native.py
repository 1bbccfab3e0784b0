"""Which core runs; that the compiled one does is in tests/test_native.py, in processes of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tap import native
from tap.native import ROOT, checksum, choose


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of what the checksum is over, and of tap/."""
    for name in ("proxy", "filters", "config", "tap"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def chosen(tree: Path, wish: str = "") -> str:
    """Return what a process in this tree says."""
    done = subprocess.run(
        [sys.executable, "-c", "import tap; print(tap.CORE)"], check=False, cwd=tree, capture_output=True, text=True,
        env={"SIPVEIL_CORE": wish, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", ["proxy/parse.py", "proxy/scan.c", "filters/sdp.py", "config/settings.py"])
def test_the_checksum_sees_every_edit(tree: Path, name: str) -> None:
    """A developer who edits a source never runs what was compiled from another one."""
    before = checksum(tree)
    assert before == checksum(ROOT)
    with (tree / name).open("a") as file:
        file.write("\n")
    assert checksum(tree) != before


def test_the_checksum_sees_names(tree: Path) -> None:
    """The same text in another file is another source."""
    before = checksum(tree)
    (tree / "proxy/via.py").rename(tree / "proxy/via2.py")
    assert checksum(tree) != before
    before = checksum(tree)
    (tree / "tap/log.py").write_text("")  # the shell is not compiled
    assert checksum(tree) == before


def test_without_a_compiled_core(tree: Path) -> None:
    """Python runs, without a word; whoever wants the other hears how to get it."""
    assert chosen(tree) == "pure Python\n"
    assert chosen(tree, "pure") == "pure Python (SIPVEIL_CORE=pure)\n"
    assert chosen(tree, "native") == "SIPVEIL_CORE is native, but there is no compiled core; make it: scripts/compile\n"
    assert chosen(tree, "fast") == "SIPVEIL_CORE is 'fast'; write pure or native, or leave it out\n"


def test_a_compiled_core_of_other_sources(tree: Path) -> None:
    """Is not used, and the log says so."""
    (tree / ".native" / "0123456789abcdef").mkdir(parents=True)
    assert chosen(tree).startswith("pure Python (the compiled one is of other sources or another Python; ")
    assert chosen(tree, "native").startswith("SIPVEIL_CORE is native, but the compiled one is of other sources")


def test_a_compiled_core_that_cannot_be_loaded(tree: Path) -> None:
    """Falls back before anything of it is imported."""
    twin = tree / ".native" / checksum(tree)
    twin.mkdir(parents=True)
    (twin / f"{native.LIBRARY}.py").write_text("raise ImportError('wrong ELF class')")
    assert chosen(tree).startswith("pure Python (the compiled one cannot be loaded; ")


def test_never_half_and_half(tmp_path: Path) -> None:
    """Where a module of the core is imported already, as in this process, it is too late."""
    import proxy.via  # noqa: F401, PLC0415

    (tmp_path / checksum()).mkdir()
    assert "imported before" in choose(None, tmp_path).why
    with pytest.raises(SystemExit, match="imported before"):
        choose("native", tmp_path)
