"""Inboxes on real local sockets, read by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.python.failure import Failure

from config.settings import Overload as OverloadSettings
from proxy.flow import Flow
from proxy.handover import Framer
from proxy.overload import Overload
from proxy.transport import DATAGRAMS_PER_WAKE_UP
from proxy.transport_handover import HandoverStats, Inbox, InboxReader, Outboxes
from tests.proxy.test_transport import HandReactor

LISTENERS = [("192.0.2.1", 5060)]
FLOW = Flow("UDP", LISTENERS[0], ("10.1.1.23", 5062))


class Pair:
    """A worker that hands over, and one that reads."""

    def __init__(self) -> None:
        self.inbox = Inbox()
        self.reactor = HandReactor()
        self.received: list[tuple[bytes, Flow, float]] = []
        self.failures: list[Exception] = []
        self.sent, self.taken = HandoverStats(), HandoverStats()
        self.outboxes = Outboxes([self.inbox.writer], Framer(LISTENERS), self.sent)
        self.overload = Overload(OverloadSettings(), lambda begins: None)
        self.reader = InboxReader(
            self.reactor, self.inbox.reader, Framer(LISTENERS), self.taken, receive=self._receive,
            clock=lambda: 7.0, failed=self.failures.append, overload=self.overload,
        )  # fmt: skip
        self.reader.start()

    def _receive(self, data: bytes, flow: Flow, now: float) -> None:
        self.received.append((data, flow, now))
        if data == b"poison":
            raise KeyError(data)
        if data == b"last":
            self.reader.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.reader.close()
    made.inbox.close()


def test_a_datagram_arrives_as_if_it_had_been_read_there(pair: Pair) -> None:
    """With its flow and the time of its handling."""
    pair.outboxes.hand_over(0, b"INVITE", FLOW, 6.5)
    pair.reader.doRead()
    assert pair.received == [(b"INVITE", FLOW, 7.0)]
    assert (pair.sent.handed_over, pair.sent.lost, pair.taken.taken_over) == (1, 0, 1)


def test_frames_that_wait_count_as_lag(pair: Pair) -> None:
    """A worker is behind too where its own listener is idle and its inbox is not."""
    for _ in range(2 * DATAGRAMS_PER_WAKE_UP):
        pair.outboxes.hand_over(0, b"INVITE", FLOW, 6.5)
    pair.reader.doRead()
    assert pair.overload.wait == 0, "the first wake-up cannot know"
    pair.reader.doRead()
    assert pair.overload.wait == 0.5
    pair.reader.doRead()
    assert pair.overload.wait == 0, "emptied"


def test_the_largest_datagram_fits(pair: Pair) -> None:
    """Nothing is cut."""
    pair.outboxes.hand_over(0, b"x" * 65_507, FLOW, 6.5)
    pair.reader.doRead()
    assert len(pair.received[0][0]) == 65_507


def test_more_than_ten_can_wait(pair: Pair) -> None:
    """net.unix.max_dgram_qlen does not count for a pair; what waits for a restarted worker does so in order."""
    for number in range(50):
        pair.outboxes.hand_over(0, b"%d" % number, FLOW, 6.5)
    pair.reader.doRead()
    assert [int(data) for data, *_ in pair.received] == list(range(50))


def test_a_full_inbox_loses_and_counts(pair: Pair) -> None:
    """No exception, no waiting; what fits arrives."""
    while not pair.sent.lost:
        pair.outboxes.hand_over(0, b"x" * 60_000, FLOW, 6.5)
    pair.reader.doRead()
    assert len(pair.received) == min(pair.sent.handed_over, DATAGRAMS_PER_WAKE_UP)


def test_nothing_that_the_core_raises_stops_it(pair: Pair) -> None:
    """It is counted, and the next one is read; so is what is no frame."""
    pair.outboxes.hand_over(0, b"poison", FLOW, 6.5)
    pair.inbox.writer.send(b"?")
    pair.outboxes.hand_over(0, b"after", FLOW, 6.5)
    pair.reader.doRead()
    assert [data for data, *_ in pair.received] == [b"poison", b"after"]
    assert [type(error) for error in pair.failures] == [KeyError, ValueError]
    assert pair.taken.failures == 2


def test_one_wake_up_takes_so_many(pair: Pair) -> None:
    """Timers and other sockets get their turn."""
    for _ in range(DATAGRAMS_PER_WAKE_UP + 1):
        pair.outboxes.hand_over(0, b"x", FLOW, 6.5)
    pair.reader.doRead()
    assert len(pair.received) == DATAGRAMS_PER_WAKE_UP


def test_closed_while_reading(pair: Pair) -> None:
    """The rest stays in the socket; closing twice is harmless."""
    pair.outboxes.hand_over(0, b"last", FLOW, 6.5)
    pair.outboxes.hand_over(0, b"never", FLOW, 6.5)
    pair.reader.doRead()
    pair.reader.connectionLost(Failure(ValueError()))
    assert [data for data, *_ in pair.received] == [b"last"]
    assert pair.reactor.readers == set()
    assert pair.reader.fileno() == -1
    assert pair.reader.logPrefix() == "inbox"
