"""Outbox: what is kept, when it leaves, and who is told of what never left."""

from __future__ import annotations

from proxy.flow import Flow
from proxy.transport_outbox import AT_ONCE, Outbox

FLOW = Flow("UDP", ("192.0.2.1", 5060), ("192.0.2.2", 5060))


class Wire:
    """A sender that writes down what leaves, and refuses what it is told to."""

    def __init__(self) -> None:
        self.left: list[bytes] = []
        self.refuses = b"-"

    def leave(self, _flow: Flow, data: bytes) -> bool:
        if data == self.refuses:
            return False
        self.left.append(data)
        return True


class Bench:
    """An outbox, two senders and what the core was told."""

    def __init__(self) -> None:
        self.told: list[tuple[Flow, bytes]] = []
        self.one, self.other = Wire(), Wire()
        self.outbox = Outbox(lambda flow, data: self.told.append((flow, data)))


def test_all_leaves_at_the_end_and_in_order() -> None:
    bench = Bench()
    bench.other.left = bench.one.left
    bench.outbox.open()
    bench.outbox.keep(bench.one, FLOW, b"1")
    bench.outbox.keep(bench.other, FLOW, b"2")
    bench.outbox.keep(bench.one, FLOW, b"3")
    assert (bench.outbox.is_open, bench.one.left) == (True, [])
    bench.outbox.close()
    assert (bench.outbox.is_open, bench.one.left) == (False, [b"1", b"2", b"3"])


def test_nothing_leaves_twice() -> None:
    bench = Bench()
    bench.outbox.open()
    bench.outbox.keep(bench.one, FLOW, b"1")
    bench.outbox.empty()
    bench.outbox.close()
    assert bench.one.left == [b"1"]


def test_between_two_messages_it_is_relieved_only_of_much() -> None:
    """Nobody waits for long, and most wake-ups send once."""
    bench = Bench()
    bench.outbox.open()
    for _ in range(AT_ONCE - 1):
        bench.outbox.keep(bench.one, FLOW, b"1")
    bench.outbox.relieve()
    assert bench.one.left == []
    bench.outbox.keep(bench.one, FLOW, b"1")
    assert bench.one.left == []  # the core is in the midst of a message
    bench.outbox.relieve()
    assert len(bench.one.left) == AT_ONCE


def test_the_core_hears_of_what_was_refused_and_the_rest_leaves() -> None:
    bench = Bench()
    bench.one.refuses = b"2"
    bench.outbox.open()
    for data in (b"1", b"2", b"3"):
        bench.outbox.keep(bench.one, FLOW, data)
    bench.outbox.close()
    assert (bench.one.left, bench.told) == ([b"1", b"3"], [(FLOW, b"2")])


def test_what_the_core_sends_when_told_is_kept_while_it_is_open() -> None:
    """Another target's request, when one is refused in the midst of a wake-up."""
    bench = Bench()
    bench.outbox = Outbox(lambda flow, data: bench.outbox.keep(bench.other, flow, b"again " + data))
    bench.one.refuses = b"1"
    bench.outbox.open()
    bench.outbox.keep(bench.one, FLOW, b"1")
    bench.outbox.empty()
    assert bench.other.left == []
    bench.outbox.close()
    assert bench.other.left == [b"again 1"]
