"""What commands do to accounts: one at a time, many at once, and what a reader hears of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from config.account import Account, AccountChange, AccountError, secret_of
from config.accounts import addresses_of, is_disabled
from config.store.account_book import AccountBook
from config.store.book import CHUNK, Book, Counts
from config.store.reader import News, Reader
from config.subscribers import Mark, Subscribers
from tests.config.store.people import NOW, change

REALM = "sip.example.net"


def said(name: str, password: str | None = "pa55", *addresses: str, disabled: bool | None = None) -> AccountChange:
    secret = None if password is None else secret_of(name, REALM, password)
    return AccountChange(name, REALM, secret, addresses or None, disabled)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.db"


@pytest.fixture
def book(path: Path) -> AccountBook:
    book = AccountBook(path, create=True)
    assert book.add(said("alice"), NOW)
    return book


def read(path: Path, mark: Mark | None) -> News:
    news = Reader(path, 1).read(mark)
    assert news is not None
    return news


def test_an_accounts_life(book: AccountBook) -> None:
    alice = Account("alice", REALM, secret_of("alice", REALM, "pa55"), ("alice@sip.example.net",))
    assert not book.add(said("alice", "other"), NOW)
    assert book.find(REALM, "alice") == alice
    assert book.find("elsewhere", "alice") is None
    assert book.change(said("alice", None, "a@b", disabled=True), NOW)
    assert book.find(REALM, "alice") == Account("alice", REALM, alice.secret, ("a@b",), disabled=True)
    assert not book.change(said("bob"), NOW)
    assert not book.remove(REALM, "bob")
    assert book.remove(REALM, "alice")
    assert book.find(REALM, "alice") is None


def test_a_new_one_needs_a_password(book: AccountBook) -> None:
    with pytest.raises(AccountError):
        book.add(said("bob", None), NOW)
    with pytest.raises(AccountError):
        book.put([said("carol"), said("bob", None)], NOW)
    assert book.find(REALM, "carol") is None


def test_nothing_of_the_removed_or_of_a_password_is_in_the_file(book: AccountBook, path: Path) -> None:
    assert b"pa55" not in path.read_bytes()
    book.remove(REALM, "alice")
    assert b"alice" not in b"".join(each.read_bytes() for each in path.parent.glob("s.db*"))


def test_many_at_once(book: AccountBook, path: Path) -> None:
    many = [said(f"user{number}") for number in range(CHUNK + 1)]
    assert book.put([*many, said("alice", "other")], NOW, dry_run=True) == Counts(CHUNK + 1, 1, 0)
    assert book.find(REALM, "user1") is None
    assert book.put([*many, said("alice", "other")], NOW) == Counts(CHUNK + 1, 1, 0)
    assert book.put(many, NOW) == Counts(0, 0, CHUNK + 1)
    assert [each.username for each in book.page(REALM, "user1", 2)] == ["user10", "user100"]
    assert len(read(path, None).accounts[REALM.encode()]) == CHUNK + 2


def test_a_reader_hears_of_it(book: AccountBook, path: Path) -> None:
    """All at first; then what was added or changed; and who is left where one was removed."""
    memory = Subscribers(60)
    news = read(path, None)
    memory.replace(news.profiles, news.mark, 0, news.accounts)
    assert memory.accounts.are_known
    packed = memory.accounts.find(REALM.encode(), b"alice")
    assert packed is not None
    assert addresses_of(packed, b"alice", REALM.encode()) == (b"alice@sip.example.net",)
    book.change(said("alice", None, disabled=True), NOW)
    book.add(said("bob"), NOW)
    news = read(path, memory.mark)
    assert (news.whole, sorted(news.accounts[REALM.encode()])) == (False, [b"alice", b"bob"])
    memory.patch(news.profiles, news.remaining, news.mark, 0, news.accounts, news.remaining_accounts)
    assert is_disabled(memory.accounts.find(REALM.encode(), b"alice") or b"\0")
    book.remove(REALM, "alice")
    news = read(path, memory.mark)
    memory.patch(news.profiles, news.remaining, news.mark, 0, news.accounts, news.remaining_accounts)
    assert memory.accounts.find(REALM.encode(), b"alice") is None
    assert len(memory.accounts) == 1


def test_subscribers_and_accounts_share_a_store(book: AccountBook, path: Path) -> None:
    """A change to one of them is none to the other."""
    Book(path).add(change("alice@example.net", name="show"), NOW)
    news = read(path, None)
    assert [*news.profiles] == [b"alice@example.net"]
    assert [*news.accounts[REALM.encode()]] == [b"alice"]
    book.add(said("bob"), NOW)
    later = read(path, news.mark)
    assert (later.profiles, [*later.accounts[REALM.encode()]]) == ({}, [b"bob"])
    Book(path).remove("alice@example.net")
    assert len(read(path, later.mark).remaining_accounts or ()) == 2


def test_while_the_store_is_gone_accounts_hold_as_long_as_settings_do() -> None:
    memory = Subscribers(60)
    assert not memory.accounts.are_known
    memory.replace({}, Mark(1, 1), 0)
    memory.doubt(60)
    assert memory.accounts.are_known
    memory.doubt(61)
    assert not memory.accounts.are_known
    memory.confirm(62)
    assert memory.accounts.are_known


def test_two_of_one_name_cannot_be(book: AccountBook, path: Path) -> None:
    with closing(sqlite3.connect(path)) as plain, pytest.raises(sqlite3.IntegrityError):
        plain.execute(
            "insert into accounts select 9, tenant, realm, username, sha256, md5, addresses, 0, 1, 0, null, null"
            " from accounts"
        )
