"""The cache against a clock of its own, and one look-up from a real name server on the running reactor."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, LoopingCall

from proxy import resolver as module
from proxy.location import Place, plain
from proxy.resolver import Clock as ReactorClock
from proxy.resolver import Resolver, read_hosts
from proxy.resolver_query import FAILED, FAILURE_TTL, NEGATIVE_TTL, Answer, ask_name_servers
from tests.name_server import NameServer


def test_hosts_file(tmp_path: Path) -> None:
    """Comments, several names a line, several lines a name; absent is empty."""
    path = tmp_path / "hosts"
    path.write_text("# c\n192.0.2.1 PBX pbx.example.net # ours\n\n2001:db8::1\tpbx\n")
    assert read_hosts(path) == {"pbx": ["192.0.2.1", "2001:db8::1"], "pbx.example.net": ["192.0.2.1"]}
    assert read_hosts(tmp_path / "absent") == {}


# Cache


class ThreadClock(Clock):
    """Twisted's Clock with a callFromThread that is collected, and run by `settle`."""

    def __init__(self) -> None:
        super().__init__()
        self.pending: list[tuple[Callable[..., object], tuple[object, ...]]] = []

    def callFromThread(self, callable: Callable[..., object], *args: object) -> None:  # noqa: A002, N802
        self.pending.append((callable, args))

    def settle(self) -> None:
        """Wait for the threads, run what they called, and what was called later."""
        for thread in threading.enumerate():
            if thread.name == "sipveil-dns":
                thread.join(5)
        pending, self.pending = self.pending, []
        for callable_, args in pending:
            callable_(*args)
        self.advance(0)


class Bench:
    """A resolver whose servers say what the test puts into `answers`."""

    def __init__(self) -> None:
        self.clock = ThreadClock()
        self.answer = Answer(plain(["192.0.2.1"]), 60)
        self.asked: list[str] = []
        self.release = threading.Event()
        self.release.set()
        self.resolver = Resolver(self.clock, self._query, {"pbx": ["192.0.2.99"]})
        self.results: list[Sequence[Place]] = []

    def _query(self, host: str, services: str) -> Answer:
        self.asked.append(host if services == "UDP" else f"{host}, {services or 'addresses'}")
        self.release.wait(5)
        return self.answer

    def lookup(self, host: str = "trunk.example.net", port: int = 0) -> list[str]:
        """Look up, let everything happen, and return the addresses that were handed over."""
        self.resolver.lookup(host, port, self.results.append)
        self.clock.settle()
        return addresses(self.results.pop())


def addresses(places: Sequence[Place]) -> list[str]:
    return [address for place in places for address in place.addresses]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_never_answers_at_once(bench: Bench) -> None:
    """Neither a miss, nor a hit, nor a hosts name calls back from within lookup."""
    bench.lookup()
    for host in ("trunk.example.net", "other.example.net", "pbx", "localhost"):
        bench.resolver.lookup(host, 0, bench.results.append)
        assert bench.results == []
        bench.clock.settle()
        assert bench.results.pop()


def test_answer_is_kept_for_its_ttl(bench: Bench) -> None:
    """Asked again after 60 s, not before; upper case and a final dot are the same name."""
    assert bench.lookup() == ["192.0.2.1"]
    bench.clock.advance(59)
    assert bench.lookup("TRUNK.example.net.") == ["192.0.2.1"]
    assert bench.asked == ["trunk.example.net"]
    bench.clock.advance(1)
    bench.lookup()
    assert len(bench.asked) == 2


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (Answer(plain(["192.0.2.1"]), 0), module.MIN_TTL),
        (Answer(plain(["192.0.2.1"]), 1e9), module.MAX_TTL),
        (Answer((), 0), module.MIN_TTL),
        (Answer((), 86_400), NEGATIVE_TTL),
        (FAILED, FAILURE_TTL),
    ],
)
def test_ttl_has_bounds(bench: Bench, answer: Answer, kept: float) -> None:
    """Neither a look-up a call nor yesterday's address."""
    bench.answer = answer
    bench.lookup()
    bench.clock.advance(kept - 0.1)
    bench.lookup()
    assert len(bench.asked) == 1
    bench.clock.advance(0.2)
    bench.lookup()
    assert len(bench.asked) == 2


def test_one_question_for_many_who_ask(bench: Bench) -> None:
    """A burst of calls to one trunk is one look-up."""
    bench.release.clear()
    for _ in range(50):
        bench.resolver.lookup("trunk.example.net", 0, bench.results.append)
    bench.release.set()
    bench.clock.settle()
    assert list(map(addresses, bench.results)) == [["192.0.2.1"]] * 50
    assert len(bench.asked) == 1


def test_a_name_with_a_port_is_another_question(bench: Bench) -> None:
    """Its services do not count (RFC 3263 §4.2), and each answer is kept for itself."""
    bench.lookup()
    bench.answer = Answer(plain(["192.0.2.2"]), 60)
    assert bench.lookup(port=5060) == bench.lookup(port=5070) == ["192.0.2.2"]
    assert bench.lookup() == ["192.0.2.1"]
    assert bench.asked == ["trunk.example.net", "trunk.example.net, addresses"]


def test_transports_are_kept_apart(bench: Bench) -> None:
    """What is served over UDP may not be over TLS; a port asks for neither."""
    for transport in ("UDP", "TLS", "TLS"):
        bench.resolver.lookup("trunk.example.net", 0, bench.results.append, transport)
        bench.clock.settle()
    bench.resolver.lookup("trunk.example.net", 5061, bench.results.append, "TLS")
    bench.clock.settle()
    assert bench.asked == ["trunk.example.net", "trunk.example.net, TLS", "trunk.example.net, addresses"]


def test_threads_and_waiting_names_are_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads, three waiting; the sixth name fails; all five are answered in the end."""
    monkeypatch.setattr(module, "MAX_THREADS", 2)
    monkeypatch.setattr(module, "MAX_WAITING", 3)
    bench.release.clear()
    for number in range(6):
        bench.resolver.lookup(f"t{number}.example.net", 0, bench.results.append)
    bench.clock.advance(0)
    assert list(map(addresses, bench.results)) == [[]]
    assert bench.resolver.in_flight == 5
    bench.release.set()
    for _ in range(3):
        bench.clock.settle()
    assert sorted(bench.asked) == [f"t{number}.example.net" for number in range(5)]
    assert list(map(addresses, bench.results)) == [[]] + [["192.0.2.1"]] * 5
    assert bench.resolver.in_flight == 0


def test_cache_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name that was not asked for the longest leaves."""
    monkeypatch.setattr(module, "MAX_NAMES", 2)
    for host in ("a.net", "b.net", "a.net", "c.net", "a.net", "b.net"):
        bench.lookup(host)
    assert bench.asked == ["a.net", "b.net", "c.net", "b.net"]
    assert len(bench.resolver._cache) == 2


def test_dead_servers_leave_the_last_addresses(bench: Bench) -> None:
    """RFC 8767: expired addresses serve while nobody answers, without anybody waiting, until they are too old."""
    bench.lookup()
    bench.clock.advance(61)
    bench.answer = FAILED
    assert bench.lookup() == ["192.0.2.1"]
    bench.clock.advance(module.STALE_RECHECK + 1)
    bench.release.clear()  # the servers hang now: the next caller does not wait for them
    bench.resolver.lookup("trunk.example.net", 0, bench.results.append)
    bench.clock.advance(0)
    assert addresses(bench.results.pop()) == ["192.0.2.1"]
    assert bench.resolver.in_flight == 1
    bench.release.set()
    bench.clock.settle()
    bench.clock.advance(module.MAX_STALE)
    assert bench.lookup() == []


def test_nobody_waits_long_for_servers_that_hang(bench: Bench) -> None:
    """RFC 8767 §5: 1.8 s, then the expired addresses; whoever comes next has them at once, until there is an answer."""
    bench.lookup()
    bench.clock.advance(61)
    bench.release.clear()
    for _ in range(2):
        bench.resolver.lookup("trunk.example.net", 0, bench.results.append)
    bench.clock.advance(module.PATIENCE - 0.1)
    assert bench.results == []
    bench.clock.advance(0.1)
    assert [addresses(each) for each in bench.results] == [["192.0.2.1"]] * 2
    bench.results.clear()
    bench.resolver.lookup("trunk.example.net", 0, bench.results.append)
    bench.clock.advance(0)
    assert addresses(bench.results.pop()) == ["192.0.2.1"]
    assert len(bench.asked) == 2
    bench.answer = Answer(plain(["192.0.2.2"]), 60)
    bench.release.set()
    bench.clock.settle()
    assert bench.results == []
    assert bench.lookup() == ["192.0.2.2"]


def test_a_name_that_nobody_knew_is_waited_for(bench: Bench) -> None:
    bench.release.clear()
    bench.resolver.lookup("trunk.example.net", 0, bench.results.append)
    bench.clock.advance(10)
    assert bench.results == []
    bench.release.set()
    bench.clock.settle()
    assert addresses(bench.results.pop()) == ["192.0.2.1"]


def test_servers_that_come_back_are_believed(bench: Bench) -> None:
    """After a failure, the next answer replaces the old addresses."""
    bench.lookup()
    bench.clock.advance(61)
    bench.answer = FAILED
    bench.lookup()
    bench.answer = Answer(plain(["192.0.2.2"]), 60)
    bench.clock.advance(module.STALE_RECHECK)
    assert bench.lookup() == ["192.0.2.1"]  # and asks in the background
    assert bench.lookup() == ["192.0.2.2"]


def test_no_such_name_is_no_failure(bench: Bench) -> None:
    """A name that was deleted is gone: old addresses do not serve."""
    bench.lookup()
    bench.clock.advance(61)
    bench.answer = Answer((), 5)
    assert bench.lookup() == []


def test_query_that_raises_is_a_failure(bench: Bench) -> None:
    """A thread never ends in a traceback with a name in it."""

    def explode(host: str, services: str) -> Answer:
        raise RuntimeError(host)

    bench.resolver._query = explode
    assert bench.lookup() == []


def test_another_query_is_asked_from_then_on(bench: Bench) -> None:
    """A reload names other servers: what is known stays for its time."""
    bench.lookup()
    bench.resolver.ask(lambda host, services: Answer(plain(["192.0.2.5"]), 60))
    assert bench.lookup() == ["192.0.2.1"]
    bench.clock.advance(60)
    assert bench.lookup() == ["192.0.2.5"]


def test_close_calls_nobody(bench: Bench) -> None:
    """An answer that comes after the end is dropped."""
    bench.release.clear()
    bench.resolver.lookup("trunk.example.net", 0, bench.results.append)
    bench.resolver.close()
    bench.release.set()
    bench.clock.settle()
    assert bench.results == []


@pytest_twisted.ensureDeferred
async def test_on_the_running_reactor() -> None:
    """The reactor goes on while a thread asks a real server, and a slow one."""
    server = NameServer({
        ("_sip._udp.trunk.example.net.", "SRV"): (60, ["0 0 5062 gw.example.net."]),
        ("gw.example.net.", "A"): (60, ["192.0.2.10"]),
    })  # fmt: skip
    server.delay = 0.2
    server.start()
    resolver = Resolver(cast(ReactorClock, reactor), ask_name_servers(server.resolver(), ("A",)))
    found: Deferred[Sequence[Place]] = Deferred()
    ticks: list[float] = []
    tick = LoopingCall(lambda: ticks.append(time.monotonic()))
    tick.start(0.02)
    resolver.lookup("trunk.example.net", 0, found.callback)
    assert list(await found) == [Place(0, 0, 5062, ("192.0.2.10",))]
    tick.stop()
    assert len(ticks) > 10, "three answers of 0.2 s each"
    assert max(later - before for before, later in pairwise(ticks)) < 0.2
    server.close()
