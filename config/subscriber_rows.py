"""What comes out of a file of subscribers: changes, and what is wrong with the other rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from config.problem import Problem
from config.subscriber_change import COLUMN, Change, Mistakes, Wrong, read_change


class Cells(NamedTuple):
    """A row before it is understood: its line, from 1, and what its columns hold."""

    line: int
    cells: Mapping[str, object]
    mistakes: tuple[Wrong, ...] = ()
    """What is wrong with its form."""


class Rows(NamedTuple):
    """All rows of a file."""

    changes: list[Change]
    problems: list[Problem]
    """In the order of lines; a row may have several."""
    bad: int
    """How many rows are not good."""


class FileError(Exception):
    """A file of which no row can be read; says at which line, and what would be right."""

    def __init__(self, line: int, wrong: str, right: str, key: str = "") -> None:
        """Keep the place, what is wrong, and what would be right."""
        super().__init__(wrong)
        self.line, self.wrong, self.right, self.key = line, wrong, right, key

    def problem(self, file: str) -> Problem:
        """Return it as a mistake of file."""
        return Problem(file, self.line, self.key, self.wrong, self.right)


def understand(file: str, rows: Iterable[Cells], trunks: Collection[str]) -> Rows:
    """Return what rows say, each subscriber once."""
    changes: list[Change] = []
    problems: list[Problem] = []
    bad = 0
    first: dict[str, int] = {}
    for row in rows:
        try:
            change = _change(row, trunks)
            before = first.setdefault(change.address, row.line)
            if before != row.line:
                raise Mistakes([Wrong(COLUMN, f"stands in line {before} already", "give each subscriber one row")])
            changes.append(change)
        except Mistakes as mistakes:
            bad += 1
            problems += [Problem(file, row.line, *wrong) for wrong in mistakes.found]
    return Rows(changes, problems, bad)


def _change(row: Cells, trunks: Collection[str]) -> Change:
    """Return the change of one row."""
    if row.mistakes:
        raise Mistakes(row.mistakes)
    return read_change(row.cells.get(COLUMN), {key: row.cells[key] for key in row.cells if key != COLUMN}, trunks)


def text_of(data: bytes) -> str:
    """Return a file's text, with plain line ends and without a byte order mark.

    Raises:
        FileError: it is no UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    raise FileError(line, "is not UTF-8", "save the file as UTF-8")
