"""What is done to accounts in the store, each time in one transaction with a revision of its own (see book)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, tuple_, update

from config.account import Account, AccountChange, changed
from config.store.account_rows import accounts
from config.store.book import CHUNK, WAIT, Counts
from config.store.database import Database
from config.store.revisions import next_revision, note
from config.store.rows import TENANT
from config.store.schema import prepare
from config.store.tables import ACCOUNTS


class _UndoneError(Exception):
    """Ends a transaction that was only to be tried."""


class AccountBook:
    """The accounts of the store at a path, for commands; as Book, every method raises StoreError and wall is Unix time.

    What is added without a password raises AccountError.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Open it; with create, make it where there is none.

        Raises:
            StoreError: it cannot be used.
        """
        prepare(path, create=create)
        self._database = Database(path, WAIT)

    def add(self, change: AccountChange, wall: float) -> bool:
        """Add an account; False where it is there already."""
        with self._database.writing() as connection:
            if _known(connection, [change]):
                return False
            _put(connection, [change], wall)
            return True

    def change(self, change: AccountChange, wall: float) -> bool:
        """Change an account; False where there is none."""
        with self._database.writing() as connection:
            if not _known(connection, [change]):
                return False
            _put(connection, [change], wall)
            return True

    def remove(self, realm: str, username: str) -> bool:
        """Remove an account; False where there is none."""
        with self._database.writing() as connection:
            if not connection.execute(delete(ACCOUNTS).where(*_is(realm, username))).rowcount:
                return False
            note(connection, next_revision(connection), removal=True)
            return True

    def put(self, changes: Sequence[AccountChange], wall: float, *, dry_run: bool = False) -> Counts:
        """Add or change many accounts, all or none; with dry_run only say what that would do."""
        counts = Counts()
        with suppress(_UndoneError), self._database.writing() as connection:
            counts = _put(connection, changes, wall)
            if dry_run:
                raise _UndoneError
        return counts

    def find(self, realm: str, username: str) -> Account | None:
        """Return an account, None where there is none."""
        with self._database.reading() as connection:
            return next(accounts(connection, *_is(realm, username)[1:]), None)

    def page(self, realm: str, after: str, limit: int) -> list[Account]:
        """Return the next accounts of a realm after a name, in the order of names."""
        conditions = (ACCOUNTS.c.realm == realm, ACCOUNTS.c.username > after)
        with self._database.reading() as connection:
            return list(accounts(connection, *conditions, limit=limit, in_order=True))


def _is(realm: str, username: str) -> tuple[ColumnElement[bool], ...]:
    return ACCOUNTS.c.tenant == TENANT, ACCOUNTS.c.realm == realm, ACCOUNTS.c.username == username


def _known(connection: Connection, changes: Sequence[AccountChange]) -> dict[tuple[str, str], Account]:
    """Return those accounts of changes that are there, by realm and name."""
    keys = [(each.realm, each.username) for each in changes]
    found = accounts(connection, tuple_(ACCOUNTS.c.realm, ACCOUNTS.c.username).in_(keys))
    return {(each.realm, each.username): each for each in found}


def _put(connection: Connection, changes: Sequence[AccountChange], wall: float) -> Counts:
    """Add or change accounts, and give that a number if anything was changed by it."""
    revision = next_revision(connection)
    counts = Counts()
    for start in range(0, len(changes), CHUNK):
        chunk = changes[start : start + CHUNK]
        before = _known(connection, chunk)
        wanted = {(each.realm, each.username): changed(before.get((each.realm, each.username)), each) for each in chunk}
        fresh = [each for key, each in wanted.items() if key not in before]
        other = [each for key, each in wanted.items() if key in before and each != before[key]]
        common = {"revision": revision, "updated": wall}
        if fresh:
            rows = [{"realm": one.realm, "username": one.username, **_row(one, common)} for one in fresh]
            connection.execute(insert(ACCOUNTS), [{"tenant": TENANT, **row} for row in rows])
        if other:
            this = (ACCOUNTS.c.realm == bindparam("of"), ACCOUNTS.c.username == bindparam("who"))
            statement = update(ACCOUNTS).where(ACCOUNTS.c.tenant == TENANT, *this)
            rows = [{"of": one.realm, "who": one.username, **_row(one, common)} for one in other]
            connection.execute(statement, rows)
        same = len(wanted) - len(fresh) - len(other)
        counts = Counts(counts.added + len(fresh), counts.changed + len(other), counts.same + same)
    if counts.added or counts.changed:
        note(connection, revision, removal=False)
    return counts


def _row(account: Account, common: dict[str, float]) -> dict[str, Any]:
    """Return the columns of an account that a change may change."""
    secret = account.secret._asdict()
    return {**secret, "addresses": [*account.addresses], "disabled": account.disabled, **common}
