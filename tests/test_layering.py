"""Who may import whom, and that every source file has its test file."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "config": {"config"},
    "proxy": {"proxy", "config"},
    "filters": {"filters", "proxy", "config"},
    "tap": {"tap", "filters", "proxy", "config"},
}
"""tap → filters → proxy → config: a folder sees itself and what is to its right (design.md §6)."""
KNOW_TWISTED = {"proxy/transport.py", "proxy/resolver.py"}
"""The only files outside tap/ that touch the reactor: they are where bytes and answers come from."""
WITHOUT_TEST = {
    "__init__.py": "a docstring, no logic",
    "proxy/flow.py": "one tuple without a method",
    "proxy/sinks.py": "a value and protocols",
    "proxy/errors.py": "exceptions that only keep what they are given",
    "scripts/benchmark/errors.py": "an exception that only keeps what it is given",
    "scripts/native/errors.py": "an exception that only keeps what it is given",
    "scripts/load/errors.py": "an exception that only keeps what it is given",
}
"""File name, or path from the root → why it needs no test file of its own."""
SOURCES = sorted(path for folder in MAY_IMPORT for path in (ROOT / folder).rglob("*.py"))
TOOLS = sorted((ROOT / "scripts").rglob("*.py"))
"""Python behind the commands in scripts/: not installed, and outside the layers."""


def imports(path: Path) -> Iterator[str]:
    """Yield the full names of the modules that a file imports anywhere in it, `a.b` for `from a import b` too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute here"
            yield node.module or ""


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_imports_point_one_way(path: Path) -> None:
    """No folder imports one to its left."""
    folder = path.relative_to(ROOT).parts[0]
    ours = {module.split(".")[0] for module in imports(path)} & set(MAY_IMPORT)
    assert ours <= MAY_IMPORT[folder]


@pytest.mark.parametrize("path", [p for p in SOURCES if name(p).split("/")[0] != "tap"], ids=name)
def test_the_reactor_is_touched_in_few_places(path: Path) -> None:
    """The core takes bytes and time as arguments; asyncio, sockets and threads are no way around that either."""
    found = {module.split(".")[0] for module in imports(path)}
    if name(path) in KNOW_TWISTED or name(path).startswith("proxy/transport_"):
        return
    assert not found & {"twisted", "asyncio", "select", "selectors", "threading"}
    asked = {"socket.socket", "socket.create_connection", "socket.getaddrinfo", "socket.gethostbyname"}
    assert not set(calls(path)) & asked  # socket.inet_pton and the like are only arithmetic


def calls(path: Path) -> Iterator[str]:
    """Yield `module.function` of every call of that shape."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
            yield f"{called.value.id}.{called.attr}"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_the_database_is_touched_in_one_folder(path: Path) -> None:
    """Only config/store/ knows SQL, and only tap/ knows config/store/: a request waits for no disk."""
    folder = name(path).rpartition("/")[0]
    if folder.startswith("config/store"):
        return
    assert not {module.split(".")[0] for module in imports(path)} & {"sqlalchemy", "alembic", "sqlite3"}
    assert folder == "tap" or not any(module.startswith("config.store") for module in imports(path))


@pytest.mark.parametrize("path", [p for p in SOURCES if name(p).split("/")[0] != "tap"], ids=name)
def test_nobody_asks_for_the_time(path: Path) -> None:
    """Time is an argument, so that a simulated day is a second."""
    asked = {"time.time", "time.monotonic", "time.perf_counter", "datetime.now", "datetime.utcnow", "date.today"}
    assert not set(calls(path)) & asked


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_nothing_that_is_installed_needs_a_tool(path: Path) -> None:
    """Neither scripts/ nor tests/ are in the wheel."""
    assert not {module.split(".")[0] for module in imports(path)} & {"scripts", "tests"}


@pytest.mark.parametrize("path", SOURCES + TOOLS, ids=name)
def test_every_source_file_has_its_test_file(path: Path) -> None:
    """`proxy/timers.py` is tested in `tests/proxy/test_timers.py`."""
    if path.name in WITHOUT_TEST or name(path) in WITHOUT_TEST:
        return
    relative = path.relative_to(ROOT)
    expected = ROOT / "tests" / relative.parent / f"test_{relative.name}"
    assert expected.is_file(), f"{name(expected)} is missing"


def test_exceptions_exist() -> None:
    """An exception for a file that is gone is no longer one."""
    names = {path.name for path in SOURCES} | {name(path) for path in SOURCES + TOOLS}
    assert set(WITHOUT_TEST) <= names


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_package_says_how_data_flows_and_does_nothing(folder: str) -> None:
    """`__init__.py` is a docstring, imports and names; logic has a file with a name."""
    tree = ast.parse((ROOT / folder / "__init__.py").read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    allowed = (ast.Expr, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    assert all(isinstance(node, allowed) for node in tree.body)


def test_no_module_shadows_the_standard_library() -> None:
    """The folders are import packages by generic names; at least they are nobody else's in Python itself."""
    assert not set(MAY_IMPORT) & sys.stdlib_module_names


def test_the_architecture_names_files_that_are_there() -> None:
    """By path, or by name where the path before it says the folder; what it names is where a step lives."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:config|filters|proxy|tap|scripts|tests)/[\w/]+\.py)`", text)
    assert len(paths) > 100
    assert [path for path in paths if not (ROOT / path).is_file()] == []
    names = {path.name for path in SOURCES}
    assert [name for name in re.findall(r"`(\w+\.py)`", text) if name not in names] == []


POSSESSIVE_GROUP = re.compile(r"(?<![\\(])\)(?:[*+?]|\{\d*,?\d*\})\+")


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_group_is_repeated_possessively(path: Path) -> None:
    """`(…)*+` matches what it must not before Python 3.11.5 (gh-106052), in Debian 12 too; `(?>(…)*)` does not.

    Where the last repetition fails half-way, what it had read counts as matched: an open quote as a closed one.
    """
    texts = (node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant))
    parts = (text.decode("latin-1") if isinstance(text, bytes) else text for text in texts)
    assert not [part for part in parts if isinstance(part, str) and POSSESSIVE_GROUP.search(part)]
