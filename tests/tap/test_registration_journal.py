"""Who is registered outlasts the process, and the process outlasts its store."""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor
from twisted.internet.task import deferLater
from twisted.logger import Logger

from proxy.bindings import Binding, Bindings
from proxy.flow import Flow
from proxy.timers import TimerWheel
from tap.log import LineObserver
from tap.registration_journal import BATCH, RegistrationJournal
from tests.tap.fakes import CONFIG, Lines, StoppedClocks, settings_of

reactor: Any = _reactor
REGISTRAR = CONFIG + '\n[registrar]\ndomains = ["example.net"]\nunauthenticated = true\nmaximum_expires = 7200\n'
ALICE, BOB = b"alice@example.net", b"bob@example.net"
FLOW = Flow("UDP", ("127.0.0.1", 5060), ("10.0.0.1", 5062))


class Bench:
    """A journal, its table, its log, and clocks that stand."""

    def __init__(self, folder: Path, text: str = REGISTRAR) -> None:
        self.settings = settings_of(folder, text)
        self.path = Path(self.settings.state_dir) / "registrations.db"
        self.path.parent.mkdir(exist_ok=True)
        self.clocks = StoppedClocks()
        self.log = Lines()
        self.again()

    def again(self) -> None:
        """Be another process."""
        log = Logger(namespace="sipveil.test", observer=LineObserver(self.log))
        now = self.clocks.now()
        self.table = Bindings(TimerWheel(now), self.clocks.wall() - now)
        self.journal = RegistrationJournal(self.settings, self.clocks.now, log)
        self.journal.begin(self.table)

    def register(self, aor: bytes = ALICE, seconds: float = 3600.0, flow: Flow = FLOW) -> Binding:
        now = self.clocks.now()
        path = (b"sip:edge;lr", b"sip:far;lr")
        binding = Binding(b"sip:a@10.0.0.1", 500, b"call", 7, now + seconds, flow, path, b"<urn:x>", 1, 20, 10)
        self.table.replace(aor, (binding,), now)
        return binding

    async def until(self, true: Callable[[], bool]) -> None:
        for _ in range(300):
            if true():
                return
            await deferLater(reactor, 0.01)
        raise AssertionError("not within three seconds")

    @property
    def unsaved(self) -> float:
        return self.journal.gauges()["sipveil_registrations_unsaved"]

    @property
    def failing(self) -> bool:
        return bool(self.journal.gauges()["sipveil_registrations_store_failing"])


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_without_a_registrar_there_is_no_store(tmp_path: Path) -> None:
    bench = Bench(tmp_path, CONFIG)
    bench.journal.start(reactor)
    bench.journal.stop()
    assert bench.table.journal is None
    assert not bench.path.exists()
    assert bench.log.lines == []


@pytest_twisted.ensureDeferred
async def test_a_binding_outlasts_a_kill(bench: Bench) -> None:
    """Written within moments, and read with the seconds that it has left; nothing is said of a stop."""
    bench.journal.start(reactor)
    binding = bench.register()
    await bench.until(lambda: not bench.unsaved)
    await bench.until(lambda: not bench.journal._is_writing)
    bench.journal._ticks.stop()  # type: ignore[union-attr]
    bench.clocks.monotonic, bench.clocks.unix = 5.0, bench.clocks.unix + 100
    bench.again()
    (restored,) = bench.table.of(ALICE)
    assert restored.until == pytest.approx(5.0 + 3500.0, abs=0.01)
    assert restored == binding._replace(until=restored.until)


def test_a_stop_writes_the_rest(bench: Bench) -> None:
    bench.journal.start(reactor)
    for number in range(BATCH + 10):
        bench.register(b"%d@example.net" % number)
    bench.journal.stop()
    bench.journal.stop()
    bench.again()
    assert len(bench.table) == BATCH + 10


def test_who_went_stays_gone(bench: Bench) -> None:
    bench.journal.start(reactor)
    bench.register()
    bench.table.replace(ALICE, (), bench.clocks.now())
    bench.journal.stop()
    bench.again()
    assert len(bench.table) == 0


def test_what_ended_meanwhile_is_not_restored(bench: Bench) -> None:
    bench.journal.start(reactor)
    bench.register(seconds=60.0)
    bench.journal.stop()
    bench.clocks.unix += 61
    bench.again()
    assert len(bench.table) == 0


def test_a_clock_that_was_set_back_makes_nothing_last_longer(bench: Bench) -> None:
    bench.journal.start(reactor)
    bench.register()
    bench.journal.stop()
    bench.clocks.unix -= 86_400
    bench.again()
    assert bench.table.of(ALICE)[0].until == bench.clocks.now() + 7200


def test_connections_are_not_kept(bench: Bench) -> None:
    bench.journal.start(reactor)
    bench.register(flow=FLOW._replace(transport="TCP", connection=7))
    bench.journal.stop()
    bench.again()
    assert len(bench.table) == 0


@pytest_twisted.ensureDeferred
async def test_a_full_disk(bench: Bench) -> None:
    """Registrations go on in memory, which is said once, and what was not saved is when there is room again."""
    bench.journal.start(reactor)
    size = bench.path.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        for number in range(50):
            bench.register(b"%d@example.net" % number)
        await bench.until(lambda: bench.failing)
        assert len(bench.table) == 50
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    await bench.until(lambda: not bench.unsaved and not bench.failing)
    bench.journal.stop()
    bench.again()
    assert len(bench.table) == 50
    said = [line for line in bench.log.lines if "saved" in line]
    assert len(said) == 2
    assert "disk is full" in said[0]
    assert not any("example.net" in line for line in bench.log.lines)


@pytest_twisted.ensureDeferred
async def test_what_is_being_written_is_not_saved_yet(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for 0 before a restart loses nobody."""
    go_on = threading.Event()
    write = RegistrationJournal._write

    def slowly(journal: RegistrationJournal, batch: Any) -> None:
        go_on.wait(5)
        write(journal, batch)

    monkeypatch.setattr(RegistrationJournal, "_write", slowly)
    bench.journal.start(reactor)
    bench.register(BOB)
    await bench.until(lambda: bench.journal._is_writing)
    assert bench.unsaved == 1
    go_on.set()
    await bench.until(lambda: not bench.unsaved)
    bench.journal.stop()


@pytest_twisted.ensureDeferred
async def test_a_store_that_was_deleted_is_made_anew(bench: Bench) -> None:
    """With all who are registered, not only with who registers from then on."""
    bench.journal.start(reactor)
    bench.register(BOB)
    await bench.until(lambda: not bench.unsaved and not bench.journal._is_writing)
    for file in bench.path.parent.glob("registrations.db*"):
        file.unlink()
    bench.register()
    await bench.until(lambda: any("saved again" in line for line in bench.log.lines))
    await bench.until(lambda: not bench.unsaved and not bench.journal._is_writing)
    bench.journal.stop()
    bench.again()
    assert len(bench.table) == 2


def test_a_store_that_was_deleted_before_a_stop_is_made_anew(bench: Bench) -> None:
    bench.journal.start(reactor)
    bench.register(BOB)
    bench.journal.stop()
    bench.journal.start(reactor)
    for file in bench.path.parent.glob("registrations.db*"):
        file.unlink()
    bench.journal._store = None  # as after a write that failed
    bench.register()
    bench.journal.stop()
    bench.again()
    assert len(bench.table) == 2


def test_a_damaged_store_keeps_nobody_from_starting(bench: Bench) -> None:
    bench.path.write_bytes(b"no database" * 1000)
    bench.again()
    assert bench.failing
    assert bench.table.journal is bench.journal
    assert "registrations cannot be saved and go on in memory: " in bench.log.lines[-2]


def test_what_waits_is_bounded(tmp_path: Path) -> None:
    bench = Bench(tmp_path, REGISTRAR + "all_bindings = 10\n")
    for number in range(1000):
        bench.register(b"%d@example.net" % number)
    assert bench.unsaved <= 42
