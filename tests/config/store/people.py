"""What the store's tests share: changes from words, and a book with two people in it."""

from __future__ import annotations

from pathlib import Path

from config.store.book import Book
from config.subscriber_change import Change, read_change

TRUNKS = ("carrier", "other")
NOW = 1_790_000_000.0


def change(address: str, **said: object) -> Change:
    """Return a change; `name_carrier` stands for `name@carrier`."""
    return read_change(address, {key.replace("_carrier", "@carrier"): value for key, value in said.items()}, TRUNKS)


def two(path: Path) -> Book:
    """Return a new store with alice and bob."""
    book = Book(path, create=True)
    assert book.add(change("alice@example.net", name="hide", number_carrier="show"), NOW)
    assert book.add(change("bob@example.net", telemarketer="yes"), NOW)
    return book
