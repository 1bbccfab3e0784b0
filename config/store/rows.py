"""A subscriber as one row of one query, settings and all: a hundred thousand of them are read at every start."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from config.store.tables import SETTINGS, SUBSCRIBERS
from config.subscriber import WORDS, Setting, Subscriber, Value

TENANT = ""
"""Whose subscribers ours are, as long as there is but one operator in a store."""

_AT_ONCE = 1000
"""Rows that are fetched together."""

_SETTING = SETTINGS.c.word + "@" + SETTINGS.c.trunk + "=" + SETTINGS.c.value
_SETTINGS = (
    select(func.aggregate_strings(_SETTING, ","))
    .where(SETTINGS.c.subscriber == SUBSCRIBERS.c.id)
    .scalar_subquery()
    .label("settings")
)


class Row(NamedTuple):
    """What the query finds."""

    id: int
    address: str
    telemarketer: bool
    reject_anonymous: bool
    settings: str | None
    """For `settings_of`."""


def rows(
    connection: Connection, *conditions: ColumnElement[bool], limit: int | None = None, in_order: bool = False
) -> Iterator[Row]:
    """Yield the subscribers that meet conditions; in_order: that of their addresses."""
    columns = (SUBSCRIBERS.c.id, SUBSCRIBERS.c.address, SUBSCRIBERS.c.telemarketer, SUBSCRIBERS.c.reject_anonymous)
    query = select(*columns, _SETTINGS).where(SUBSCRIBERS.c.tenant == TENANT, *conditions).limit(limit)
    if in_order:
        query = query.order_by(SUBSCRIBERS.c.address)
    for part in connection.execute(query, execution_options={"yield_per": _AT_ONCE}).partitions():
        yield from map(Row._make, part)


@lru_cache(4096)  # what most subscribers have said, others have said too
def settings_of(text: str | None) -> tuple[Setting, ...]:
    """Return the settings that a row tells, sorted.

    Raises:
        ValueError: one of them is none that we know.
    """
    return tuple(sorted(_setting(each) for each in text.split(","))) if text else ()


def _setting(text: str) -> Setting:
    key, _, value = text.partition("=")
    word, _, trunk = key.partition("@")
    if word not in WORDS or value not in WORDS[word].values:
        raise ValueError("a setting that is none of ours")
    return Setting(trunk, word, Value(value))


def subscriber(row: Row) -> Subscriber:
    """Return the subscriber of a row.

    Raises:
        ValueError: it has a setting that is none of ours.
    """
    return Subscriber(row.address, settings_of(row.settings), row.telemarketer, row.reject_anonymous)
