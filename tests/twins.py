"""Modules that are written twice, in Python and in C: either of them, as a module that nobody else sees."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from scripts.native import build
from tap.native import ROOT

SANITIZED = "gcc -g -fsanitize=address,undefined -fno-sanitize-recover=all"


def load(name: str, path: Path) -> ModuleType:
    """Import a file under a name."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pure(name: str) -> ModuleType:
    """Return the source, also where the compiled core passes the tests."""
    return load(name, ROOT / f"proxy/{name}.py")


def native(name: str, folder: Path) -> ModuleType:
    """Return what the C file is compiled to, as `scripts/compile` does it; warnings are errors here."""
    if shutil.which("gcc") is None:
        pytest.skip("there is no C compiler: apt-get install build-essential")
    for each in ("proxy", "build"):
        (folder / each).mkdir()
    shutil.copy(ROOT / f"proxy/{name}.c", folder / "proxy")
    extension = build.extension(f"proxy/{name}.c")
    build._compile([*build.c_compiler(), "-Werror"], [extension], folder, folder / "made", lambda *_: None)
    (made,) = (folder / "made/proxy").iterdir()
    return load(name, made)


def pass_sanitized(test_file: str) -> None:
    """Run a file's tests once more with AddressSanitizer and UBSan in the C; the one that asks for it is skipped."""
    if shutil.which("gcc") is None:
        pytest.skip("there is no C compiler: apt-get install build-essential")
    library = subprocess.run(["gcc", "-print-file-name=libasan.so"], check=True, capture_output=True, text=True).stdout
    if not Path(library.strip()).is_absolute():
        pytest.skip("there is no AddressSanitizer: apt-get install build-essential")
    environment = {
        **os.environ, "CC": SANITIZED, "LD_PRELOAD": library.strip(), "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONMALLOC": "malloc",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test_file],
        check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "1 skipped" in done.stdout
