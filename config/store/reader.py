"""What a running Sipveil reads of the store: everything at first, afterwards what has changed since its mark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, select

from config.accounts import NO_ACCOUNTS, Realms, pack
from config.store.account_rows import accounts
from config.store.database import Database, StoreError
from config.store.rows import TENANT, rows, settings_of
from config.store.schema import check_schema
from config.store.tables import ACCOUNTS, REVISIONS, SUBSCRIBERS
from config.subscriber import STRICT, Profile, profile
from config.subscribers import Mark

_NOTHING = Mark(0, 0)
"""How far a store can be read in which nobody has ever written."""

_AT_ONCE = 1000
"""Rows between two reports of progress."""

_MAX_SHARED = 10_000
"""Different profiles that are kept for those to come; most subscribers have one of a few."""

_Key = tuple[bool, bool, str | None]


class News(NamedTuple):
    """What a store says that was not known."""

    mark: Mark
    profiles: dict[bytes, Profile]
    whole: bool
    """Whether that is everything; else what has changed."""
    remaining: frozenset[bytes] | None
    """Everybody who is there, where somebody was removed since and it is not everything."""
    accounts: Realms = NO_ACCOUNTS
    """Accounts, new or changed, by realm and name, packed."""
    remaining_accounts: frozenset[tuple[bytes, bytes]] | None = None
    """Realm and name of all, where `remaining` is told too."""


class Reader:
    """Reads the store at a path; to be used by one thread at a time."""

    def __init__(self, path: Path, wait: float) -> None:
        """Open nothing yet; wait is how many seconds the file may be held from us."""
        self._path = path
        self._database = Database(path, wait)
        self._shared: dict[_Key, Profile] = {}

    def read(self, mark: Mark | None, progress: Callable[[int], None] = lambda _: None) -> News | None:
        """Return what is new since mark (None: everything), or None where nothing is.

        Raises:
            StoreError: the store cannot be read; says why, and nothing of what is in it.
        """
        with self._database.reading() as connection:
            if not check_schema(connection, self._path):
                raise StoreError(
                    f"{self._path}: was written by an older Sipveil; any `sipveil subscriber` command mends that"
                )
            newest = _newest(connection)
            if newest == mark:
                return None
            if mark is None or not _follows(connection, mark):
                everything = self._profiles(connection, 0, progress)
                return News(newest, everything, whole=True, remaining=None, accounts=_accounts(connection, 0))
            removed = _removed(connection, mark)
            return News(
                newest, self._profiles(connection, mark.revision, progress), whole=False,
                remaining=_everybody(connection) if removed else None, accounts=_accounts(connection, mark.revision),
                remaining_accounts=_all_accounts(connection) if removed else None,
            )  # fmt: skip

    def _profiles(self, connection: Connection, after: int, progress: Callable[[int], None]) -> dict[bytes, Profile]:
        """Return the profiles of all who were changed after a revision."""
        found: dict[bytes, Profile] = {}
        for row in rows(connection, SUBSCRIBERS.c.revision > after):
            found[row.address.encode()] = self._profile(row[2:])
            if len(found) % _AT_ONCE == 0:
                progress(len(found))
        return found

    def _profile(self, key: _Key) -> Profile:
        """Return a profile, the same one for all who have said the same."""
        found = self._shared.get(key)
        if found is None:
            if len(self._shared) >= _MAX_SHARED:
                self._shared.clear()
            found = self._shared[key] = _read_profile(key)
        return found


def _read_profile(key: _Key) -> Profile:
    """Return the profile of what a row holds; what we do not understand hides everything."""
    telemarketer, reject_anonymous, settings = key
    try:
        return profile(settings_of(settings), telemarketer=telemarketer, reject_anonymous=reject_anonymous)
    except ValueError:
        return STRICT


def _newest(connection: Connection) -> Mark:
    """Return the mark of the last change."""
    query = select(REVISIONS.c.revision, REVISIONS.c.nonce).order_by(REVISIONS.c.revision.desc()).limit(1)
    row = connection.execute(query).first()
    return Mark(*row) if row else _NOTHING


def _follows(connection: Connection, mark: Mark) -> bool:
    """Tell whether what stands in the store came after mark; not so in one that was put in its place."""
    query = select(REVISIONS.c.nonce).where(REVISIONS.c.revision == mark.revision)
    return connection.execute(query).scalar() == mark.nonce


def _removed(connection: Connection, mark: Mark) -> bool:
    """Tell whether anybody was removed since."""
    query = select(REVISIONS.c.revision).where(REVISIONS.c.revision > mark.revision, REVISIONS.c.removal).limit(1)
    return connection.execute(query).first() is not None


def _everybody(connection: Connection) -> frozenset[bytes]:
    """Return all addresses."""
    query = select(SUBSCRIBERS.c.address).where(SUBSCRIBERS.c.tenant == TENANT)
    return frozenset(address.encode() for address in connection.execute(query).scalars())


def _accounts(connection: Connection, after: int) -> Realms:
    """Return the accounts that were changed after a revision."""
    found: dict[bytes, dict[bytes, bytes]] = {}
    for account in accounts(connection, ACCOUNTS.c.revision > after):
        found.setdefault(account.realm.encode(), {})[account.username.encode()] = pack(account)
    return found


def _all_accounts(connection: Connection) -> frozenset[tuple[bytes, bytes]]:
    """Return realm and name of all accounts."""
    query = select(ACCOUNTS.c.realm, ACCOUNTS.c.username).where(ACCOUNTS.c.tenant == TENANT)
    return frozenset((realm.encode(), username.encode()) for realm, username in connection.execute(query))
