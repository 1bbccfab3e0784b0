"""Three workers' tables, with real feeds between them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.python.failure import Failure

from proxy.bindings import Binding, Bindings
from proxy.flow import Flow
from proxy.registration_owner import owner_of_address
from proxy.timers import TimerWheel
from proxy.transport_handover import Inbox
from tap.registration_feed import RegistrationFeed

LOCAL = ("192.0.2.1", 5060)
UDP = Flow("UDP", LOCAL, ("10.0.0.1", 5062))
WORKERS = 3


def aors(owner: int, count: int = 1) -> list[bytes]:
    """Return addresses of record of a worker."""
    every = (b"user%d@example.net" % number for number in range(10_000))
    found = (aor for aor in every if owner_of_address(aor, WORKERS) == owner)
    return [next(found) for _ in range(count)]


def stream(worker: int, number: int = 5) -> Flow:
    return Flow("TLS", LOCAL, ("10.0.0.1", 40_000 + number), (worker << 32) + number, ("phone.example",))


def binding(flow: Flow = UDP, **changes: object) -> Binding:
    made = Binding(b"sip:a@1.2.3.4", 1000, b"call", 1, 3600.0, flow, (b"sip:edge;lr",), b"<urn:x>", 1, 5, 6)
    return made._replace(**changes)  # type: ignore[arg-type]


class Written:
    """A journal."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write(self, aor: bytes, bindings: tuple[Binding, ...], now: float) -> None:
        self.lines.append(aor)


class Bench:
    def __init__(self) -> None:
        self.inboxes = [Inbox() for _ in range(WORKERS)]
        self.failures: list[Exception] = []
        self.tables: list[Bindings] = []
        self.feeds: list[RegistrationFeed] = []
        self.journals: list[Written] = []
        for worker in range(WORKERS):
            self.tables.append(Bindings(TimerWheel(0.0), 0.0))
            self.feeds.append(self.feed(worker))
            self.journals.append(Written())
            self.tables[worker].journal = self.journals[worker]
        for worker in range(WORKERS):
            self.begin(worker)

    def feed(self, worker: int) -> RegistrationFeed:
        feed = RegistrationFeed(
            worker, self.inboxes[worker].reader, [inbox.writer for inbox in self.inboxes], self.tables[worker],
            most=50, clock=lambda: 1.0, failed=self.failures.append,
        )  # fmt: skip
        self.tables[worker].others = feed
        return feed

    def begin(self, worker: int) -> None:
        """Let all others hear that a worker has begun."""
        for other, feed in enumerate(self.feeds):
            if other != worker:
                self.tables[other].worker_ended(worker, 1.0)
                feed.began(worker)
        self.feeds[worker].catch_up()

    def restart(self, worker: int) -> None:
        """Begin a worker anew, with what was in its feed, and an empty store."""
        self.tables[worker] = Bindings(TimerWheel(0.0), 0.0)
        self.feeds[worker] = self.feed(worker)
        self.begin(worker)
        for feed in self.feeds:
            feed.catch_up()

    def fill(self, worker: int) -> None:
        """Leave no room in a worker's feed."""
        for size in (200_000, 50_000, 5_000, 500, 50, 1):
            try:
                while True:
                    self.inboxes[worker].writer.send(b"x" * size)
            except OSError:
                continue


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    for inbox in made.inboxes:
        inbox.close()


def test_a_look_up_finds_what_was_registered_before_it(bench: Bench) -> None:
    """With no turn of any reactor in between; every field arrives."""
    (aor,) = aors(0)
    bench.tables[0].replace(aor, (binding(), binding(stream(2), reg_id=2)), 1.0)
    for table in bench.tables[1:]:
        assert table.of(aor) == ()
        table.catch_up()
        assert table.of(aor) == (binding(), binding(stream(2), reg_id=2))
    bench.tables[0].replace(aor, (), 1.0)
    assert bench.tables[1].current(UDP, 1) == UDP, "which catches up too"
    assert [len(each) for each in bench.tables] == [0, 0, 2]
    assert bench.failures == []


def test_the_owner_alone_writes_it_down(bench: Bench) -> None:
    """What others hear, and what ends with its time, is not written twice."""
    (aor,) = aors(1)
    bench.tables[1].replace(aor, (binding(until=60.0),), 1.0)
    bench.tables[0].catch_up()
    for table in bench.tables:
        table._wheel.advance(61.0)
    assert [len(each) for each in bench.tables] == [0, 0, 0]
    assert [each.lines for each in bench.journals] == [[], [aor, aor], []]


def test_what_leads_nowhere_is_told_the_owner(bench: Bench) -> None:
    """An edge proxy has said 430 to another worker's call."""
    (aor,) = aors(1)
    bench.tables[1].replace(aor, (binding(),), 1.0)
    bench.tables[0].catch_up()
    bench.tables[0].lost(aor, UDP, (b"sip:edge;lr",), 2.0)
    bench.tables[1].catch_up()
    bench.tables[2].catch_up()
    assert [len(each) for each in bench.tables] == [0, 0, 0]


def test_a_worker_that_takes_nothing_holds_nobody_up_and_is_told_later(bench: Bench) -> None:
    """By the state of then, each address once; those beyond the bound end there by their time."""
    bench.fill(2)
    for turn in range(3):
        for aor in aors(0, 60):
            bench.tables[0].replace(aor, (binding(cseq=turn),), 1.0)
    bench.tables[1].catch_up()
    assert [len(each) for each in bench.tables] == [60, 60, 0]
    bench.feeds[0].flush()
    assert len(bench.feeds[0]._untold[2]) == 50
    bench.tables[2].catch_up()
    bench.failures.clear()  # what had filled it
    bench.feeds[0].flush()
    bench.tables[2].catch_up()
    assert [each.cseq for aor in aors(0, 50) for each in bench.tables[2].of(aor)] == [2] * 50
    assert bench.failures == []


def test_a_worker_that_begins_is_told_all(bench: Bench) -> None:
    """Bindings by connections of workers that live, its own addresses among them; those of its predecessor's are gone,
    for everybody."""
    for owner in range(3):
        for aor, flow in zip(aors(owner, 3), (UDP, stream(0), stream(2)), strict=True):
            bench.tables[owner].replace(aor, (binding(flow),), 1.0)
    for feed in bench.feeds:
        feed.catch_up()
    assert [len(each) for each in bench.tables] == [9, 9, 9]
    bench.restart(2)
    assert bench.feeds[2].is_complete
    for table in bench.tables:
        for owner in range(3):
            assert [[each.flow for each in table.of(aor)] for aor in aors(owner, 3)] == [[UDP], [stream(0)], []]
    assert bench.failures == []


def test_what_has_changed_meanwhile_is_newer_than_what_others_remember(bench: Bench) -> None:
    """A worker that has waited in vain takes REGISTERs before it has heard all."""
    (aor,) = aors(2)
    bench.tables[2].replace(aor, (binding(cseq=1),), 1.0)
    bench.tables[0].catch_up()
    bench.tables[2] = Bindings(TimerWheel(0.0), 0.0)
    bench.feeds[2] = bench.feed(2)
    assert not bench.feeds[2].is_complete
    bench.feeds[0].began(2)
    bench.tables[2].replace(aor, (binding(cseq=2),), 1.0)
    bench.tables[2].catch_up()
    assert [each.cseq for each in bench.tables[2].of(aor)] == [2]


def test_what_is_no_frame_fails_no_call(bench: Bench) -> None:
    """It is noted, and the next one is read."""
    (aor,) = aors(0)
    bench.inboxes[1].writer.send(b"?")
    bench.tables[0].replace(aor, (binding(),), 1.0)
    bench.tables[1].catch_up()
    assert len(bench.tables[1]) == 1
    assert len(bench.failures) == 1


def test_it_is_a_reader_of_the_reactor(bench: Bench) -> None:
    (aor,) = aors(0)
    bench.tables[0].replace(aor, (binding(),), 1.0)
    feed = bench.feeds[1]
    assert feed.fileno() == bench.inboxes[1].reader.fileno()
    feed.doRead()
    assert len(bench.tables[1]) == 1
    assert feed.logPrefix() == "registrations"
    feed.connectionLost(Failure(ValueError()))
    assert feed.fileno() == -1
