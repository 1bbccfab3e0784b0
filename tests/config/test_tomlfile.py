"""A TOML file is read, or it is a problem; its keys have lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import tomlfile
from config.problem import ConfigError, Mistake

RIGHT = "give another"


def test_lines_of_keys_and_of_missing_ones(tmp_path: Path) -> None:
    """A key that is not there is missing from its table."""
    path = tmp_path / "a.toml"
    path.write_text("a = 1\n\n[b]\nc = { d = 2 }\n")
    file = tomlfile.read(path, RIGHT)
    assert file.data == {"a": 1, "b": {"c": {"d": 2}}}
    assert [file.line(key) for key in (("a",), ("b",), ("b", "c", "d"), ("b", "x"))] == [1, 3, 4, 3]
    assert [file.written(key) for key in (("b", "c", "d"), ("b", "x"))] == [4, None]


def test_problems_are_sorted_by_line(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("a = 1\nb = 2\n")
    file = tomlfile.read(path, RIGHT)
    second, first = Mistake(("b",), "is wrong", "mend it"), Mistake(("a",), "is not", "as", ("b",))
    assert [str(each) for each in file.placed((second, first))] == [
        f"{path}:1: a: is not b (line 2); as", f"{path}:2: b: is wrong; mend it",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "line", "wrong"),
    [(None, 0, "cannot be read: "), (b"a = 1\n\xff", 2, "is not UTF-8"), (b"a = 1\n[b", 2, "is not TOML: ")],
)
def test_what_cannot_be_read_is_a_problem(tmp_path: Path, content: bytes | None, line: int, wrong: str) -> None:
    path = tmp_path / "a.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        tomlfile.read(path, RIGHT)
    [problem] = caught.value.problems
    assert (problem.file, problem.line) == (str(path), line)
    assert problem.wrong.startswith(wrong)
    assert problem.right
