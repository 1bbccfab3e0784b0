"""What outlasts a restart of who is registered: all bindings of an address of record are written together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import delete, insert, select

from config.store.database import Database
from config.store.registration_tables import BINDINGS, MIGRATIONS
from config.store.schema import prepare


class StoredBinding(NamedTuple):
    """A binding in the terms of the store; the names are its columns."""

    uri: bytes
    q: int
    call_id: bytes
    cseq: int
    expires: float
    """Unix time."""
    transport: str
    local_host: str
    local_port: int
    peer_host: str
    peer_port: int
    path: bytes
    instance: bytes
    reg_id: int
    made: int
    since: int
    account: str = ""


Changes = Mapping[bytes, tuple[StoredBinding, ...]]
"""Address of record → all its bindings."""

_COLUMNS = [BINDINGS.c[name] for name in StoredBinding._fields]


class Registrations:
    """The store at a path; to be used by one thread at a time."""

    def __init__(self, path: Path, wait: float) -> None:
        """Make the store where there is none; wait is how many seconds the file may be held from us.

        Raises:
            StoreError: it cannot be made or used.
        """
        prepare(path, create=True, migrations=MIGRATIONS)
        self._database = Database(path, wait)

    def read(self, now: float, most: int) -> dict[bytes, tuple[StoredBinding, ...]]:
        """Forget what has ended at `now` (Unix time) and return the rest, `most` bindings at most, the youngest first.

        Raises:
            StoreError: the store cannot be used.
        """
        with self._database.writing() as connection:
            connection.execute(delete(BINDINGS).where(BINDINGS.c.expires <= now))
            query = select(BINDINGS.c.aor, *_COLUMNS).order_by(BINDINGS.c.made.desc(), BINDINGS.c.id).limit(most)
            found: dict[bytes, tuple[StoredBinding, ...]] = {}
            for aor, *row in connection.execute(query):
                found[aor] = (*found.get(aor, ()), StoredBinding(*row))
            return found

    def write(self, changes: Changes) -> None:
        """Keep all changes, or none.

        Raises:
            StoreError: the store cannot be used.
        """
        rows = [{"aor": aor, **each._asdict()} for aor, bindings in changes.items() for each in bindings]
        with self._database.writing() as connection:
            for aor in changes:
                connection.execute(delete(BINDINGS).where(BINDINGS.c.aor == aor))
            if rows:
                connection.execute(insert(BINDINGS), rows)
