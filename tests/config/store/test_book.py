"""What commands do to the store, one at a time and many at once."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from config.store import book as module
from config.store import revisions as revisions_module
from config.store.book import Book, Counts
from config.store.database import StoreError
from config.subscriber import Setting, Subscriber, Value
from tests.config.store.people import NOW, change, two

ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.db"


@pytest.fixture
def book(path: Path) -> Book:
    return two(path)


def ignore(_: int) -> None:
    """Report progress to nobody."""


def revisions(path: Path) -> list[tuple[int, int]]:
    with closing(sqlite3.connect(path)) as plain:
        return plain.execute("select revision, removal from revisions order by revision").fetchall()


def count(path: Path, table: str = "subscribers") -> int:
    with closing(sqlite3.connect(path)) as plain:
        return int(plain.execute(f"select count(*) from {table}").fetchone()[0])


def test_a_subscribers_life(book: Book, path: Path) -> None:
    """Added once, changed, removed with all settings; each a revision, what does nothing none."""
    assert not book.add(change("alice@EXAMPLE.net"), NOW)
    assert book.change(change("alice@example.net", name="", status="hide"), NOW)
    assert book.change(change("alice@example.net", status="hide"), NOW)
    settings = (Setting("", "status", Value.HIDE), Setting("carrier", "number", Value.SHOW))
    assert book.find("alice@example.net") == Subscriber("alice@example.net", settings)
    assert book.remove("alice@example.net")
    assert not book.remove("alice@example.net")
    assert not book.change(change("alice@example.net", name="hide"), NOW)
    assert book.find("alice@example.net") is None
    assert count(path, "settings") == 0
    assert revisions(path) == [(1, 0), (2, 0), (3, 0), (4, 1)]


def test_nothing_of_the_removed_is_left_in_the_file(book: Book, path: Path) -> None:
    """Neither a log of removals nor a page that was not overwritten."""
    assert b"alice@" in path.read_bytes()
    book.remove("alice@example.net")
    assert b"alice@" not in b"".join(each.read_bytes() for each in path.parent.glob("s.db*"))


def test_many_at_once(book: Book, path: Path) -> None:
    done: list[int] = []
    changes = [change(f"{number}@example.net", name="show") for number in range(2 * module.CHUNK)]
    changes += [change("alice@example.net", name="show"), change("bob@example.net", telemarketer="yes")]
    assert book.put(changes, NOW, done.append) == Counts(2 * module.CHUNK, 1, 1)
    assert done == [module.CHUNK, 2 * module.CHUNK, len(changes)]
    alice = book.find("alice@example.net")
    assert alice is not None
    assert alice.settings == (Setting("", "name", Value.SHOW), Setting("carrier", "number", Value.SHOW))
    assert len(revisions(path)) == 3
    assert book.put(changes, NOW, ignore) == Counts(0, 0, len(changes))
    assert len(revisions(path)) == 3


def test_a_dry_run_does_nothing(book: Book, path: Path) -> None:
    changes = [change("carol@example.net"), change("alice@example.net", name="show")]
    assert book.put(changes, NOW, ignore, dry_run=True) == Counts(1, 1, 0)
    assert book.find("carol@example.net") is None
    assert len(revisions(path)) == 2


def test_an_import_that_fails_leaves_nothing(book: Book, path: Path) -> None:
    def fail(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        book.put([change("carol@example.net")], NOW, fail)
    assert count(path) == 2


def test_pages(book: Book) -> None:
    book.put([change("Zoe@example.net"), change("+1555")], NOW, ignore)
    first = book.page("", 3)
    assert [each.address for each in first] == ["+1555", "Zoe@example.net", "alice@example.net"]
    assert [each.address for each in book.page(first[-1].address, 3)] == ["bob@example.net"]


def test_everything_is_of_one_moment(book: Book) -> None:
    with book.everything() as store:
        book.add(change("carol@example.net", name_carrier="show"), NOW)
        assert store.total == 2
        assert store.exceptions == [("carrier", "number")]
        assert [each.address for each in store.subscribers] == ["alice@example.net", "bob@example.net"]


def test_old_revisions_are_forgotten(book: Book, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revisions_module, "KEPT_REVISIONS", 2)
    for value in ("show", "hide", "show"):
        book.change(change("bob@example.net", status=value), NOW)
    assert [revision for revision, _ in revisions(path)] == [4, 5]


def test_a_setting_of_a_newer_sipveil_is_not_written_over(book: Book, path: Path) -> None:
    with closing(sqlite3.connect(path)) as plain, plain:
        plain.execute("update settings set word = 'aura'")
    with pytest.raises(StoreError, match="does not know"):
        book.change(change("alice@example.net", name="hide"), NOW)


def started(code: str, path: Path) -> subprocess.Popen[str]:
    """Start a process that does something to the store at path, after it has said so."""
    head = (
        "import sys; from pathlib import Path; from config.store.book import Book;"
        "from tests.config.store.people import change, NOW; book = Book(Path(sys.argv[1]))\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", head + code, path], cwd=ROOT, stdout=subprocess.PIPE, text=True, bufsize=1
    )


def test_two_processes_set_at_once(book: Book, path: Path) -> None:
    """No change of one is lost in the other's."""
    code = "for n in range(25): assert book.change(change('alice@example.net', {0}=['hide', 'show'][n % 2]), NOW)"
    both = [started(code.format(word), path) for word in ("name", "status")]
    assert [process.wait(60) for process in both] == [0, 0]
    for process in both:
        assert process.stdout
        process.stdout.close()
    alice = book.find("alice@example.net")
    assert alice is not None
    said = {each.key: each.value for each in alice.settings}
    assert said == {"name": Value.HIDE, "status": Value.HIDE, "number@carrier": Value.SHOW}
    assert len(revisions(path)) == 2 + 50 - (said["name"] is Value.HIDE)


def test_kill_in_the_middle_of_an_import(book: Book, path: Path) -> None:
    """All or none: here none, and the next command finds the store as it was."""
    code = "book.put([change(f'{n}@example.net', name='hide') for n in range(4000)], NOW, lambda n: print(n))"
    process = started(code, path)
    assert process.stdout
    assert process.stdout.readline() == f"{module.CHUNK}\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait(20)
    process.stdout.close()
    assert count(path) == 2
    assert book.add(change("carol@example.net"), NOW)
    assert count(path) == 3
