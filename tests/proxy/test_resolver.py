"""The cache against a clock of its own, and the look-ups against a real name server on loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import dns.message
import dns.name
import dns.rcode
import dns.resolver
import dns.rrset
import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from proxy import resolver as module
from proxy.resolver import Answer, Resolver, ask_name_servers, read_hosts, system_name_servers
from proxy.resolver import Clock as ReactorClock

ZONE = {
    ("trunk.example.net.", "A"): (60, ["192.0.2.10", "192.0.2.11"]),
    ("trunk.example.net.", "AAAA"): (30, ["2001:db8::10"]),
    ("four.example.net.", "A"): (0, ["192.0.2.4"]),
}


class NameServer(threading.Thread):
    """A DNS server for ZONE on a loopback port; NXDOMAIN with an SOA for the rest, SERVFAIL for `broken.`."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.asked: list[tuple[str, str]] = []

    def run(self) -> None:
        while True:
            data, peer = self.socket.recvfrom(4096)
            if data == b"stop":
                return
            self.socket.sendto(self.answer(dns.message.from_wire(data)).to_wire(), peer)

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        question = query.question[0]
        name, kind = question.name.to_text(), question.rdtype.name
        self.asked.append((name, kind))
        response = dns.message.make_response(query)
        soa = dns.rrset.from_text("example.net.", 20, "IN", "SOA", "ns.example.net. x.example.net. 1 1 1 1 9")
        if (name, kind) in ZONE:
            ttl, addresses = ZONE[name, kind]
            response.answer.append(dns.rrset.from_text_list(name, ttl, "IN", kind, addresses))
        elif name == "broken.example.net.":
            response.set_rcode(dns.rcode.SERVFAIL)
        else:
            if not any(known == name for known, _ in ZONE):
                response.set_rcode(dns.rcode.NXDOMAIN)
            response.authority.append(soa)
        return response

    def close(self) -> None:
        self.socket.sendto(b"stop", self.socket.getsockname())
        self.join(2)
        self.socket.close()


@pytest.fixture(scope="module")
def server() -> Iterator[NameServer]:
    made = NameServer()
    made.start()
    yield made
    made.close()


@pytest.fixture
def client(server: NameServer) -> dns.resolver.Resolver:
    made = dns.resolver.Resolver(configure=False)
    made.nameservers = ["127.0.0.1"]
    made.port = server.socket.getsockname()[1]
    return made


# Questions


def test_both_families_in_order(client: dns.resolver.Resolver) -> None:
    """A before AAAA as asked, kept for the shorter of the two TTLs."""
    answer = ask_name_servers(client)("trunk.example.net")
    assert sorted(answer.addresses[:2]) == ["192.0.2.10", "192.0.2.11"]  # a name server shuffles within a family
    assert answer.addresses[2:] == ["2001:db8::10"]
    assert answer.ttl == 30


def test_one_family_only(client: dns.resolver.Resolver, server: NameServer) -> None:
    """Without an IPv6 listener nobody asks for AAAA."""
    server.asked.clear()
    answer = ask_name_servers(client, ("A",))("trunk.example.net")
    assert sorted(answer.addresses) == ["192.0.2.10", "192.0.2.11"]
    assert server.asked == [("trunk.example.net.", "A")]


def test_a_family_without_addresses_is_no_failure(client: dns.resolver.Resolver) -> None:
    """No AAAA for a name that has an A."""
    assert ask_name_servers(client)("four.example.net") == Answer(["192.0.2.4"], 0)


def test_no_such_name_holds_as_long_as_the_soa_says(client: dns.resolver.Resolver) -> None:
    """The SOA's minimum of 9 s is less than its TTL of 20 (RFC 2308 §5)."""
    assert ask_name_servers(client)("absent.example.net") == Answer([], 9)


def test_server_failure_is_marked(client: dns.resolver.Resolver) -> None:
    """SERVFAIL is no answer, so that older addresses may go on serving."""
    answer = ask_name_servers(client, ("A",), lifetime=0.3)("broken.example.net")
    assert answer == Answer([], module.FAILURE_TTL, failed=True)


def test_dead_server_is_marked() -> None:
    """No server at all, and a server that never answers."""
    dead = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dead.bind(("127.0.0.1", 0))
    client = dns.resolver.Resolver(configure=False)
    client.nameservers = ["127.0.0.1"]
    client.port = dead.getsockname()[1]
    assert ask_name_servers(client, ("A",), lifetime=0.2)("trunk.example.net").failed
    dead.close()


@pytest.mark.parametrize("host", ["", "a..b", "x" * 64 + ".net", "*" * 300, "\udcff", "bücher..net"])
def test_impossible_names_fail_and_do_not_raise(client: dns.resolver.Resolver, host: str) -> None:
    """What is no name is nobody's traceback."""
    assert ask_name_servers(client, ("A",), lifetime=0.3)(host).addresses == []


def test_machine_without_name_servers(tmp_path: Path) -> None:
    """No resolv.conf: names fail at once, IP hops need none of this."""
    client = system_name_servers(str(tmp_path / "absent"))
    assert ask_name_servers(client)("trunk.example.net").failed


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
        self.answer = Answer(["192.0.2.1"], 60)
        self.asked: list[str] = []
        self.release = threading.Event()
        self.release.set()
        self.resolver = Resolver(self.clock, self._query, {"pbx": ["192.0.2.99"]})
        self.results: list[list[str]] = []

    def _query(self, host: str) -> Answer:
        self.asked.append(host)
        self.release.wait(5)
        return self.answer

    def lookup(self, host: str = "trunk.example.net") -> list[str]:
        """Look up, let everything happen, and return what was handed over."""
        self.resolver.lookup(host, self.results.append)
        self.clock.settle()
        return self.results.pop()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_never_answers_at_once(bench: Bench) -> None:
    """Neither a miss, nor a hit, nor a hosts name calls back from within lookup."""
    bench.lookup()
    for host in ("trunk.example.net", "other.example.net", "pbx", "localhost"):
        bench.resolver.lookup(host, bench.results.append)
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
        (Answer(["192.0.2.1"], 0), module.MIN_TTL),
        (Answer(["192.0.2.1"], 1e9), module.MAX_TTL),
        (Answer([], 0), module.MIN_TTL),
        (Answer([], 86_400), module.NEGATIVE_TTL),
        (Answer([], 0, failed=True), module.FAILURE_TTL),
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
        bench.resolver.lookup("trunk.example.net", bench.results.append)
    bench.release.set()
    bench.clock.settle()
    assert bench.results == [["192.0.2.1"]] * 50
    assert len(bench.asked) == 1


def test_callers_do_not_share_a_list(bench: Bench) -> None:
    """Who changes what it got changes nobody else's addresses."""
    bench.lookup().clear()
    assert bench.lookup() == ["192.0.2.1"]


def test_threads_and_waiting_names_are_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads, three waiting; the sixth name fails; all five are answered in the end."""
    monkeypatch.setattr(module, "MAX_THREADS", 2)
    monkeypatch.setattr(module, "MAX_WAITING", 3)
    bench.release.clear()
    for number in range(6):
        bench.resolver.lookup(f"t{number}.example.net", bench.results.append)
    bench.clock.advance(0)
    assert bench.results == [[]]
    assert bench.resolver.in_flight == 5
    bench.release.set()
    for _ in range(3):
        bench.clock.settle()
    assert sorted(bench.asked) == [f"t{number}.example.net" for number in range(5)]
    assert bench.results == [[]] + [["192.0.2.1"]] * 5
    assert bench.resolver.in_flight == 0


def test_cache_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name that was not asked for the longest leaves."""
    monkeypatch.setattr(module, "MAX_NAMES", 2)
    for host in ("a.net", "b.net", "a.net", "c.net", "a.net"):
        bench.lookup(host)
    assert bench.asked == ["a.net", "b.net", "c.net"]


def test_dead_servers_leave_the_last_addresses(bench: Bench) -> None:
    """RFC 8767: expired addresses serve while nobody answers, without anybody waiting, until they are too old."""
    bench.lookup()
    bench.clock.advance(61)
    bench.answer = Answer([], 5, failed=True)
    assert bench.lookup() == ["192.0.2.1"]
    bench.clock.advance(module.STALE_RECHECK + 1)
    bench.release.clear()  # the servers hang now: the next caller does not wait for them
    bench.resolver.lookup("trunk.example.net", bench.results.append)
    bench.clock.advance(0)
    assert bench.results.pop() == ["192.0.2.1"]
    assert bench.resolver.in_flight == 1
    bench.release.set()
    bench.clock.settle()
    bench.clock.advance(module.MAX_STALE)
    assert bench.lookup() == []


def test_servers_that_come_back_are_believed(bench: Bench) -> None:
    """After a failure, the next answer replaces the old addresses."""
    bench.lookup()
    bench.clock.advance(61)
    bench.answer = Answer([], 5, failed=True)
    bench.lookup()
    bench.answer = Answer(["192.0.2.2"], 60)
    bench.clock.advance(module.STALE_RECHECK)
    assert bench.lookup() == ["192.0.2.1"]  # and asks in the background
    assert bench.lookup() == ["192.0.2.2"]


def test_no_such_name_is_no_failure(bench: Bench) -> None:
    """A name that was deleted is gone: old addresses do not serve."""
    bench.lookup()
    bench.clock.advance(61)
    bench.answer = Answer([], 5)
    assert bench.lookup() == []


def test_query_that_raises_is_a_failure(bench: Bench) -> None:
    """A thread never ends in a traceback with a name in it."""

    def explode(host: str) -> Answer:
        raise RuntimeError(host)

    bench.resolver._query = explode
    assert bench.lookup() == []


def test_close_calls_nobody(bench: Bench) -> None:
    """An answer that comes after the end is dropped."""
    bench.release.clear()
    bench.resolver.lookup("trunk.example.net", bench.results.append)
    bench.resolver.close()
    bench.release.set()
    bench.clock.settle()
    assert bench.results == []


@pytest_twisted.ensureDeferred
async def test_on_the_running_reactor(client: dns.resolver.Resolver) -> None:
    """The reactor goes on while a thread asks a real server."""
    resolver = Resolver(cast(ReactorClock, reactor), ask_name_servers(client))
    found: Deferred[list[str]] = Deferred()
    before = time.monotonic()
    resolver.lookup("trunk.example.net", found.callback)
    assert time.monotonic() - before < 0.5
    assert sorted(await found) == ["192.0.2.10", "192.0.2.11", "2001:db8::10"]
