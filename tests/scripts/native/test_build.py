"""Building the twin, with small sources; the core itself is built by tests/test_native.py."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.native import build as module
from scripts.native.build import KEEP, build, c_compiler, modules, written_in_c
from scripts.native.errors import CompileError
from tap.native import ROOT, checksum

THREE = """
#include <Python.h>

static PyObject *three(PyObject *module, PyObject *nothing) { return PyLong_FromLong(3); }
static PyMethodDef functions[] = {{"three", three, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "three", .m_methods = functions};
PyMODINIT_FUNC PyInit_three(void) { return PyModuleDef_Init(&definition); }
"""


def quiet(*_: object) -> None:
    """Report to nobody."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a tree with one function in each package."""
    for package in ("proxy", "filters", "config"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(f'"""{package}."""\n')
    (tmp_path / "proxy/one.py").write_text("def double(number: int) -> int:\n    return 2 * number\n")
    (tmp_path / "filters/two.py").write_text(
        "from filters.three import three\nfrom proxy.one import double\n\n\n"
        "def two() -> int:\n    return double(1)\n\n\ndef six() -> int:\n    return double(three())\n"
    )
    (tmp_path / "proxy/transport.py").write_text("import nothing_there\n")
    (tmp_path / "filters/three.py").write_text("def three() -> int:\n    return 3\n")
    (tmp_path / "filters/three.c").write_text(THREE)
    return tmp_path


def test_what_is_compiled() -> None:
    """All but packages and what speaks with Twisted; and by C's own compiler what is written in C besides."""
    found = modules()
    assert {"proxy/parse.py", "proxy/transaction.py", "filters/plan.py"} <= set(found)
    assert not {"proxy/__init__.py", "proxy/transport.py", "proxy/transport_queue.py", "proxy/resolver.py"} & set(found)
    assert "proxy/scan.py" not in found
    assert "proxy/scan.c" in written_in_c()
    assert all((ROOT / path).with_suffix(".py").is_file() for path in written_in_c())


def test_a_twin_is_built_once_and_works(tree: Path) -> None:
    """Into a folder with its checksum; nothing else is left, and nothing beside the sources."""
    pytest.importorskip("mypyc")
    folder, before = tree / ".native", sorted(tree.rglob("*"))
    said: list[str] = []
    twin = build(lambda what, *_: said.append(what), root=tree, folder=folder)
    assert twin == folder / checksum(tree)
    assert {"translating to C", "compiling"} <= set(said)
    assert list(folder.iterdir()) == [twin]
    assert sorted(path for path in tree.rglob("*") if not path.is_relative_to(folder)) == before
    code = "import proxy.one, filters.two; print(filters.two.two(), filters.two.six(), proxy.one.__file__)"
    done = subprocess.run([sys.executable, "-S", "-c", code], check=True, cwd=twin, capture_output=True, text=True,
                          env={"PYTHONPATH": str(twin)})  # fmt: skip
    assert done.stdout.startswith(f"2 6 {twin}")
    said.clear()
    assert build(lambda what, *_: said.append(what), root=tree, folder=folder) == twin
    assert not said
    assert build(lambda what, *_: said.append(what), force=True, root=tree, folder=folder) == twin
    assert said


def test_sources_that_cannot_be_compiled(tree: Path) -> None:
    """Are named, with line and reason; nothing is left behind."""
    (tree / "proxy/one.py").write_text("def double(number: int) -> int:\n    return 'two'\n")
    with pytest.raises(CompileError, match=r"(?s)mypyc cannot compile these sources:.*proxy/one\.py:2: error: "):
        build(quiet, root=tree, folder=tree / ".native")
    assert not list((tree / ".native").iterdir())


def test_without_a_compiler(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence says what to install, before anything is begun."""
    monkeypatch.setenv("CC", "no-such-compiler -m64")
    with pytest.raises(CompileError, match=r"no C compiler \(no-such-compiler\); .*install build-essential"):
        build(quiet, root=tree, folder=tree / ".native")
    assert not (tree / ".native").exists()


def test_without_the_headers_of_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same."""
    monkeypatch.setattr(module, "_headers", lambda: tmp_path)
    monkeypatch.setenv("CC", sys.executable)
    with pytest.raises(CompileError, match="install python3-dev"):
        c_compiler()


def test_a_compiler_that_fails(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is quoted."""
    monkeypatch.setenv("CC", "false")
    with pytest.raises(CompileError, match=r"the C compiler failed \(false\)"):
        build(quiet, root=tree, folder=tree / ".native")


def test_only_the_last_twins_are_kept(tmp_path: Path) -> None:
    """A few, for going back and forth; what is being made is not touched."""
    for number in range(KEEP + 2):
        (tmp_path / f"{number:016x}").mkdir()
        os.utime(tmp_path / f"{number:016x}", (time.time() + number, time.time() + number))
    (tmp_path / "making-abc").mkdir()
    module._forget_old(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *(f"{n:016x}" for n in range(2, KEEP + 2)),
        "making-abc",
    ]
