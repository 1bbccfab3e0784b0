"""Everything at first, then what has changed, whatever was done to the file."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from config.store import reader as module
from config.store import revisions
from config.store.book import Book
from config.store.database import StoreError
from config.store.reader import News, Reader
from config.subscriber import STRICT, Profile, Setting, Value, profile
from config.subscribers import Mark
from tests.config.store.people import NOW, change, two


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.db"


@pytest.fixture
def book(path: Path) -> Book:
    return two(path)


@pytest.fixture
def reader(book: Book, path: Path) -> Reader:
    return Reader(path, 1)


def read(reader: Reader, mark: Mark | None = None) -> News:
    news = reader.read(mark)
    assert news is not None
    return news


def test_everything(reader: Reader) -> None:
    news = read(reader)
    assert news.whole
    assert news.profiles == {
        b"alice@example.net": profile([Setting("", "name", Value.HIDE), Setting("carrier", "number", Value.SHOW)]),
        b"bob@example.net": profile([], telemarketer=True),
    }
    assert reader.read(news.mark) is None


def test_an_empty_store(path: Path) -> None:
    Book(path, create=True)
    news = read(Reader(path, 1))
    assert news == News(Mark(0, 0), {}, whole=True, remaining=None)
    assert Reader(path, 1).read(news.mark) is None


def test_what_has_changed(reader: Reader, book: Book) -> None:
    mark = read(reader).mark
    book.change(change("bob@example.net", name="show"), NOW)
    book.add(change("carol@example.net"), NOW)
    news = read(reader, mark)
    assert sorted(news.profiles) == [b"bob@example.net", b"carol@example.net"]
    assert (news.whole, news.remaining) == (False, None)


def test_who_was_removed(reader: Reader, book: Book) -> None:
    """Nobody says who it was; who is left is read anew."""
    mark = read(reader).mark
    book.remove("alice@example.net")
    news = read(reader, mark)
    assert (news.profiles, news.whole, news.remaining) == ({}, False, frozenset({b"bob@example.net"}))
    mark = news.mark
    book.change(change("bob@example.net", name="show"), NOW)
    assert read(reader, mark).remaining is None


def test_those_who_say_the_same_share_a_profile(reader: Reader, book: Book) -> None:
    mark = read(reader).mark
    book.add(change("carol@example.net", telemarketer="yes"), NOW)
    (carol,) = read(reader, mark).profiles.values()
    assert carol is read(reader).profiles[b"bob@example.net"]


def test_shared_profiles_are_bounded(reader: Reader, book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_SHARED", 1)
    assert len(read(reader).profiles) == 2


def test_a_store_from_a_backup_is_read_anew(reader: Reader, book: Book, path: Path) -> None:
    """Even where it has gone on since and counts as far as we had read."""
    shutil.copy(path, path.with_suffix(".bak"))
    book.change(change("bob@example.net", name="show"), NOW)
    mark = read(reader).mark
    shutil.copy(path.with_suffix(".bak"), path)
    assert read(reader, mark).whole
    for value in ("hide", "show"):
        book.change(change("alice@example.net", status=value), NOW)
        news = read(reader, mark)
        assert news.whole
        assert news.profiles[b"bob@example.net"] == profile([], telemarketer=True)


def test_who_has_been_away_for_long_reads_everything(
    reader: Reader, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revisions, "KEPT_REVISIONS", 1)
    mark = read(reader).mark
    for value in ("hide", "show"):
        book.change(change("alice@example.net", status=value), NOW)
    assert read(reader, mark).whole


def test_what_we_do_not_understand_hides_everything(reader: Reader, path: Path) -> None:
    with closing(sqlite3.connect(path)) as plain, plain:
        plain.execute("update settings set word = 'aura'")
    found: Profile = read(reader).profiles[b"alice@example.net"]
    assert found is STRICT


def test_a_writer_does_not_hold_us_up(reader: Reader, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as plain:
        plain.execute("begin immediate")
        plain.execute("delete from subscribers")
        assert len(read(reader).profiles) == 2


@pytest.mark.parametrize("how", ["deleted", "truncated", "emptied", "damaged", "newer", "older"])
def test_a_store_that_cannot_be_read_is_an_error_and_nobodys_default(
    reader: Reader, path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never an empty store: that would be the default profile for everybody."""
    mark = read(reader).mark
    if how == "deleted":
        path.unlink()
    elif how == "truncated":
        os.truncate(path, path.stat().st_size // 2)
    elif how == "emptied":
        os.truncate(path, 0)
    elif how == "damaged":
        path.write_bytes(path.read_bytes()[:1000] + os.urandom(path.stat().st_size - 1000))
    elif how == "newer":
        with closing(sqlite3.connect(path)) as plain, plain:
            plain.execute("update alembic_version set version_num = '9999'")
    else:
        monkeypatch.setattr(module, "check_schema", lambda *_: False)
    for known in (mark, None):
        with pytest.raises(StoreError):
            reader.read(known)


def test_progress(reader: Reader, book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 1)
    done: list[int] = []
    reader.read(None, done.append)
    assert done == [1, 2]
