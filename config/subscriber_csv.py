"""Subscribers as CSV (RFC 4180): a line of column names, then a line for each.

    subscriber,name,number,location,…,telemarketer,reject_anonymous,name@carrier
    alice@example.net,hide,show,,…,no,yes,show

Spreadsheets write commas, semicolons or tabs between cells, with or without a byte order mark: all are read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator

from config.subscriber import EVERYWHERE, FLAGS, WORDS, Subscriber, key_of
from config.subscriber_change import COLUMN, Mistakes, Wrong, check_trunk, keys, of, read_key
from config.subscriber_rows import Cells, FileError

_DELIMITERS = ",;\t"


def read_csv(text: str, trunks: Collection[str]) -> Iterator[Cells]:
    """Yield the rows of a file.

    Raises:
        FileError: it has no columns that could be read.
    """
    heading = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error:
            # What follows a quote that nothing closes is anybody's guess, up to the end of the file.
            raise FileError(line, "is not CSV: quotes do not match", 'write a quote within quotes twice: ""') from None
        if row is None:
            break
        if not any(cell.strip() for cell in row):
            continue
        if columns is None:
            columns = _columns(line, row, trunks)
        else:
            yield _cells(line, columns, [cell.strip() for cell in row])
    if columns is None:
        raise FileError(1, "is empty", f"begin with a line of columns: {COLUMN},{','.join((*WORDS, *FLAGS))}")


def _columns(line: int, row: list[str], trunks: Collection[str]) -> list[str]:
    """Return the names of columns, all of which mean something."""
    columns = [cell.strip() for cell in row]
    if COLUMN not in columns:
        raise FileError(line, f"has no column {COLUMN}", f"begin with a line of columns: {COLUMN},{','.join(WORDS)},…")
    for number, name in enumerate(columns, 1):
        place = f"column {number}"
        if columns.index(name) != number - 1:
            raise FileError(line, f"has the name of column {columns.index(name) + 1}", "name each column once", place)
        if name == COLUMN or name in FLAGS:
            continue
        try:
            check_trunk(name, read_key(name)[1], trunks)
        except Mistakes as mistakes:
            (found,) = mistakes.found
            raise FileError(line, found.wrong, found.right, place) from None
    return columns


def _cells(line: int, columns: list[str], row: list[str]) -> Cells:
    """Return a row by its columns."""
    if len(row) != len(columns):
        wrong = Wrong("", f"has {len(row)} cells", f"write {len(columns)}, one for each column")
        return Cells(line, {}, (wrong,))
    return Cells(line, dict(zip(columns, row, strict=True)))


def write_csv(subscribers: Iterable[Subscriber], exceptions: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield the lines of a file; exceptions are the (trunk, word) that any of them has."""
    special = [key_of(word, trunk) for trunk, word in sorted(exceptions) if trunk != EVERYWHERE]
    columns = [COLUMN, *WORDS, *FLAGS, *special]
    yield _line(columns)
    for subscriber in subscribers:
        change = of(subscriber)
        said = {key: value or "" for key, value in keys(change).items()}
        flags = {flag: "yes" if value else "no" for flag, value in change.flags.items()}
        cells = {COLUMN: change.address, **said, **flags}
        yield _line([cells.get(column, "") for column in columns])


def _line(cells: Iterable[str]) -> str:
    """Return one line with its end."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
