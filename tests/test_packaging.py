"""What gets installed: the names, the files, the dependencies, the plugin, and the scripts that do it."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from functools import cache
from importlib import metadata
from pathlib import Path

import click
import pytest

from tap.main import main

ROOT = Path(__file__).parents[1]
FOLDERS = ("proxy", "filters", "config", "tap")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
IMPORT_NAMES = {"dnspython": "dns", "mypy-zope": "mypy_zope", "twisted": "twisted", "pyopenssl": "OpenSSL"}
"""Distribution → import name, where it is not the same with underscores."""
PARTS_OF_PYDANTIC = {"pydantic_core", "annotated_types"}
"""Its own core and the words of its schemas: released with it, and pinned by it to the version that fits."""
PARTS_OF_MYPY = {"mypyc"}
COMMAND_LINE = {"mypy", "mypy-zope", "pytest-xdist", "ruff", "setuptools"}
"""Test tools that are called or configured, not imported by a test."""


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, and return its exit code and what it printed."""
    return subprocess.run(command, check=False, cwd=cwd, env=env, capture_output=True, text=True, timeout=300)


def requirement(text: str) -> str:
    """Return the distribution's name of a requirement, lower case."""
    found = re.match(r"[A-Za-z0-9._-]+", text)
    assert found
    return found[0].lower()


@cache
def imported(*folders: str) -> frozenset[str]:
    """Return the top-level names that the files of folders import; read once, for there are a thousand files."""
    found: set[str] = set()
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    return frozenset(found)


def import_name(distribution: str) -> str:
    return IMPORT_NAMES.get(distribution, distribution.replace("-", "_"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_nobody_else_owns_our_names(folder: str) -> None:
    """The names are generic: in an environment with another `config` one of the two would be broken."""
    owners = {owner.lower() for owner in metadata.packages_distributions().get(folder, [])}
    assert owners <= {"sipveil"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_our_names_are_this_tree(folder: str) -> None:
    """What is imported is what was checked out."""
    module = __import__(folder)
    assert Path(module.__file__ or "").is_relative_to(ROOT)


@pytest.mark.parametrize("text", PROJECT["dependencies"])
def test_every_dependency_is_imported(text: str) -> None:
    """What nothing imports is not a dependency."""
    name = import_name(requirement(text)).split(".")[0]
    assert name in imported(*FOLDERS, "twisted")


@pytest.mark.parametrize("text", PROJECT["optional-dependencies"]["test"])
def test_every_test_dependency_is_used(text: str) -> None:
    """Imported by a test or by a tool behind scripts/, or called by a script."""
    distribution = requirement(text)
    assert distribution in COMMAND_LINE or import_name(distribution) in imported("tests", "scripts")


def test_everything_imported_is_declared() -> None:
    """Nothing is there only because something else brought it."""
    declared = {import_name(requirement(text)).split(".")[0] for text in PROJECT["dependencies"]}
    assert imported(*FOLDERS) - set(sys.stdlib_module_names) - set(FOLDERS) - PARTS_OF_PYDANTIC <= declared


def test_everything_the_tools_import_is_declared() -> None:
    """What scripts/ imports comes with Sipveil or with its tests."""
    texts = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]
    declared = {import_name(requirement(text)).split(".")[0] for text in texts}
    assert imported("scripts") - set(sys.stdlib_module_names) - set(FOLDERS) - {"scripts"} - PARTS_OF_MYPY <= declared


def test_every_dependency_says_why() -> None:
    """A comment beside each: what it is for. Two are their own reason."""
    own_reason = {"pytest", "ruff"}
    lines = (ROOT / "pyproject.toml").read_text().partition("[project]")[2].splitlines()
    for text in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]):
        line = next(line for line in lines if f'"{text}"' in line)
        assert "# " in line or requirement(text) in own_reason, line


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with wheel and sdist, built from a copy so that nothing is left behind in the tree."""
    folder = tmp_path_factory.mktemp("build")
    copy = folder / "tree"
    ignored = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "build", "dist", "state", "tests")
    shutil.copytree(ROOT, copy, ignore=ignored)
    code = "from setuptools import build_meta as b; b.build_wheel('../'); b.build_sdist('../')"
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = run(sys.executable, "-c", code, cwd=copy, env=environment)
    assert done.returncode == 0, done.stderr
    return folder


def test_wheel_has_all_files(built: Path) -> None:
    """Every source file, the TOML files, the plugin where twistd looks, the licence; and no __init__ of Twisted's."""
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = {path.relative_to(ROOT).as_posix() for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")}
    assert sources <= names
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "config").glob("*.toml")} <= names
    assert "config/catalogue.toml" in names
    assert "twisted/plugins/sipveil_plugin.py" in names
    assert "twisted/__init__.py" not in names
    assert "twisted/plugins/__init__.py" not in names
    assert any(name.endswith("LICENSE") for name in names)


def test_sdist_has_what_the_wheel_is_built_from(built: Path) -> None:
    """The catalogue and the project file."""
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"config/catalogue.toml", "pyproject.toml", "twisted/plugins/sipveil_plugin.py"} <= names


def test_twistd_sees_the_plugin(tmp_path: Path) -> None:
    """`twistd --help` lists it, from any folder."""
    twistd = Path(sys.executable).with_name("twistd")
    done = run(twistd, "--help", cwd=tmp_path)
    assert re.search(r"^\s+sipveil\s+SIP proxy", done.stdout, re.MULTILINE), done.stdout + done.stderr


@pytest.mark.parametrize(
    "script",
    ["scripts/bench", "scripts/compile", "scripts/run", "scripts/test", "scripts/check", "scripts/loadtest", ".ci/run"],
)
def test_script_is_executable_bash(script: str) -> None:
    """Strict bash that can be called as it stands."""
    path = ROOT / script
    assert os.access(path, os.X_OK)
    assert path.read_text().startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in path.read_text()
    assert run("bash", "-n", path).returncode == 0


def test_scripts_run_knows_every_command() -> None:
    """What it does not know it takes for the name of a configuration file."""
    with click.Context(main) as context:
        commands = set(main.list_commands(context))
    lines = re.findall(r"^  (.+?)\) ", (ROOT / "scripts/run").read_text(), re.MULTILINE)
    assert commands <= {name for line in lines for name in line.split(" | ")}


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    """Without Python 3.11 the scripts say what is missing instead of failing somewhere later."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("bash", "dirname", "cat", "cksum", "tr", "mkdir", "flock", "env", "rm"):
        found = shutil.which(tool)
        if found:
            (tools / tool).symlink_to(found)
    environment = {"PATH": str(tools), "SIPVEIL_VENV": str(tmp_path / "venv")}
    done = run(ROOT / "scripts/check", env=environment)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr


SKIPPING = """
import pytest

def test_here():
    pass

@pytest.mark.skipif(True, reason="no sipp")
def test_real_program():
    pass

@pytest.mark.xfail(reason="known", strict=True)
def test_known():
    assert False
"""


@pytest.mark.parametrize(
    ("arguments", "environment", "code"),
    [
        ([], {}, 0),
        (["--require-all"], {}, 1),
        ([], {"SIPVEIL_REQUIRE_ALL": "1"}, 1),
        ([], {"SIPVEIL_REQUIRE_ALL": "0"}, 0),
    ],
)
@pytest.mark.parametrize("whole_module", [False, True])
def test_require_all_turns_skips_into_failures(
    tmp_path: Path, arguments: list[str], environment: dict[str, str], code: int, whole_module: bool
) -> None:
    """By option or environment, for single tests and for modules that skip themselves; expected failures stay."""
    (tmp_path / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text())
    text = 'import pytest\npytest.importorskip("no_such_module")\n' if whole_module else ""
    (tmp_path / "test_skipping.py").write_text(text + SKIPPING)
    (tmp_path / "test_other.py").write_text("def test_fine():\n    pass\n")
    inherited = {key: value for key, value in os.environ.items() if key != "SIPVEIL_REQUIRE_ALL"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, "."]
    done = run(*command, cwd=tmp_path, env={**inherited, **environment})
    assert bool(done.returncode) == bool(code), done.stdout
    if code:
        assert "no_such_module" in done.stdout or "no sipp" in done.stdout
