"""Says of module constants that they are final, in the copy of the sources that is compiled.

Compiled code looks each module-level name up in the module's dictionary, for a test may put another value there: 800
look-ups a call. Of a name that is `Final` it keeps the value in a variable of its own. That a constant is one is told
by how it is written (PEP 8), so the sources do not have to say it a second time.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

MEMOS = frozenset(("remembered", "remembered_by_all"))
"""Decorators that make an object of a function (`proxy/memo.py`), which is a constant of its module as well."""
ITSELF = "_itself"
"""Behind the name of a function that such a decorator was taken from."""
_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]+")
_IMPORT = "; from typing import Final"


class _Edit(NamedTuple):
    """Bytes of one line to be replaced; columns are counted in bytes of UTF-8, lines from 1."""

    line: int
    begin: int
    end: int
    text: str


def with_finals(source: str) -> str:
    """Return a module's source in which constants and remembered functions are final; every line keeps its number.

    Only names that the module binds once: what is bound again, or within a function by `global`, is no constant.
    """
    module = ast.parse(source)
    lines = source.split("\n")
    once = {name for name, times in Counter(_bound(module)).items() if times == 1}
    edits = [edit for statement in module.body for edit in _edits(statement, once, lines)]
    if edits and "Final" not in once:
        edits += [
            _Edit(statement.lineno, statement.end_col_offset or 0, statement.end_col_offset or 0, _IMPORT)
            for statement in module.body if isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        ]  # fmt: skip
    for line, begin, end, text in sorted(edits, reverse=True):
        data = lines[line - 1].encode()
        lines[line - 1] = (data[:begin] + text.encode() + data[end:]).decode()
    return "\n".join(lines)


def _bound(module: ast.Module) -> Iterator[str]:
    """Yield each name as often as the module binds it, and twice what a function may bind anew."""
    for node in ast.walk(module):
        if isinstance(node, ast.Global):
            yield from node.names * 2
    for statement in module.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in statement.names)
        else:
            yield from (
                node.id for node in ast.walk(statement)
                if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
            )  # fmt: skip


def _edits(statement: ast.stmt, once: set[str], lines: Sequence[str]) -> Iterator[_Edit]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name) as target]) if name in once and _CONSTANT.fullmatch(name):
            yield _Edit(target.lineno, target.end_col_offset or 0, target.end_col_offset or 0, ": Final")
        case ast.AnnAssign(target=ast.Name(id=name), annotation=kind, value=ast.expr()):
            if name in once and _CONSTANT.fullmatch(name) and kind.lineno == kind.end_lineno and not _is_final(kind):
                yield _Edit(kind.lineno, kind.end_col_offset or 0, kind.end_col_offset or 0, "]")
                yield _Edit(kind.lineno, kind.col_offset, kind.col_offset, "Final[")
        case ast.FunctionDef(name=name, decorator_list=[ast.Name(id=memo) as decorator]) if memo in MEMOS:
            behind = statement.end_lineno or 0
            if name in once and not "".join(lines[behind : behind + 1]).strip():
                yield from _undecorated(statement, decorator, behind + 1)


def _is_final(kind: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id in ("Final", "TypeAlias") for node in ast.walk(kind))


def _undecorated(function: ast.FunctionDef, decorator: ast.Name, behind: int) -> Iterator[_Edit]:
    """Yield what gives a decorated function another name, and its own to what the decorator makes of it."""
    begin = function.col_offset + len("def ")
    yield _Edit(decorator.lineno, 0, decorator.end_col_offset or 0, "")
    yield _Edit(function.lineno, begin, begin + len(function.name), function.name + ITSELF)
    yield _Edit(behind, 0, 0, f"{function.name}: Final = {decorator.id}({function.name}{ITSELF})")
