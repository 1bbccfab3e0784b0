"""Connections to the store's file: private, transactions that are what they say, errors without personal data.

A connection lives as long as what it was opened for. Nothing crosses a fork, and a file that was deleted, replaced or
closed to us is noticed by the next who asks for it.
"""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from config.statefile import StateFileError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA synchronous = FULL",  # a setting that was confirmed outlasts a power cut
    "PRAGMA secure_delete = ON",  # what was removed is overwritten
)
_REASONS = {
    "SQLITE_ERROR": "is empty or no store of ours; restore it from a backup, or delete it to begin anew",
    "SQLITE_BUSY": "another command is writing to it; try again when that has ended",
    "SQLITE_CORRUPT": "is damaged; restore it from a backup",
    "SQLITE_NOTADB": "is no store, or damaged; restore it from a backup",
    "SQLITE_FULL": "the disk is full; nothing was changed",
    "SQLITE_IOERR": "the disk is full or broken; nothing was changed",
    "SQLITE_TOOBIG": "the disk is full or broken; nothing was changed",
    "SQLITE_READONLY": "may not be written to by this user",
    "SQLITE_CANTOPEN": "cannot be opened by this user",
    "SQLITE_PERM": "cannot be opened by this user",
}
"""SQLite's primary result code → what the operator reads. Its own words may quote what is stored."""


class StoreError(StateFileError):
    """A store that cannot be used, or a change to it that may not be made; never says whose."""


class Database:
    """The file at path, which is there (config.store.schema makes it)."""

    def __init__(self, path: Path, wait: float) -> None:
        """Open nothing yet; wait is how many seconds another's transaction may hold one of ours up."""
        self.path = path
        self._wait = wait
        self._reading = self._engine("BEGIN")
        # A transaction that reads first and writes later would fail where another wrote in between.
        self._writing = self._engine("BEGIN IMMEDIATE")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees the store as it is at the first look.

        Raises:
            StoreError: the store cannot be used.
        """
        with self.checked(), self._reading.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection whose changes are kept as a whole, if nothing is raised.

        Raises:
            StoreError: the store cannot be used, or others write for too long.
        """
        with self.checked(), self._writing.begin() as connection:
            yield connection

    @contextmanager
    def checked(self) -> Iterator[None]:
        """Hold the file against others, and turn what goes wrong within into a sentence without its cause."""
        check(self.path)
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise StoreError(f"{self.path}: {_reason(error)}") from None

    def _engine(self, begin: str) -> Engine:
        # Mode rw: a file that is not there is not made in passing.
        uri = f"file:{quote(str(self.path))}?mode=rw"

        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(uri, uri=True, timeout=self._wait, isolation_level=None)
            try:
                for pragma in _PRAGMAS:
                    connection.execute(pragma)
            except sqlite3.Error:
                connection.close()
                raise
            return connection

        engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)
        # The driver's own transactions begin with the first change, so that what was read before it is out of date.
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine


def check(path: Path) -> None:
    """Hold the file against what a store's file is: there, ours alone.

    Raises:
        StoreError: it is not.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        raise StoreError(f"{path}: there is no store; `sipveil subscriber add` or `import` makes one") from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from None
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISREG(found.st_mode):
        raise StoreError(f"{path}: is no file")
    if mode & _OTHERS:
        raise StoreError(f"{path}: others may access it (mode {mode:04o}); chmod 600 {path}")


def _reason(error: BaseException) -> str:
    """Return a sentence for an error of SQLAlchemy's or SQLite's."""
    cause = getattr(error, "orig", None) or error
    code = str(getattr(cause, "sqlite_errorname", "") or type(error).__name__)
    known = (sentence for prefix, sentence in _REASONS.items() if code.startswith(prefix))
    return next(known, f"cannot be used ({code})")
