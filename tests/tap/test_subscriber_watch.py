"""Settings in memory follow the store, from a thread, and outlast it."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor
from twisted.internet.task import deferLater
from twisted.logger import Logger

from config.settings import Settings
from config.store.book import Book
from config.store.reader import News, Reader
from config.subscriber import STRICT
from config.subscribers import Knowledge, Mark, Subscribers
from tap import subscriber_watch as module
from tap.log import LineObserver
from tap.state import subscriber_store_path
from tap.subscriber_watch import SubscriberWatch, gauges, subscribers_of
from tests.config.store.people import NOW, change, two
from tests.tap.fakes import CONFIG, Lines, StoppedClocks, settings_of

reactor: Any = _reactor
STORED = CONFIG + "\n[subscribers]\npoll = 0.05\nstale_after = 60\n"
ALICE, BOB = b"alice@example.net", b"bob@example.net"


class Bench:
    """A store, a watch over it, its log, and a clock that stands."""

    def __init__(self, folder: Path, text: str = STORED) -> None:
        self.settings = settings_of(folder, text)
        self.path = subscriber_store_path(self.settings)
        self.subscribers = subscribers_of(self.settings)
        self.clocks = StoppedClocks()
        self.log = Lines()
        self.watch = self.another(self.subscribers)

    def another(self, subscribers: Subscribers) -> SubscriberWatch:
        log = Logger(namespace="sipveil.test", observer=LineObserver(self.log))
        return SubscriberWatch(self.settings, subscribers, self.clocks.now, log)

    def book(self) -> Book:
        return two(self.path)

    def knows(self, address: bytes) -> bool:
        return self.subscribers.find(address) not in (None, STRICT)

    async def until(self, true: Callable[[], bool]) -> None:
        for _ in range(300):
            if true():
                return
            await deferLater(reactor, 0.01)
        raise AssertionError("not within three seconds")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_without_a_section_nothing_is_watched(tmp_path: Path) -> None:
    bench = Bench(tmp_path, CONFIG)
    bench.watch.begin()
    bench.watch.start(reactor)
    bench.watch.stop()
    assert bench.subscribers.find(ALICE) is None
    assert bench.log.lines == []


def test_begin_reads_everything(bench: Bench) -> None:
    bench.book()
    bench.watch.begin()
    assert bench.knows(ALICE)
    assert bench.subscribers.find(b"carol@example.net") is None
    assert bench.log.lines[0].endswith("settings of 2 subscribers read in 0.0 s")


def test_begin_without_a_store_hides_everything(bench: Bench) -> None:
    bench.watch.begin()
    assert bench.subscribers.find(ALICE) is STRICT
    assert "everybody gets the strict profile: " in bench.log.lines[0]
    assert "subscribers.db: there is no store" in bench.log.lines[0]
    assert not bench.path.exists()


def test_what_a_fork_inherits_is_caught_up_with(bench: Bench) -> None:
    """A worker reads what has changed since, not everything."""
    book = bench.book()
    bench.watch.begin()
    alice = bench.subscribers.find(ALICE)
    book.change(change("bob@example.net", name="show"), NOW)
    bench.another(bench.subscribers).begin()
    assert bench.subscribers.find(ALICE) is alice
    assert bench.subscribers.find(BOB) is not None
    assert bench.subscribers.mark is not None
    assert bench.subscribers.mark.revision == 3


@pytest_twisted.ensureDeferred
async def test_a_change_is_obeyed_within_a_poll(bench: Bench) -> None:
    """Added, changed, removed; without restart, and never on the reactor's thread."""
    book = bench.book()
    bench.watch.begin()
    bench.watch.start(reactor)
    book.add(change("carol@example.net", name="show"), NOW)
    await bench.until(lambda: bench.knows(b"carol@example.net"))
    before = bench.subscribers.find(ALICE)
    book.change(change("alice@example.net", name="show"), NOW)
    await bench.until(lambda: bench.subscribers.find(ALICE) != before)
    book.remove("alice@example.net")
    await bench.until(lambda: not bench.knows(ALICE))
    assert bench.knows(BOB)
    bench.watch.stop()
    bench.watch.stop()


@pytest_twisted.ensureDeferred
async def test_the_reactor_never_reads(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.book()
    bench.watch.begin()
    threads: list[threading.Thread] = []
    read = Reader.read

    def noted(self: Reader, *arguments: Any) -> News | None:
        threads.append(threading.current_thread())
        return read(self, *arguments)

    monkeypatch.setattr(Reader, "read", noted)
    bench.watch.start(reactor)
    await bench.until(lambda: len(threads) >= 3)
    bench.watch.stop()
    assert threading.current_thread() not in threads


def remove(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    os.truncate(path, 0)


def damage(path: Path) -> None:
    path.write_bytes(os.urandom(8192))


def open_to_all(path: Path) -> None:
    path.chmod(0o666)


def lock(path: Path) -> None:
    """Hold it as a tool does that wants it for itself alone: in WAL mode, the only lock that stops readers."""
    plain = sqlite3.connect(path, isolation_level=None)
    plain.execute("pragma locking_mode = exclusive")
    plain.execute("begin exclusive")
    LOCKS.append(plain)


LOCKS: list[sqlite3.Connection] = []


@pytest.mark.parametrize("how", [remove, empty, damage, open_to_all, lock])
@pytest_twisted.ensureDeferred
async def test_what_happens_to_the_store_while_we_run(
    bench: Bench, how: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Last known settings, then strict, then the store again; said once each, with no names."""
    monkeypatch.setattr(module, "_WAIT", 0.05)
    bench.book()
    saved = bench.path.read_bytes()
    bench.watch.begin()
    bench.watch.start(reactor)
    how(bench.path)
    await bench.until(lambda: bench.subscribers.knowledge is Knowledge.LAST_KNOWN)
    assert bench.knows(ALICE)
    bench.clocks.monotonic += 61
    await bench.until(lambda: bench.subscribers.find(ALICE) is STRICT)
    await deferLater(reactor, 0.2)
    while LOCKS:
        LOCKS.pop().close()
    bench.path.write_bytes(saved)
    bench.path.chmod(0o600)
    await bench.until(lambda: bench.subscribers.knowledge is Knowledge.FRESH)
    assert bench.knows(ALICE)
    await bench.until(lambda: len(bench.log.lines) == 4)
    bench.watch.stop()
    said = [line.split(": ")[0].split(" ", 2)[2] for line in bench.log.lines[1:]]
    assert said == [
        "subscribers' settings cannot be read, the last known ones hold",
        "subscribers' settings cannot be read, everybody gets the strict profile",
        "subscribers' settings are up to date again",
    ]
    assert "alice" not in bench.log.getvalue()
    assert "example.net" not in bench.log.getvalue()


@pytest_twisted.ensureDeferred
async def test_a_writer_that_takes_its_time_is_no_trouble(bench: Bench) -> None:
    book = bench.book()
    bench.watch.begin()
    with closing(sqlite3.connect(bench.path, isolation_level=None)) as plain:
        plain.execute("begin immediate")
        plain.execute("delete from settings")
        bench.watch.start(reactor)
        await deferLater(reactor, 0.3)
        assert bench.subscribers.knowledge is Knowledge.FRESH
        plain.execute("rollback")
    book.add(change("carol@example.net", name="hide"), NOW)
    await bench.until(lambda: bench.knows(b"carol@example.net"))
    bench.watch.stop()


@pytest_twisted.ensureDeferred
async def test_a_disk_that_does_not_answer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread waits for it, and what is known gets old all the same."""
    bench.book()
    bench.watch.begin()
    released = threading.Event()
    looks: list[int] = []

    def hang(self: Reader, mark: Mark | None, progress: Callable[[int], None]) -> None:
        looks.append(1)
        released.wait(10)

    monkeypatch.setattr(Reader, "read", hang)
    bench.watch.start(reactor)
    await bench.until(lambda: bool(looks))
    bench.clocks.monotonic += module.PATIENCE + 1
    await bench.until(lambda: bench.subscribers.knowledge is Knowledge.LAST_KNOWN)
    bench.clocks.monotonic += 60
    await bench.until(lambda: bench.subscribers.find(ALICE) is STRICT)
    assert len(looks) == 1
    assert "does not answer" in bench.log.lines[-1]
    released.set()
    await bench.until(lambda: bench.subscribers.knowledge is Knowledge.FRESH)
    bench.watch.stop()


@pytest_twisted.ensureDeferred
async def test_a_bug_of_ours_is_a_place_and_no_text(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.book()
    bench.watch.begin()

    def fail(*_: object) -> None:
        raise RuntimeError("alice@example.net")

    monkeypatch.setattr(Reader, "read", fail)
    bench.watch.start(reactor)
    await bench.until(lambda: bench.subscribers.knowledge is Knowledge.LAST_KNOWN)
    bench.watch.stop()
    assert "RuntimeError at tap/subscriber_watch.py:" in bench.log.lines[-1]
    assert "alice" not in bench.log.getvalue()


def test_progress_of_a_long_reading(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.book()
    monkeypatch.setattr("config.store.reader._AT_ONCE", 1)
    monkeypatch.setattr(module, "_REPORT", 1)
    bench.watch.begin()
    assert bench.log.lines[0].endswith("settings of 1 subscribers read so far")


def test_gauges(bench: Bench) -> None:
    assert gauges(bench.subscribers, 1000) == {
        "sipveil_subscribers": 0, "sipveil_accounts": 0,
        "sipveil_subscribers_knowledge": 2, "sipveil_subscribers_age_seconds": 0,
    }  # fmt: skip
    bench.book()
    bench.watch.begin()
    assert gauges(bench.subscribers, 1007) == {
        "sipveil_subscribers": 2, "sipveil_accounts": 0,
        "sipveil_subscribers_knowledge": 0, "sipveil_subscribers_age_seconds": 7,
    }  # fmt: skip


def test_settings_name_the_file(tmp_path: Path) -> None:
    settings: Settings = settings_of(tmp_path, CONFIG + '\n[subscribers]\nstore = "people.db"\n')
    assert subscriber_store_path(settings) == tmp_path / "state" / "people.db"
