"""Outbox: what is kept, when it leaves, and who is told of what never left."""

from __future__ import annotations

import errno
import socket

from proxy.datagrams import Datagrams, TransportStats
from proxy.flow import Flow
from proxy.outbox import AT_ONCE, Outbox

FLOW = Flow("UDP", ("192.0.2.1", 5060), ("192.0.2.2", 5060))


class Wire:
    """Stands for a socket: writes down what leaves, and refuses what it is told to."""

    family = socket.AF_INET

    def __init__(self) -> None:
        self.left: list[bytes] = []
        self.refuses = b"-"

    def getsockname(self) -> tuple[str, int]:
        return FLOW.local

    def recvfrom(self, _size: int) -> tuple[bytes, tuple[str, int]]:
        raise BlockingIOError

    def sendto(self, data: bytes, _peer: tuple[str, int]) -> int:
        if data == self.refuses:
            raise OSError(errno.ENETUNREACH, "")
        self.left.append(data)
        return len(data)


def datagrams(wire: Wire) -> Datagrams:
    """Return what sends to a wire."""
    return Datagrams(
        wire,  # type: ignore[arg-type]
        waiting=lambda timeout: [], receive=lambda data, flow, now: None, clock=lambda: 0.0, failed=lambda error: None,
        wait_for_room=lambda error: None, stats=TransportStats(), watch=None, outbox=None,
    )  # fmt: skip


class Bench:
    """An outbox, two senders and what the core was told."""

    def __init__(self) -> None:
        self.told: list[tuple[Flow, bytes]] = []
        self.wire, self.other_wire = Wire(), Wire()
        self.one, self.other = datagrams(self.wire), datagrams(self.other_wire)
        self.outbox = Outbox(lambda flow, data: self.told.append((flow, data)))


def test_all_leaves_at_the_end_and_in_order() -> None:
    bench = Bench()
    bench.other_wire.left = bench.wire.left
    bench.outbox.open()
    bench.outbox.keep(bench.one, FLOW, b"1")
    bench.outbox.keep(bench.other, FLOW, b"2")
    bench.outbox.keep(bench.one, FLOW, b"3")
    assert (bench.outbox.is_open, bench.wire.left) == (True, [])
    bench.outbox.close()
    assert (bench.outbox.is_open, bench.wire.left) == (False, [b"1", b"2", b"3"])


def test_nothing_leaves_twice() -> None:
    bench = Bench()
    bench.outbox.open()
    bench.outbox.keep(bench.one, FLOW, b"1")
    bench.outbox.empty()
    bench.outbox.close()
    assert bench.wire.left == [b"1"]


def test_between_two_messages_it_is_relieved_only_of_much() -> None:
    """Nobody waits for long, and most wake-ups send once."""
    bench = Bench()
    bench.outbox.open()
    for _ in range(AT_ONCE - 1):
        bench.outbox.keep(bench.one, FLOW, b"1")
    bench.outbox.relieve()
    assert bench.wire.left == []
    bench.outbox.keep(bench.one, FLOW, b"1")
    assert bench.wire.left == []  # the core is in the midst of a message
    bench.outbox.relieve()
    assert len(bench.wire.left) == AT_ONCE


def test_the_core_hears_of_what_was_refused_and_the_rest_leaves() -> None:
    bench = Bench()
    bench.wire.refuses = b"2"
    bench.outbox.open()
    for data in (b"1", b"2", b"3"):
        bench.outbox.keep(bench.one, FLOW, data)
    bench.outbox.close()
    assert (bench.wire.left, bench.told) == ([b"1", b"3"], [(FLOW, b"2")])


def test_what_the_core_sends_when_told_is_kept_while_it_is_open() -> None:
    """Another target's request, when one is refused in the midst of a wake-up."""
    bench = Bench()
    bench.outbox = Outbox(lambda flow, data: bench.outbox.keep(bench.other, flow, b"again " + data))
    bench.wire.refuses = b"1"
    bench.outbox.open()
    bench.outbox.keep(bench.one, FLOW, b"1")
    bench.outbox.empty()
    assert bench.other_wire.left == []
    bench.outbox.close()
    assert bench.other_wire.left == [b"again 1"]
