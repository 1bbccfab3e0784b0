"""Accounts come out of the store as they went in."""

from __future__ import annotations

from pathlib import Path

from config.account import AccountChange, secret_of
from config.store.account_book import AccountBook
from config.store.account_rows import accounts
from config.store.database import Database
from config.store.tables import ACCOUNTS


def test_rows(tmp_path: Path) -> None:
    book = AccountBook(tmp_path / "s.db", create=True)
    for name in ("bob", "alice"):
        secret = secret_of(name, "r", name)
        assert book.add(AccountChange(name, "r", secret, (f"{name}@b", "+15550123"), disabled=name == "bob"), 1.0)
    with Database(tmp_path / "s.db", 1).reading() as connection:
        alice, bob = accounts(connection, in_order=True)
        assert [*accounts(connection, ACCOUNTS.c.username == "bob")] == [bob]
        assert [*accounts(connection, limit=1, in_order=True)] == [alice]
    assert (alice.username, alice.secret) == ("alice", secret_of("alice", "r", "alice"))
    assert bob.addresses == ("bob@b", "+15550123")
    assert bob.disabled
