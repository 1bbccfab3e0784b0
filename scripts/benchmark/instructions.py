"""Instructions of the compiled core for a call: a figure that nothing else on the machine can change.

Microseconds drift with what the other core does, by a factor of up to two; the instructions between entering and
leaving `Core.receive` do not. Valgrind counts them (callgrind). They say nothing of caches, the kernel and the
collector: so they tell whether a change helps, and `peers` tells what it comes to.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from scripts.benchmark.errors import BenchError
from scripts.benchmark.instructed import BATCH, PLAIN
from scripts.load.proxy import ROOT

ENTRY = "CPyPy_core___Core___receive"
"""The compiled `Core.receive` as Python calls it: counting begins and ends with it."""
BATCHES = (3, 7)
"""Batches of a short and of a long run: what is done once, to begin with, is in both and so not in the difference."""
_COLLECTED = re.compile(r"Collected : (\d+)")
_FUNCTION = re.compile(r"^ *([\d,]+) .*?:([^:\[]+?)(?: \[.*)?$", re.MULTILINE)


class Counted(NamedTuple):
    """What was counted."""

    call: float
    """Instructions for each call: of seven messages, or of nine where phones prove who they are."""
    dearest: list[tuple[str, float]]
    """Functions and their own instructions for each call, the dearest first; what the first calls took is in it."""


def count(tree: Path = ROOT, *, top: int = 0, batches: tuple[int, int] = BATCHES, kind: str = PLAIN) -> Counted:
    """Return what a call costs in a tree whose core is compiled.

    Args:
        tree: a checkout; its own core and its own messages are used, with this Python and its libraries.
        top: so many of the dearest functions too.
        batches: of the two runs, the shorter first.
        kind: of the calls: one of `instructed`.

    Raises:
        BenchError: without valgrind, without a compiled core, or where the run fails.
    """
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise BenchError("valgrind is not installed: apt-get install valgrind")
    with tempfile.TemporaryDirectory(prefix="sipveil-bench-") as folder:
        file = Path(folder, "callgrind.out")
        short, long = (run(valgrind, tree, number, file, kind) for number in batches)
        call = (long - short) / ((batches[1] - batches[0]) * BATCH)
        return Counted(call, dearest(file, top, batches[1] * BATCH) if top else [])


def run(valgrind: str, tree: Path, batches: int, file: Path, kind: str = PLAIN) -> int:
    """Return the instructions within the core while it carries so many batches; file gets callgrind's own report.

    Raises:
        BenchError: as `count`.
    """
    command = [
        valgrind, "--tool=callgrind", f"--callgrind-out-file={file}", f"--toggle-collect={ENTRY}",
        sys.executable, str(Path(__file__).with_name("instructed.py")), kind, str(batches),
    ]  # fmt: skip
    # One order of hashed names: else sets and dictionaries collide a little differently in each run.
    environment = {"PYTHONPATH": str(tree), "PYTHONSAFEPATH": "1", "PYTHONHASHSEED": "0", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, check=False, cwd=tree, env=environment, capture_output=True, text=True)  # noqa: S603
    collected = _COLLECTED.search(done.stderr)
    if done.returncode or collected is None:
        raise BenchError(f"the run under valgrind failed: {done.stderr.strip().splitlines()[-1:]}")
    if "compiled" not in done.stdout:
        raise BenchError(
            f"the core of {tree} is not compiled for this Python, and only such a one is counted: scripts/compile"
        )
    return int(collected[1])


def dearest(file: Path, top: int, calls: int) -> list[tuple[str, float]]:
    """Return the functions with the most instructions of their own in so many calls."""
    command = [shutil.which("callgrind_annotate") or "callgrind_annotate", str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    rows = [(name.strip(), int(number.replace(",", ""))) for number, name in _FUNCTION.findall(done.stdout)]
    return [(name, number / calls) for name, number in rows[:top]]
