"""UdpListener on real loopback sockets, driven by hand or by the running reactor."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as twisted_reactor
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from config.settings import Overload as OverloadSettings
from proxy import transport
from proxy.flow import Flow
from proxy.overload import Overload
from proxy.transport import UdpListener, open_udp_socket
from proxy.transport_outbox import Outbox
from proxy.transport_queue import QueueWatch, ReceiveQueue
from scripts.load.ports import free_port


class HandReactor:
    """Remembers who is watched; nothing happens unless the test says so."""

    def __init__(self) -> None:
        self.readers: set[object] = set()
        self.writers: set[object] = set()
        self.later: list[tuple[float, Callable[[], None]]] = []

    def addReader(self, reader: object) -> None:  # noqa: N802
        self.readers.add(reader)

    def removeReader(self, reader: object) -> None:  # noqa: N802
        self.readers.discard(reader)

    def addWriter(self, writer: object) -> None:  # noqa: N802
        self.writers.add(writer)

    def removeWriter(self, writer: object) -> None:  # noqa: N802
        self.writers.discard(writer)

    def callLater(self, delay: float, callable: Callable[[], None]) -> object:  # noqa: A002, N802
        self.later.append((delay, callable))
        return None


class StubbornSocket:
    """A real socket whose sendto fails with the errors that the test queues, one per call."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.errors: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendto(self, data: bytes, peer: tuple[str, int]) -> int:
        if self.errors:
            code = self.errors.pop(0)
            raise OSError(code, errno.errorcode[code])
        return self._sock.sendto(data, peer)


class Bench:
    """One listener, one peer socket, and what arrived and failed."""

    def __init__(self, address: str = "127.0.0.1", outbox: Outbox | None = None) -> None:
        self.reactor = HandReactor()
        self.received: list[tuple[bytes, Flow, float]] = []
        self.failed: list[Exception] = []
        self.handle: Callable[[bytes], None] = lambda data: None
        self.socket = StubbornSocket(open_udp_socket(address, 0))
        self.listener = UdpListener(
            self.reactor,
            self.socket,  # type: ignore[arg-type]
            receive=self._receive,
            clock=lambda: 42.0,
            failed=self.failed.append,
            outbox=outbox,
        )
        self.listener.start()
        self.peer = socket.socket(self.socket.family, socket.SOCK_DGRAM)
        self.peer.bind((address, 0))
        self.peer.settimeout(2)
        self.flow = Flow("UDP", self.listener.address, self.peer.getsockname()[:2])

    def _receive(self, data: bytes, flow: Flow, now: float) -> None:
        self.received.append((data, flow, now))
        self.handle(data)

    def arrive(self, *datagrams: bytes) -> None:
        for data in datagrams:
            self.peer.sendto(data, self.listener.address)
        self.listener.doRead()

    def sent(self) -> bytes:
        return self.peer.recv(65535)

    def close(self) -> None:
        self.listener.close()
        self.peer.close()


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


def test_ipv6_socket_leaves_ipv4_alone() -> None:
    """A listener on `::` does not take IPv4 datagrams: the IPv4 socket of the same port is free."""
    port = free_port("0.0.0.0")
    six = open_udp_socket("::", port)
    four = open_udp_socket("0.0.0.0", port)
    six.close()
    four.close()


def test_port_in_use_is_an_error_and_leaks_no_socket() -> None:
    """Binding what is bound raises (a leaked socket would be a ResourceWarning, which is an error here)."""
    sock = open_udp_socket("127.0.0.1", 0)
    with pytest.raises(OSError, match="in use"):
        open_udp_socket("127.0.0.1", sock.getsockname()[1])
    sock.close()


def test_largest_datagram_is_not_cut(bench: Bench) -> None:
    """65,507 bytes, the most that UDP over IPv4 carries, arrive whole."""
    bench.arrive(b"x" * 65_507)
    assert len(bench.received[0][0]) == 65_507


def test_receive_buffer_is_large(bench: Bench) -> None:
    """The kernel queues more than its default for us."""
    plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    default = plain.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    plain.close()
    assert bench.socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) > default


def test_wake_up_takes_a_bounded_number(bench: Bench) -> None:
    """A flood does not keep the reactor from timers: the rest waits for the next wake-up."""
    bench.arrive(*[b"%d" % n for n in range(transport.DATAGRAMS_PER_WAKE_UP + 5)])
    assert len(bench.received) == transport.DATAGRAMS_PER_WAKE_UP
    bench.listener.doRead()
    assert len(bench.received) == transport.DATAGRAMS_PER_WAKE_UP + 5


class Watch:
    """Stands for a QueueWatch: remembers what it is told, and about how many datagrams."""

    def __init__(self, bench: Bench) -> None:
        self.told: list[tuple[str, int]] = []
        self._bench = bench
        bench.listener._watch = self  # type: ignore[assignment]

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
    most = transport.DATAGRAMS_PER_WAKE_UP
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
    most = transport.DATAGRAMS_PER_WAKE_UP
    bench.arrive(*[b"x"] * (2 * most))
    bench.listener.doRead()
    assert watch.told == [("measure", most), ("emptied", 2 * most)]


def test_what_the_kernel_drops_is_counted() -> None:
    """For the metrics page, from the kernel's own count."""
    sock = open_udp_socket("127.0.0.1", 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    watch = QueueWatch(ReceiveQueue(sock, lambda: 0.0), Overload(OverloadSettings(), lambda begins: None))
    listener = UdpListener(
        HandReactor(), sock, receive=lambda data, flow, now: None, clock=lambda: 1.0, failed=lambda error: None,
        watch=watch,
    )  # fmt: skip
    assert listener.stats.kernel_drops == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        for _ in range(100):
            peer.sendto(b"x" * 1000, listener.address)
    assert listener.stats.kernel_drops > 50
    listener.close()
    assert listener.stats.kernel_drops == 0


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
    flow = bench.listener._remember(("127.0.0.1", 0))
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


def test_full_buffer_queues_in_order(bench: Bench) -> None:
    """EAGAIN: datagrams wait for room and leave in the order they came."""
    bench.socket.errors = [errno.EAGAIN]
    assert bench.listener.send(bench.flow, b"one")
    assert bench.listener.send(bench.flow, b"two")
    assert bench.listener in bench.reactor.writers
    bench.listener.doWrite()
    assert [bench.sent(), bench.sent()] == [b"one", b"two"]
    assert bench.listener not in bench.reactor.writers
    assert bench.listener.stats.datagrams_sent == 2


def test_no_buffers_waits_a_moment_instead_of_spinning(bench: Bench) -> None:
    """ENOBUFS: the socket would claim to be writable, so a timer tries again."""
    bench.socket.errors = [errno.ENOBUFS, errno.ENOBUFS]
    assert bench.listener.send(bench.flow, b"one")
    assert not bench.reactor.writers
    delay, retry = bench.reactor.later.pop()
    assert delay == transport.RETRY_NO_BUFFERS
    retry()
    bench.listener.doWrite()  # meets the second ENOBUFS
    assert not bench.reactor.writers
    bench.reactor.later.pop()[1]()
    bench.listener.doWrite()
    assert bench.sent() == b"one"


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
    for _ in range(transport.OUTGOING_QUEUE + 3):
        assert bench.listener.send(bench.flow, b"x")
    assert bench.listener.stats.queue_full == 3


def test_still_full_waits_on(bench: Bench) -> None:
    """EAGAIN while flushing keeps the writer."""
    bench.socket.errors = [errno.EAGAIN, errno.EAGAIN]
    bench.listener.send(bench.flow, b"one")
    bench.listener.doWrite()
    assert bench.listener in bench.reactor.writers


def test_known_peers_are_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forged sources do not grow memory; who is forgotten is learned again."""
    monkeypatch.setattr(transport, "KNOWN_PEERS", 8)
    for port in range(1, 100):
        bench.listener._remember(("192.0.2.1", port))
    assert len(bench.listener._flows) <= 8
    assert bench.listener.send(bench.flow, b"x")


def test_close_is_clean_and_final(bench: Bench) -> None:
    """After close: nothing watched, nothing sent, a second close does nothing, a late timer does nothing."""
    bench.socket.errors = [errno.ENOBUFS]
    bench.listener.send(bench.flow, b"last")
    bench.listener.close()
    bench.listener.close()
    assert bench.sent() == b"last"  # close sends what it still can
    bench.reactor.later.pop()[1]()
    assert not bench.reactor.readers
    assert not bench.reactor.writers
    assert not bench.listener.is_open
    assert not bench.listener.send(bench.flow, b"x")
    assert bench.listener.fileno() == -1


def test_lost_connection_closes(bench: Bench) -> None:
    """The reactor's shutdown closes the socket."""
    bench.listener.connectionLost(Failure(ValueError("stop")))
    assert not bench.listener.is_open


def test_read_error_is_counted_and_survived(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of recvfrom other than would-block ends the wake-up, not the listener."""

    def refuse(size: int) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(bench.socket, "recvfrom", refuse, raising=False)
    bench.listener.doRead()
    assert bench.listener.stats.receive_errors == 1
    assert bench.listener.is_open


@pytest_twisted.ensureDeferred
async def test_on_the_running_reactor() -> None:
    """Added to Twisted's reactor, it reads what arrives without anybody calling doRead."""
    arrived: Deferred[bytes] = Deferred()

    def receive(data: bytes, flow: Flow, now: float) -> None:
        listener.send(flow, b"pong")
        arrived.callback(data)

    listener = UdpListener(
        twisted_reactor,
        open_udp_socket("127.0.0.1", 0),
        receive=receive,
        clock=time.monotonic,
        failed=lambda error: None,
    )
    listener.start()
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.settimeout(2)
    peer.sendto(b"ping", listener.address)
    assert await arrived == b"ping"
    assert peer.recv(100) == b"pong"
    listener.close()
    peer.close()
