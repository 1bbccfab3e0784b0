"""UdpListener on real loopback sockets, driven by hand or by the running reactor."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Iterator

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
from proxy.transport_queue import QueueWatch, ReceiveQueue
from scripts.load.ports import free_port
from tests.udp import Bench, HandReactor


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()


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


def test_receive_buffer_is_large(bench: Bench) -> None:
    """The kernel queues more than its default for us."""
    plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    default = plain.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    plain.close()
    assert bench.socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) > default


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


def test_still_full_waits_on(bench: Bench) -> None:
    """EAGAIN while flushing keeps the writer."""
    bench.socket.errors = [errno.EAGAIN, errno.EAGAIN]
    bench.listener.send(bench.flow, b"one")
    bench.listener.doWrite()
    assert bench.listener in bench.reactor.writers


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
