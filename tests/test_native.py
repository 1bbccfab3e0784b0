"""The compiled core passes the core's own tests: the same files, another interpreter of them."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.benchmark import instructions
from scripts.benchmark.instructed import BATCH
from scripts.native.build import build, modules, written_in_c
from tap.native import FOLDER, ROOT

TESTS = {
    "proxy": ("tests/proxy",),
    "apart: filters": ("tests/filters", "tests/test_no_leak.py", "tests/test_corpus.py"),
}
"""The core's tests, in two parts; tests/conftest.py gives what stands apart to another process."""
PURE_ONLY = {
    "tests/filters/test_plan.py::test_an_edit_is_worked_out_once": "replaces a method of one plan",
    "tests/filters/test_plan.py::test_invented_names_cost_a_bounded_memory": "lowers a constant",
    "tests/filters/test_policy.py::test_decisions_are_packed_and_made_once": "replaces a method of one policy",
    "tests/filters/test_policy.py::test_a_flood_of_wishes_costs_a_bounded_memory": "lowers a constant",
    "tests/filters/test_engine.py::test_a_flood_of_decisions_costs_a_bounded_memory": "lowers a constant",
    "tests/filters/test_catalogue_reference.py::test_main_writes_the_file": "puts another path in place of a constant",
    "tests/proxy/test_handover.py::test_forged_peers_fill_no_memory": "lowers a constant",
    "tests/proxy/test_handle_request.py::test_a_raising_decision_fails_closed": "replaces a method of one engine",
    "tests/proxy/test_secure.py::test_sips_that_crosses_us_twice_goes_on": "has no crossing but a stand-in",
    "tests/proxy/test_waiting.py::test_the_end_of_a_worker_is_that_of_its_connections": "nor transactions",
    "tests/proxy/test_launch.py::test_when_even_the_bare_message_fails_nothing_leaves": "and of one forwarder",
}
"""Tests that reach into objects whose compiled classes do not let them → how."""
IMPORTED = """
import importlib, sys, tap
for name in sys.argv[1:]:
    print(importlib.import_module(name).__file__)
"""
PLACE = """
from tap.log import where
from proxy.parse import parse
from proxy.message import Message
try:
    parse("secret", None)
except Exception as error:
    print(where(error))
try:
    parse(b"SIP/2.0 secret", None)
except Exception as error:
    print(where(error))
"""


def run(*arguments: str | Path, core: str = "native") -> subprocess.CompletedProcess[str]:
    """Run Python in the tree, with this core."""
    command = [sys.executable, *arguments]
    environment = {**os.environ, "SIPVEIL_CORE": core}
    return subprocess.run(
        command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1800
    )  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def twin() -> Path:
    """Make sure of the compiled core; where it is there, this takes no time."""
    if shutil.which("gcc") is None:
        pytest.skip("there is no C compiler: apt-get install build-essential")
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock-of-tests").open("w") as lock:  # the second process need not compile the same
        fcntl.flock(lock, fcntl.LOCK_EX)
        return build(lambda *_: None)


def test_every_module_is_the_compiled_one(twin: Path) -> None:
    """Nothing falls back to a source in silence, and what stays Python is what was left out."""
    names = [path.partition(".")[0].replace("/", ".") for path in (*modules(), *written_in_c())]
    done = run("-c", IMPORTED, *names, "proxy.transport", "proxy.resolver", "proxy")
    assert done.returncode == 0, done.stderr
    *compiled, transport, resolver, package = (Path(line) for line in done.stdout.splitlines())
    assert len(compiled) == len(names) > 50
    assert all(path.is_relative_to(twin) and path.suffix == ".so" for path in compiled)
    assert [transport, resolver, package] == [
        ROOT / f"proxy/{each}.py" for each in ("transport", "resolver", "__init__")
    ]


@pytest.mark.parametrize("part", TESTS)
def test_the_compiled_core_passes_the_tests_of_the_core(part: str) -> None:
    """All of them but those that are named above."""
    without = [name for name in PURE_ONLY if name.startswith(TESTS[part])]
    deselected = [word for name in without for word in ("--deselect", name)]
    done = run("-m", "pytest", "-p", "no:cacheprovider", *TESTS[part], *deselected)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "core: compiled" in done.stdout
    assert re.search(rf"\b{len(without)} deselected", done.stdout), "an exception for a test that is gone is none"


def test_a_real_call_crosses_it() -> None:
    """The demo: real sockets, a whole call, and nothing secret arrives."""
    done = run("-m", "tap.main", "demo", "--no-color")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_failed_is_named_by_its_place_alone() -> None:
    """Frames of compiled code have the source's name and line, as the log wants them."""
    done = run("-c", PLACE)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"TypeError at \S+:\d+\n\w+ at proxy/parse\.py:\d+\n", done.stdout), done.stdout


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed: apt-get install valgrind")
def test_its_instructions_can_be_counted(tmp_path: Path) -> None:
    """By real valgrind; some hundred instructions a byte, or something else was counted."""
    out = tmp_path / "out"
    assert 200_000 < instructions.run("valgrind", ROOT, 1, out) / BATCH < 5_000_000
    dearest = instructions.dearest(out, 5, BATCH)
    assert len(dearest) == 5
    assert any("Py" in name for name, _ in dearest)


@pytest.mark.parametrize(("core", "said"), [("native", "core: compiled"), ("pure", "core: pure Python")])
def test_the_version_tells_the_core(core: str, said: str) -> None:
    """So that nobody wonders."""
    assert said in run("-m", "tap.main", "--version", core=core).stdout
