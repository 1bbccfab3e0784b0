"""What the compiled core may keep in variables of its own, and that nothing else is touched."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from scripts.native.build import modules
from scripts.native.finals import with_finals
from tap.native import ROOT

TOP = "from __future__ import annotations\n\n"
FINAL = "from __future__ import annotations; from typing import Final\n\n"


@pytest.mark.parametrize(
    ("source", "final"),
    [
        ("LIMIT = 3\n", "LIMIT: Final = 3\n"),
        ("_NAMES = re.compile(\n    b'x'\n)\n", "_NAMES: Final = re.compile(\n    b'x'\n)\n"),
        ("TABLE: dict[int, str] = {}\n", "TABLE: Final[dict[int, str]] = {}\n"),
        ("É, ÉTÉ = 1, 2\nLIMIT = 'é'\n", "É, ÉTÉ = 1, 2\nLIMIT: Final = 'é'\n"),
    ],
    ids=["constant", "over several lines", "annotated", "beside letters of two bytes"],
)
def test_constants_are_final(source: str, final: str) -> None:
    """What is written as a constant is one."""
    assert with_finals(TOP + source) == FINAL + final


@pytest.mark.parametrize(
    "source",
    [
        "LIMIT = 3\nLIMIT = 4\n",
        "LIMIT = 3\nif LIMIT:\n    LIMIT = 4\n",
        "LIMIT = 3\ndef f():\n    global LIMIT\n    LIMIT = 4\n",
        "LIMIT = 3\nfor LIMIT in range(3):\n    pass\n",
        "LIMIT: int\n",
        "T = TypeVar('T')\n",
        "Edit = Callable[[bytes], bytes]\n",
        "Row: TypeAlias = dict[int, int]\n",
        "world = make()\n",
        "class A:\n    LIMIT = 3\n",
        "def f():\n    LIMIT = 3\n",
        "@other\ndef f(x):\n    return x\n",
        "@remembered\n@other\ndef f(x):\n    return x\n",
        "@remembered\ndef f(x):\n    return x\nf = None\n",
    ],
)
def test_what_is_no_constant_stays(source: str) -> None:
    """Names that are bound again, types, and what stands within a class or function."""
    assert with_finals(TOP + source) == TOP + source


def test_what_was_said_stays() -> None:
    """A module that says it itself imports it itself."""
    source = "from typing import Final\n\nLIMIT: Final = 3\nOTHER = 4\n"
    assert with_finals(TOP + source) == TOP + source.replace("OTHER", "OTHER: Final")


def test_remembered_functions_are_final() -> None:
    """Each keeps its lines, and recursion goes through what it remembers."""
    source = dedent(
        """\
        @remembered
        def f(x: int,
              y: int) -> int:
            return f(x, y)


        @remembered_by_all
        def g(x: int) -> int:
            return x
        """
    )
    expected = dedent(
        """\

        def f_itself(x: int,
              y: int) -> int:
            return f(x, y)
        f: Final = remembered(f_itself)


        def g_itself(x: int) -> int:
            return x
        g: Final = remembered_by_all(g_itself)"""
    )
    assert with_finals(TOP + source) == FINAL + expected


@pytest.mark.parametrize("name", modules())
def test_every_module_of_the_core_keeps_its_lines(name: str) -> None:
    """So what a log says of a place holds for the source; and all names are still bound."""
    source = (ROOT / name).read_text()
    final = with_finals(source)
    assert final.count("\n") == source.count("\n")
    assert [_place(one) for one in ast.parse(source).body if isinstance(one, ast.ClassDef)] == [
        _place(one) for one in ast.parse(final).body if isinstance(one, ast.ClassDef)
    ]


def _place(statement: ast.ClassDef) -> tuple[str, int]:
    return statement.name, statement.lineno
