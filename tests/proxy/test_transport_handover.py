"""Inboxes on real local sockets, read by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.python.failure import Failure

from config.settings import Overload as OverloadSettings
from proxy import transport_handover
from proxy.datagrams import DATAGRAMS_PER_WAKE_UP
from proxy.flow import Flow
from proxy.handover import Framer, Matter
from proxy.overload import Overload
from proxy.transport_handover import LONGEST_FRAME, HandoverStats, Inbox, InboxReader, Outboxes, Take
from tests.udp import HandReactor

LISTENERS = [("UDP", ("192.0.2.1", 5060)), ("TCP", ("192.0.2.1", 5060))]
FLOW = Flow(*LISTENERS[0], ("10.1.1.23", 5062))


class Pair:
    """A worker that hands over, and one that reads."""

    def __init__(self) -> None:
        self.inbox, self.back = Inbox(), Inbox()
        self.reactor = HandReactor()
        self.received: list[tuple[bytes, Flow, float]] = []
        self.failures: list[Exception] = []
        self.sent, self.taken = HandoverStats(), HandoverStats()
        self.outboxes = Outboxes([self.inbox.writer, self.back.writer], 1, Framer(LISTENERS), self.sent)
        self.overload = Overload(OverloadSettings(), lambda begins: None)
        self.reader = InboxReader(
            self.reactor, self.inbox.reader, Framer(LISTENERS), self.taken, takes=self._takes(),
            clock=lambda: 7.0, failed=self.failures.append, overload=self.overload,
        )  # fmt: skip
        self.reader.start()

    def _takes(self) -> list[Take]:
        self.matters: list[Matter] = []

        def take(matter: Matter) -> Take:
            def taken(data: bytes, flow: Flow, now: float) -> None:
                self.matters.append(matter)
                self._receive(data, flow, now)

            return taken

        return [take(matter) for matter in Matter]

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
    made.back.close()


def test_a_datagram_arrives_as_if_it_had_been_read_there(pair: Pair) -> None:
    """With its flow and the time of its handling."""
    pair.outboxes.hand_over(0, b"INVITE", FLOW, 6.5)
    pair.reader.doRead()
    assert pair.received == [(b"INVITE", FLOW, 7.0)]
    assert (pair.sent.handed_over, pair.sent.lost, pair.taken.taken_over) == (1, 0, 1)


def test_frames_that_wait_count_as_lag(pair: Pair) -> None:
    """A worker is behind too where its own listener is idle and its inbox is not."""
    for _ in range(2 * DATAGRAMS_PER_WAKE_UP + 1):
        pair.outboxes.hand_over(0, b"INVITE", FLOW, 6.5)
    pair.reader.doRead()
    assert pair.overload.wait == 0, "the first wake-up cannot know"
    pair.reader.doRead()
    assert pair.overload.wait == 0.5
    pair.reader.doRead()
    assert pair.overload.wait == 0, "emptied"


def test_an_inbox_that_ends_with_a_wake_up_is_emptied(pair: Pair) -> None:
    """Nobody wakes the reader up for nothing: what was measured before would hold until the next frame comes."""
    for _ in range(DATAGRAMS_PER_WAKE_UP + 1):
        pair.outboxes.hand_over(0, b"INVITE", FLOW, 6.5)
    pair.reader.doRead()
    for _ in range(DATAGRAMS_PER_WAKE_UP - 1):
        pair.outboxes.hand_over(0, b"INVITE", FLOW, 6.5)
    pair.reader.doRead()
    assert len(pair.received) == 2 * DATAGRAMS_PER_WAKE_UP
    assert pair.overload.wait == 0


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


STREAM = Flow(*LISTENERS[1], ("10.1.1.23", 40_001), (3 << 32) + 7)


def fill(pair: Pair) -> None:
    """Leave no room in the inbox."""
    while not pair.sent.lost:
        pair.outboxes.hand_over(0, b"x" * 60_000, FLOW, 6.5)
    while pair.outboxes.hand_over(0, b"", FLOW, 6.5):
        pass


def test_what_is_said_arrives_as_what_it_is(pair: Pair) -> None:
    """Only messages for their owner, and for another's connection, are counted."""
    assert pair.outboxes.send(0, b"send", STREAM, 6.5)
    pair.outboxes.undelivered(0, b"unsent", STREAM, 6.5)
    pair.outboxes.closed(STREAM, 6.5)
    pair.outboxes.began(FLOW, 6.5)
    pair.outboxes.offered(STREAM, 5061, 6.5)
    pair.reader.doRead()
    assert pair.matters == [Matter.SEND, Matter.UNDELIVERED, Matter.CLOSED, Matter.BEGAN, Matter.OFFERED]
    assert [data for data, *_ in pair.received] == [b"send", b"unsent", b"", b"\1", b"5061"]
    assert [flow for _, flow, _ in pair.received] == [STREAM, STREAM, STREAM, FLOW, STREAM]
    assert (pair.sent.sent_by_others, pair.sent.handed_over, pair.taken.taken_over, pair.sent.lost) == (1, 0, 0, 0)


def test_nobody_waits_for_a_full_inbox(pair: Pair) -> None:
    """Who has a message is told so; that a connection is gone is told later, and nothing overtakes it."""
    fill(pair)
    assert not pair.outboxes.send(0, b"", STREAM, 6.5)
    pair.outboxes.closed(STREAM, 6.5)
    pair.inbox.reader.recv(LONGEST_FRAME)
    assert not pair.outboxes.hand_over(0, b"", FLOW, 6.5), "the end comes first"
    pair.outboxes.flush()
    assert pair.outboxes.hand_over(0, b"after", FLOW, 6.5)
    while not pair.matters or pair.received[-1][0] != b"after":
        pair.reader.doRead()
    assert pair.matters[-2:] == [Matter.CLOSED, Matter.ARRIVED]


def test_what_must_be_told_is_bounded(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that hangs for ever costs so much memory and no more."""
    monkeypatch.setattr(transport_handover, "MOST_UNTOLD", 10)
    fill(pair)
    before = pair.sent.lost
    for _ in range(30):
        pair.outboxes.closed(STREAM, 6.5)
    assert len(pair.outboxes._untold[0]) == 10
    assert pair.sent.lost == before + 20


def test_nothing_is_cut(pair: Pair) -> None:
    """Our own lines make the largest message larger; beyond that it is refused whole."""
    assert pair.outboxes.send(0, b"x" * (65_535 + 4096), STREAM, 6.5)
    assert not pair.outboxes.send(0, b"x" * (LONGEST_FRAME - 8), STREAM, 6.5)
    pair.reader.doRead()
    assert [len(data) for data, *_ in pair.received] == [65_535 + 4096]


def test_who_is_not_there_gets_nothing(pair: Pair) -> None:
    """A token of a time with more workers; a connection with more names than a frame takes."""
    assert not pair.outboxes.send(7, b"x", STREAM, 6.5)
    many = STREAM._replace(identity=("x" * 5000,))
    assert (pair.outboxes.takes(STREAM), pair.outboxes.takes(many)) == (True, False)
    pair.outboxes.closed(many, 6.5)
    pair.outboxes.offered(many, 1, 6.5)
    pair.reader.doRead()
    assert pair.received == []
