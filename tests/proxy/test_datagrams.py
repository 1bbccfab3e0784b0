"""Datagrams on real loopback sockets, in and out, and the ways that a flow names."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import pytest

from proxy.datagrams import DATAGRAMS_PER_WAKE_UP, KNOWN_PEERS, OUTGOING_QUEUE, Exits
from proxy.flow import Flow
from proxy.outbox import Outbox
from tests.udp import Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()


def test_datagram_arrives_with_flow_and_time(bench: Bench) -> None:
    """The core is told what came, between which ends, and when."""
    bench.arrive(b"OPTIONS")
    assert bench.received == [(b"OPTIONS", bench.flow, 42.0)]


def test_ipv6_flow_has_plain_addresses() -> None:
    """An IPv6 flow is host and port without brackets, flow label and scope, and can be answered."""
    bench = Bench("::1")
    bench.arrive(b"one")
    flow = bench.received[0][1]
    assert flow == Flow("UDP", ("::1", bench.listener.address[1]), ("::1", bench.peer.getsockname()[1]))
    assert bench.listener.send(flow, b"two")
    assert bench.sent() == b"two"
    bench.close()


def test_largest_datagram_is_not_cut(bench: Bench) -> None:
    """65,507 bytes, the most that UDP over IPv4 carries, arrive whole."""
    bench.arrive(b"x" * 65_507)
    assert len(bench.received[0][0]) == 65_507


def test_wake_up_takes_a_bounded_number(bench: Bench) -> None:
    """A flood does not keep the reactor from timers: the rest waits for the next wake-up."""
    bench.arrive(*[b"%d" % n for n in range(DATAGRAMS_PER_WAKE_UP + 5)])
    assert len(bench.received) == DATAGRAMS_PER_WAKE_UP
    bench.listener.doRead()
    assert len(bench.received) == DATAGRAMS_PER_WAKE_UP + 5


class Watch:
    """Stands for a QueueWatch: remembers what it is told, and about how many datagrams."""

    def __init__(self, bench: Bench) -> None:
        self.told: list[tuple[str, int]] = []
        self._bench = bench
        bench.listener.datagrams.watch = self

    def measure(self, now: float) -> None:
        assert now == 42.0
        self.told.append(("measure", len(self._bench.received)))

    def emptied(self, now: float) -> None:
        assert now == 42.0
        self.told.append(("emptied", len(self._bench.received)))


def test_a_queue_that_is_emptied_is_not_measured(bench: Bench) -> None:
    """An idle proxy pays nothing for overload control."""
    watch = Watch(bench)
    bench.arrive(b"one", b"two")
    bench.arrive(b"three")
    assert watch.told == []


def test_a_queue_that_is_not_is_measured_once_a_wake_up(bench: Bench) -> None:
    """By the first datagram of the next one, before it is handled; when there is nothing left, that is said once."""
    watch = Watch(bench)
    most = DATAGRAMS_PER_WAKE_UP
    bench.arrive(*[b"x"] * (2 * most + 5))
    assert watch.told == []
    bench.listener.doRead()
    assert watch.told == [("measure", most)]
    bench.listener.doRead()
    assert watch.told[1:] == [("measure", 2 * most), ("emptied", 2 * most + 5)]
    bench.arrive(b"x")
    assert len(watch.told) == 3


def test_a_queue_that_ends_with_a_wake_up_is_emptied(bench: Bench) -> None:
    """Nobody wakes the listener up for nothing: what was measured before would hold until the next datagram comes."""
    watch = Watch(bench)
    most = DATAGRAMS_PER_WAKE_UP
    bench.arrive(*[b"x"] * (2 * most))
    bench.listener.doRead()
    assert watch.told == [("measure", most), ("emptied", 2 * most)]


def test_exception_of_the_core_is_contained(bench: Bench) -> None:
    """What a datagram raises is handed over and counted, and the next one is served."""

    def explode(data: bytes) -> None:
        if data == b"bad":
            raise RecursionError("sip:+15550100@example.net")

    bench.handle = explode
    bench.arrive(b"bad", b"good")
    assert [data for data, _, _ in bench.received] == [b"bad", b"good"]
    assert [type(error) for error in bench.failed] == [RecursionError]
    assert bench.listener.stats.failures == 1


def test_closing_while_reading_stops_the_loop(bench: Bench) -> None:
    """A listener that is closed from within `receive` reads no more."""
    bench.handle = lambda data: bench.listener.close()
    bench.arrive(b"one", b"two")
    assert len(bench.received) == 1


@pytest.mark.parametrize(
    "peer",
    [("phone.example.net", 5060), ("", 5060), ("::1", 5060), ("127.0.0.1", 0), ("127.0.0.1", 65536), ("127.0.0.1", -1)],
)
def test_what_cannot_be_sent_to_is_refused(bench: Bench, peer: tuple[str, int]) -> None:
    """Names (a look-up would block), the other family and impossible ports are refused, not tried."""
    assert not bench.listener.send(bench.flow._replace(peer=peer), b"x")
    assert bench.listener.stats.send_refused == 1


def test_peer_with_source_port_zero_cannot_hurt(bench: Bench) -> None:
    """A forged source port 0 is remembered as a flow, and sending to it is refused by the system."""
    flow = bench.listener.datagrams.remember(("127.0.0.1", 0))
    assert not bench.listener.send(flow, b"x")


def test_too_large_is_refused(bench: Bench) -> None:
    """A datagram above what UDP carries is a transport error (RFC 3261 §16.9)."""
    assert not bench.listener.send(bench.flow, b"x" * 65_508)


@pytest.fixture
def told() -> list[tuple[Flow, bytes]]:
    """What an outbox has told of."""
    return []


@pytest.fixture
def kept(told: list[tuple[Flow, bytes]]) -> Iterator[Bench]:
    """A bench whose listener has an outbox."""
    made = Bench(outbox=Outbox(lambda flow, data: told.append((flow, data))))
    yield made
    made.close()


def test_what_a_wake_up_sends_leaves_at_its_end(kept: Bench) -> None:
    """Until then nobody beside us is woken up; outside of a wake-up it leaves at once."""
    kept.peer.settimeout(0.01)

    def handle(data: bytes) -> None:
        assert kept.listener.send(kept.flow, b"answer to " + data)
        with pytest.raises(TimeoutError):
            kept.sent()

    kept.handle = handle
    kept.arrive(b"1", b"2")
    assert (kept.sent(), kept.sent()) == (b"answer to 1", b"answer to 2")
    assert kept.failed == []
    assert kept.listener.send(kept.flow, b"later")
    assert kept.sent() == b"later"
    assert kept.listener.stats.datagrams_sent == 3


def test_a_long_wake_up_sends_meanwhile(kept: Bench) -> None:
    """With sixty-four messages to read, the first answers do not wait for the last."""
    kept.peer.settimeout(0.01)
    seen: list[bytes] = []

    def handle(data: bytes) -> None:
        if data == b"39":
            seen.append(kept.sent())
        kept.listener.send(kept.flow, data)

    kept.handle = handle
    kept.arrive(*[b"%d" % number for number in range(40)])
    assert seen == [b"0"]


def test_what_is_refused_at_the_end_of_a_wake_up_is_told(kept: Bench, told: list[tuple[Flow, bytes]]) -> None:
    """The core cannot know it from `send` any longer."""

    def handle(data: bytes) -> None:
        kept.socket.errors.append(errno.ENETUNREACH)
        assert kept.listener.send(kept.flow, data)

    kept.handle = handle
    kept.arrive(b"INVITE")
    assert told == [(kept.flow, b"INVITE")]
    assert kept.listener.stats.send_refused == 1


@pytest.mark.parametrize("peer", [("192.0.2.1", 0), ("::1", 5060), ("name", 5060)])
def test_what_can_never_leave_is_refused_at_once(kept: Bench, peer: tuple[str, int]) -> None:
    """As without an outbox."""
    answers: list[bool] = []
    kept.handle = lambda _: answers.append(kept.listener.send(Flow("UDP", kept.listener.address, peer), b"x"))
    kept.arrive(b"1")
    assert answers == [False]
    assert kept.listener.stats.send_refused == 1


def test_an_exception_of_the_core_keeps_nothing_back(kept: Bench) -> None:
    def handle(data: bytes) -> None:
        kept.listener.send(kept.flow, data)
        raise KeyError

    kept.handle = handle
    kept.arrive(b"1")
    assert kept.sent() == b"1"
    assert len(kept.failed) == 1


def test_closing_in_a_wake_up_sends_what_was_kept(kept: Bench) -> None:
    """A stop loses no answer."""

    def handle(data: bytes) -> None:
        kept.listener.send(kept.flow, data)
        kept.listener.close()

    kept.handle = handle
    kept.arrive(b"1")
    assert kept.sent() == b"1"


def test_queue_skips_what_became_impossible(bench: Bench) -> None:
    """One datagram that the system refuses does not hold up those behind it."""
    bench.socket.errors = [errno.EAGAIN, errno.EHOSTUNREACH]
    bench.listener.send(bench.flow, b"one")
    bench.listener.send(bench.flow, b"two")
    bench.listener.doWrite()
    assert bench.sent() == b"two"
    assert bench.listener.stats.send_refused == 1


def test_queue_is_bounded(bench: Bench) -> None:
    """What does not fit is lost and counted; it is not an error of the hop."""
    bench.socket.errors = [errno.EAGAIN]
    for _ in range(OUTGOING_QUEUE + 3):
        assert bench.listener.send(bench.flow, b"x")
    assert bench.listener.stats.queue_full == 3


def test_known_peers_are_bounded(bench: Bench) -> None:
    """Forged sources do not grow memory; who is forgotten is learned again."""
    datagrams = bench.listener.datagrams
    for number in range(KNOWN_PEERS + 10):
        datagrams.remember((f"192.0.2.{number % 256}", number))
    assert len(datagrams._flows) == 10
    assert bench.listener.send(bench.flow, b"x")


def test_read_error_is_counted_and_survived(bench: Bench) -> None:
    """An error of recvfrom other than would-block ends the wake-up, not the listener."""
    bench.socket.read_errors = [errno.ECONNREFUSED]
    bench.arrive(b"one")
    assert (bench.listener.stats.receive_errors, bench.received) == (1, [])
    bench.listener.doRead()
    assert len(bench.received) == 1


def test_a_read_error_hides_no_empty_queue(bench: Bench) -> None:
    """An ICMP error is all that wakes the listener up: what was measured before does not hold on."""
    watch = Watch(bench)
    bench.arrive(*[b"x"] * (DATAGRAMS_PER_WAKE_UP + 1))
    bench.socket.recv(10)
    bench.socket.read_errors = [errno.ECONNREFUSED]
    bench.listener.doRead()
    assert watch.told == [("emptied", DATAGRAMS_PER_WAKE_UP)]


def test_a_wake_up_for_nothing_is_none(bench: Bench) -> None:
    """Somebody else has read it, or its checksum was wrong (select(2), bugs)."""
    bench.listener.doRead()
    assert (bench.received, bench.listener.stats.receive_errors) == ([], 0)


def test_an_empty_datagram_is_no_empty_queue(bench: Bench) -> None:
    """Who sends such ones between others neither splits wake-ups nor makes a queue count as emptied."""
    watch = Watch(bench)
    most = DATAGRAMS_PER_WAKE_UP
    bench.arrive(*[b"x", b""] * most)
    assert len(bench.received) == most
    bench.arrive(b"", b"x")
    assert watch.told == [("measure", most)]


def test_exits(bench: Bench) -> None:
    """A flow leaves through the socket whose address it names; what is no datagram goes over connections."""
    told: list[tuple[Flow, bytes]] = []

    def by_connection(flow: Flow, data: bytes) -> bool:
        told.append((flow, data))
        return True

    exits = Exits(by_connection)
    assert not exits.send(bench.flow, b"x")
    exits.add(bench.listener.datagrams)
    assert exits.send(bench.flow, b"y")
    assert bench.sent() == b"y"
    assert exits.send(bench.flow._replace(transport="TCP"), b"z")
    assert told == [(bench.flow._replace(transport="TCP"), b"z")]
