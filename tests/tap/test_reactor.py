"""DirectReactor: what it reads itself, and what Twisted's own does."""

from __future__ import annotations

import itertools
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from proxy.flow import Flow
from proxy.transport import UdpListener, open_udp_socket
from tap.reactor import DirectReactor


class Bench:
    """A reactor that the test turns, a listener on it, and what that has read."""

    def __init__(self) -> None:
        self.reactor: Any = DirectReactor()  # type: ignore[no-untyped-call]
        self.received: list[bytes] = []
        self.on_receive: Callable[[bytes], object] = lambda data: None
        self.listener = self.listen()
        self.peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def listen(self) -> UdpListener:
        made = UdpListener(
            self.reactor, open_udp_socket("127.0.0.1", 0),
            receive=self.receive, clock=lambda: 1.0, failed=lambda error: None,
        )  # fmt: skip
        made.start()
        return made

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        self.received.append(data)
        self.on_receive(data)

    def turn(self, *datagrams: bytes) -> list[bytes]:
        for data in datagrams:
            self.peer.sendto(data, self.listener.address)
        self.reactor.doIteration(0)
        return self.received

    def close(self) -> None:
        self.listener.close()
        self.peer.close()
        for reader in self.reactor.removeAll():
            if hasattr(reader, "connectionLost"):
                reader.connectionLost(None)
        self.reactor._poller.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()


def test_a_listener_is_read_directly(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no log context around it."""
    monkeypatch.setattr(UdpListener, "logPrefix", lambda self: pytest.fail("asked"))
    assert bench.turn(b"one", b"two") == [b"one", b"two"]
    assert bench.turn(b"three")[2:] == [b"three"]


def test_one_that_is_closed_is_read_no_more(bench: Bench) -> None:
    """Not even where both were readable at once, nor whoever has its number then."""
    other = bench.listen()
    bench.peer.sendto(b"other", other.address)
    number = bench.listener.fileno()
    bench.listener.close()
    assert bench.turn() == [b"other"]
    anew = bench.listen()
    assert anew.fileno() == number
    bench.peer.sendto(b"anew", anew.address)
    assert bench.turn() == [b"other", b"anew"]
    other.close()
    anew.close()


def test_a_full_buffer_goes_the_usual_way(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """To write is rare."""
    written: list[bool] = []
    monkeypatch.setattr(UdpListener, "doWrite", lambda self: written.append(True))
    bench.reactor.addWriter(bench.listener)
    assert (bench.turn(b"one"), written) == ([b"one"], [True])
    bench.reactor.removeWriter(bench.listener)


def test_it_turns_on_while_only_datagrams_come(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until a timer is due; the main loop has nothing else to do then."""
    timeouts = iter([5.0, 5.0, 0])
    monkeypatch.setattr(bench.reactor, "timeout", lambda: next(timeouts))
    bench.reactor.running = True
    other = bench.listen()
    both = itertools.cycle([other.address, bench.listener.address])
    bench.on_receive = lambda data: bench.peer.sendto(data + b"x", next(both))
    assert bench.turn(b"x") == [b"x", b"xx", b"xxx"]
    bench.reactor.running = False
    other.close()


def test_a_timer_that_a_datagram_sets_is_in_time(bench: Bench) -> None:
    """A timer that is set then waits for no other event."""
    reactor, began = bench.reactor, time.monotonic()
    bench.on_receive = lambda data: reactor.callLater(0.05, reactor.callLater, 0, reactor.stop)
    reactor.callLater(20, reactor.stop)
    reactor.callWhenRunning(bench.peer.sendto, b"x", bench.listener.address)
    reactor.run(installSignalHandlers=False)
    assert bench.received == [b"x"]
    assert 0.05 <= time.monotonic() - began < 10


def test_others_are_called_through_the_log(bench: Bench) -> None:
    """As Twisted does it."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)

    class Reader:
        asked = 0

        def fileno(self) -> int:
            return ours.fileno()

        def logPrefix(self) -> str:  # noqa: N802
            self.asked += 1
            return "reader"

        def doRead(self) -> None:  # noqa: N802
            bench.received.append(ours.recv(10))

    reader: Any = Reader()
    bench.reactor.addReader(reader)
    theirs.send(b"stream")
    assert (bench.turn(), reader.asked) == ([b"stream"], 1)
    bench.reactor.removeReader(reader)
    ours.close()
    theirs.close()


def test_it_is_the_reactor_of_a_process() -> None:
    code = "from tap.reactor import install; install(); from twisted.internet import reactor; print(type(reactor))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "tap.reactor.DirectReactor" in done.stdout
