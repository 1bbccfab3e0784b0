"""Which schema a store has; making a store, and bringing an older one to today's."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, text

from config.statefile import StateFile
from config.store.database import Database, StoreError

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

HEAD = "0003"
"""Today's schema: the newest of the migrations."""


class Migrations(NamedTuple):
    """The schemas of another store than that of subscribers."""

    head: str
    """Today's: the newest one."""
    folder: str
    """Where they are, beside this file."""


_WAIT = 30.0
"""Seconds that the making of a schema may be held up; it happens once."""


def check_schema(connection: Connection, path: Path, migrations: Migrations | None = None) -> bool:
    """Tell whether a store has today's schema; False: an older one.

    Raises:
        StoreError: it is one of a newer Sipveil's.
    """
    found = connection.execute(text("select version_num from alembic_version")).scalar()
    if found == _head(migrations):
        return True
    if found in _older(migrations):
        return False
    raise StoreError(f"{path}: was written by a newer Sipveil; use that one, or restore the store from a backup")


def prepare(path: Path, *, create: bool, migrations: Migrations | None = None) -> None:
    """See to it that there is a store of today's schema at path; with create, make one where there is none.

    Raises:
        StoreError: there is none, or it cannot be used.
    """
    if create and not path.exists():
        with StateFile(path, StoreError).locked():
            if not path.exists():
                _make(path, migrations)
    database = Database(path, _WAIT)
    with database.reading() as connection:
        if check_schema(connection, path, migrations):
            return
    with database.writing() as connection:
        if not check_schema(connection, path, migrations):  # nobody else was faster
            upgrade(connection, migrations)


def upgrade(connection: Connection, migrations: Migrations | None = None) -> None:
    """Apply the migrations that a store lacks, in the transaction that connection is in."""
    from alembic.operations import Operations  # noqa: PLC0415 - for a store that is up to date, nobody needs it
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    scripts = _scripts_of(migrations)
    context = MigrationContext.configure(connection)
    missing = [*scripts.iterate_revisions(_head(migrations), context.get_current_revision() or "base")]
    with Operations.context(context):
        for script in reversed(missing):
            script.module.upgrade()
            context.stamp(scripts, script.revision)


def _make(path: Path, migrations: Migrations | None) -> None:
    """Make a store beside its place and move it there when it is whole: a crash leaves none, not half of one.

    It belongs to whom the folder belongs to: a store that root's command makes is of use to the service too.
    """
    fresh = path.with_name(f"{path.name}.new")
    try:
        for leftover in (fresh, *(path.with_name(f"{fresh.name}-{part}") for part in ("wal", "shm", "journal"))):
            leftover.unlink(missing_ok=True)
        os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
        if os.geteuid() == 0:
            folder = path.parent.stat()
            os.chown(fresh, folder.st_uid, folder.st_gid)
    except OSError as error:
        raise StoreError(f"{path}: cannot be made: {error.strerror}") from None
    database = Database(fresh, _WAIT)
    with database.writing() as connection:
        upgrade(connection, migrations)
    with database.checked(), closing(sqlite3.connect(fresh)) as plain:
        # With it, readers never wait for a writer; it stays with the file, and cannot be set within a transaction.
        plain.execute("PRAGMA journal_mode = WAL")
    fresh.replace(path)


def _head(migrations: Migrations | None) -> str:
    return HEAD if migrations is None else migrations.head


def _older(migrations: Migrations | None) -> set[str]:
    return {script.revision for script in _scripts_of(migrations).walk_revisions()} - {_head(migrations)}


def _scripts_of(migrations: Migrations | None) -> ScriptDirectory:
    return _scripts() if migrations is None else _directory(migrations.folder)


def _scripts() -> ScriptDirectory:
    return _directory("migrations")


def _directory(folder: str) -> ScriptDirectory:
    """Return migrations; they are files, for Alembic finds them by folder."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    return ScriptDirectory(str(Path(__file__).parent / folder))
