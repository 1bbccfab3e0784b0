"""An account as one row of one query."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, select

from config.account import Account, Secret
from config.store.rows import TENANT
from config.store.tables import ACCOUNTS

_AT_ONCE = 1000
"""Rows that are fetched together."""


def accounts(
    connection: Connection, *conditions: ColumnElement[bool], limit: int | None = None, in_order: bool = False
) -> Iterator[Account]:
    """Yield the accounts that meet conditions; in_order: that of their realms and names."""
    own = ACCOUNTS.c
    query = select(own.username, own.realm, own.sha256, own.md5, own.sha512_256, own.addresses, own.disabled)
    query = query.where(own.tenant == TENANT, *conditions).limit(limit)
    if in_order:
        query = query.order_by(own.realm, own.username)
    for part in connection.execute(query, execution_options={"yield_per": _AT_ONCE}).partitions():
        for username, realm, sha256, md5, sha512_256, addresses, disabled in part:
            yield Account(username, realm, Secret(sha256, md5, sha512_256), tuple(addresses), disabled)
