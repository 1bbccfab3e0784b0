"""From Python to C, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from scripts.native.translate import read
from tap.native import LIBRARY, ROOT


def test_translation(tmp_path: Path) -> None:
    """Each module gets a C file, all together one library of the name that tap/native loads."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text("def half(number: int) -> float:\n    return number / 2\n")
    command = [sys.executable, "-m", "scripts.native.translate", "one.py", "two.py"]
    subprocess.run(command, check=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True)
    found = {each.name: each for each in read(tmp_path)}
    assert set(found) == {LIBRARY, "one", "two"}
    assert {"build/__native_one.c", "build/__native_two.c"} <= set(found[LIBRARY].sources)
    assert all((tmp_path / source).is_file() for each in found.values() for source in each.sources)
    assert "-O2" in found[LIBRARY].flags
