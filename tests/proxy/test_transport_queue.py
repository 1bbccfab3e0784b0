"""The kernel's queue, on real sockets of the loopback."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from config.settings import Overload as OverloadSettings
from proxy.overload import Overload
from proxy.transport_queue import QueueWatch, ReceiveQueue, is_empty


class Pair:
    """A socket that is measured, and one that sends to it; time may be told wrongly."""

    def __init__(self) -> None:
        self.wrong = 0.0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.socket.bind(("127.0.0.1", 0))
        self.peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.queue = ReceiveQueue(self.socket, lambda: time.time() + self.wrong)

    def send(self, count: int = 1) -> None:
        for _ in range(count):
            self.peer.sendto(b"x" * 1500, self.socket.getsockname())

    def await_stamps(self) -> None:
        """Wait until the kernel stamps what arrives: it switches that on a moment after it was asked to."""
        for _ in range(500):
            self.send()
            time.sleep(0.002)
            self.socket.recv(2000)
            if self.queue.wait() >= 0.002:
                return


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.socket.close()
    made.peer.close()


def test_how_long_a_datagram_waited(pair: Pair) -> None:
    """Of the one read last, however many stand behind it."""
    pair.await_stamps()
    pair.send()
    time.sleep(0.2)
    pair.send()
    pair.socket.recv(2000)
    assert 0.2 <= pair.queue.wait() < 1
    pair.socket.recv(2000)
    assert pair.queue.wait() < 0.2


def test_before_the_first_nothing_is_known(pair: Pair) -> None:
    assert pair.queue.wait() == 0


def test_a_clock_that_was_set_back_is_no_wait(pair: Pair) -> None:
    pair.send()
    pair.socket.recv(2000)
    pair.wrong = -3600
    assert pair.queue.wait() == 0


def test_how_full_it_is_and_what_was_dropped(pair: Pair) -> None:
    assert pair.queue.memory() == (0, 0)
    pair.send(5)
    fill, drops = pair.queue.memory()
    assert 0 < fill < 0.5
    assert drops == 0
    pair.send(500)
    fill, drops = pair.queue.memory()
    assert 0.9 < fill <= 1
    assert drops > 300


def test_whether_anything_waits(pair: Pair) -> None:
    assert is_empty(pair.socket)
    pair.send()
    assert not is_empty(pair.socket)
    pair.socket.recv(2000)
    assert is_empty(pair.socket)


def test_a_closed_socket_measures_nothing() -> None:
    pair = Pair()
    pair.socket.close()
    pair.peer.close()
    assert not is_empty(pair.socket)
    assert pair.queue.wait() == 0
    assert pair.queue.memory() == (0, 0)


def test_overload_control_is_told(pair: Pair) -> None:
    """The wait of what was read, and that nothing is left."""
    overload = Overload(OverloadSettings(max_delay=0.01), lambda begins: None)
    watch = QueueWatch(pair.queue, overload)
    pair.send()
    time.sleep(0.05)
    pair.socket.recv(2000)
    watch.measure(1.0)
    assert overload.active
    assert overload.wait >= 0.05
    watch.emptied(1.1)
    assert overload.wait == 0
    assert overload.share == 1
