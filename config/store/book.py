"""What is done to the store: subscribers added, found, changed, removed, each time in one transaction.

A transaction that changes anything has a number, which it writes to `revisions` and to the rows that it changed: so a
running Sipveil sees at a glance whether there is anything new, and reads only that (config.store.reader).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from config.store.database import Database, StoreError
from config.store.revisions import next_revision, note
from config.store.rows import TENANT, Row, rows, subscriber
from config.store.schema import prepare
from config.store.tables import SETTINGS, SUBSCRIBERS
from config.subscriber import EVERYWHERE, Subscriber
from config.subscriber_change import Change, changed

WAIT = 5.0
"""Seconds that a command waits for another that is writing."""

CHUNK = 400
"""Subscribers that are looked up at once; SQLite used to take at most 999 variables in a statement."""

Progress = Callable[[int], None]
"""Called with the number of subscribers that are done."""


_NOBODY = Subscriber("")
"""What a change to a new subscriber is applied to."""


class Counts(NamedTuple):
    """What an import did, or would do."""

    added: int = 0
    changed: int = 0
    same: int = 0


class Everything(NamedTuple):
    """The store as it is at one moment."""

    total: int
    exceptions: list[tuple[str, str]]
    """Each (trunk, word) that anybody has an exception for."""
    subscribers: Iterator[Subscriber]
    """All, in the order of addresses."""


class _UndoneError(Exception):
    """Ends a transaction that was only to be tried."""


class Book:
    """The store at a path, for commands. Every method raises StoreError where it cannot be used; wall is Unix time."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Open it; with create, make it where there is none.

        Raises:
            StoreError: it cannot be used.
        """
        prepare(path, create=create)
        self._path = path
        self._database = Database(path, WAIT)

    def add(self, change: Change, wall: float) -> bool:
        """Add a subscriber; False where it is there already."""
        with self._database.writing() as connection:
            if self._is_there(connection, change):
                return False
            self._put(connection, [change], wall)
            return True

    def change(self, change: Change, wall: float) -> bool:
        """Change a subscriber; False where there is none."""
        with self._database.writing() as connection:
            if not self._is_there(connection, change):
                return False
            self._put(connection, [change], wall)
            return True

    def remove(self, address: str) -> bool:
        """Remove a subscriber and all its settings; False where there is none."""
        with self._database.writing() as connection:
            gone = delete(SUBSCRIBERS).where(SUBSCRIBERS.c.tenant == TENANT, SUBSCRIBERS.c.address == address)
            if not connection.execute(gone).rowcount:
                return False
            note(connection, next_revision(connection), removal=True)
            return True

    def put(self, changes: Sequence[Change], wall: float, progress: Progress, *, dry_run: bool = False) -> Counts:
        """Add or change many subscribers, all or none; with dry_run only say what that would do."""
        counts = Counts()
        with suppress(_UndoneError), self._database.writing() as connection:
            counts = self._put(connection, changes, wall, progress)
            if dry_run:
                raise _UndoneError
        return counts

    def find(self, address: str) -> Subscriber | None:
        """Return a subscriber, None where there is none."""
        with self._database.reading() as connection:
            return next(self._read(connection, SUBSCRIBERS.c.address == address), None)

    def page(self, after: str, limit: int) -> list[Subscriber]:
        """Return the next subscribers after an address, in the order of addresses."""
        with self._database.reading() as connection:
            return list(self._read(connection, SUBSCRIBERS.c.address > after, limit=limit))

    @contextmanager
    def everything(self) -> Iterator[Everything]:
        """Yield all there is; it stays as it is while it is read, whoever writes meanwhile."""
        with self._database.reading() as connection:
            total = connection.execute(select(func.count()).select_from(SUBSCRIBERS)).scalar_one()
            query = select(SETTINGS.c.trunk, SETTINGS.c.word).where(SETTINGS.c.trunk != EVERYWHERE).distinct()
            exceptions = [(trunk, word) for trunk, word in connection.execute(query)]
            yield Everything(total, exceptions, self._read(connection))

    def _read(
        self, connection: Connection, *conditions: ColumnElement[bool], limit: int | None = None
    ) -> Iterator[Subscriber]:
        """Yield the subscribers that meet conditions, in the order of addresses."""
        return map(self._subscriber, rows(connection, *conditions, limit=limit, in_order=True))

    def _subscriber(self, row: Row) -> Subscriber:
        """Return the subscriber of a row; one that we do not understand is not for us to change."""
        try:
            return subscriber(row)
        except ValueError:
            unknown = f"{self._path}: holds a setting that this Sipveil does not know; use a newer one"
        raise StoreError(unknown)

    def _is_there(self, connection: Connection, change: Change) -> bool:
        """Tell whether the subscriber of a change is there."""
        return bool(self._known(connection, [change])[0])

    def _known(self, connection: Connection, changes: Sequence[Change]) -> tuple[dict[str, int], dict[str, Subscriber]]:
        """Return ids and subscribers, by address, of those that are there."""
        found = [*rows(connection, SUBSCRIBERS.c.address.in_([change.address for change in changes]))]
        return {row.address: row.id for row in found}, {row.address: self._subscriber(row) for row in found}

    def _put(
        self, connection: Connection, changes: Sequence[Change], wall: float, progress: Progress = lambda _: None
    ) -> Counts:
        """Add or change subscribers, and give that a number if anything was changed by it."""
        revision = next_revision(connection)
        counts = Counts()
        for start in range(0, len(changes), CHUNK):
            chunk = changes[start : start + CHUNK]
            ids, before = self._known(connection, chunk)
            wanted = [changed(before.get(each.address, _NOBODY), each) for each in chunk]
            fresh = [each for each in wanted if each.address not in before]
            other = [each for each in wanted if each.address in before and each != before[each.address]]
            _write(connection, fresh, other, ids, {"revision": revision, "updated": wall})
            same = len(chunk) - len(fresh) - len(other)
            counts = Counts(counts.added + len(fresh), counts.changed + len(other), counts.same + same)
            progress(start + len(chunk))
        if counts.added or counts.changed:
            note(connection, revision, removal=False)
        return counts


def _write(
    connection: Connection, fresh: Sequence[Subscriber], other: Sequence[Subscriber], ids: Mapping[str, int],
    common: Mapping[str, float],
) -> None:  # fmt: skip
    """Write new and changed subscribers; ids are those of the latter, common is what all their rows get."""
    if fresh:
        new = [{"tenant": TENANT, "address": each.address, **_flags(each), **common} for each in fresh]
        connection.execute(insert(SUBSCRIBERS), new)
        made = SUBSCRIBERS.c.address.in_([each.address for each in fresh])
        query = select(SUBSCRIBERS.c.address, SUBSCRIBERS.c.id).where(SUBSCRIBERS.c.tenant == TENANT, made)
        ids = {**ids, **{row.address: row.id for row in connection.execute(query)}}
    if other:
        statement = update(SUBSCRIBERS).where(SUBSCRIBERS.c.id == bindparam("which"))
        connection.execute(statement, [{"which": ids[each.address], **_flags(each), **common} for each in other])
        connection.execute(delete(SETTINGS).where(SETTINGS.c.subscriber.in_([ids[each.address] for each in other])))
    settings = [
        {"subscriber": ids[each.address], "trunk": setting.trunk, "word": setting.word, "value": setting.value}
        for each in (*fresh, *other)
        for setting in each.settings
    ]
    if settings:
        connection.execute(insert(SETTINGS), settings)


def _flags(subscriber: Subscriber) -> dict[str, bool]:
    return {"telemarketer": subscriber.telemarketer, "reject_anonymous": subscriber.reject_anonymous}
