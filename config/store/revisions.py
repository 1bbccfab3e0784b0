"""The numbers of changes: each transaction that changes anything writes one down, and readers read on from there."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, delete, func, insert, select

from config.store.tables import REVISIONS

KEPT_REVISIONS = 10_000
"""Rows of `revisions` that are kept; who has read less than that reads everything anew."""


def next_revision(connection: Connection) -> int:
    """Return the number of this transaction; nobody else draws it, for only one writes at a time."""
    return int(connection.execute(select(func.max(REVISIONS.c.revision))).scalar() or 0) + 1


def note(connection: Connection, revision: int, *, removal: bool) -> None:
    """Write down that there was a change, and forget those of long ago."""
    connection.execute(insert(REVISIONS), {"revision": revision, "nonce": secrets.randbits(62), "removal": removal})
    connection.execute(delete(REVISIONS).where(REVISIONS.c.revision <= revision - KEPT_REVISIONS))
