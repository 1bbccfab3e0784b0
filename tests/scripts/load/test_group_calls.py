"""Callers that remember each call."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from scripts.load import wire
from scripts.load.addresses import PHONE, PROXY, Address, free
from scripts.load.alarm import Alarms
from scripts.load.group_calls import Call, GroupCalls


class Bench:
    def __init__(self) -> None:
        self.far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.far.bind((PROXY, 0))
        self.far.settimeout(0.2)
        self.alarms = Alarms()
        self.calls = GroupCalls([free(PHONE)], self.far.getsockname(), 1.0, 5.0, self.alarms)

    def begin(self) -> Call:
        self.calls.begin(100.0)
        return self.calls.calls[-1]

    def hear(self) -> tuple[bytes, Address]:
        try:
            return self.far.recvfrom(65535)
        except TimeoutError:
            return b"", ("", 0)

    def answer(self, line: bytes, now: float) -> bytes:
        request, source = self.hear()
        contact, route = b"Contact: <sip:gate@way>", b"Record-Route: <sip:p;lr>"
        self.far.sendto(wire.reply(request, line, b"t", contact, route), source)
        self.calls.turn(now)
        return request


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.far.close()
    made.calls.close()


def test_a_call(bench: Bench) -> None:
    call = bench.begin()
    assert bench.answer(b"200 OK", 100.25).startswith(b"INVITE sip:+493050000000@")
    ack = bench.hear()[0]
    assert (ack.startswith(b"ACK sip:gate@way "), wire.value(ack, b"route")) == (True, b"<sip:p;lr>")
    assert (call.state, call.set_up) == ("answered", 0.25)
    bench.alarms.ring(101.3)
    assert call.state == "up"
    assert bench.answer(b"200 OK", 101.4).startswith(b"BYE sip:gate@way ")
    assert (call.state, call.status, bench.calls.done) == ("ended", 200, 1)


def test_silence(bench: Bench) -> None:
    """Repeated until something is heard; in the end the caller gives up."""
    call = bench.begin()
    bench.alarms.ring(100.6)
    assert [bench.hear()[0][:6] for _ in range(3)] == [b"INVITE", b"INVITE", b""]
    for now in (102, 104, 105.1):
        bench.alarms.ring(now)
    assert (call.state, call.status, bench.calls.done) == ("called", 408, 1)


def test_rings_for_ever(bench: Bench) -> None:
    """Not repeated; cancelled in the branch of the INVITE."""
    call = bench.begin()
    invite = bench.answer(b"180 Ringing", 100.1)
    for now in (101, 102, 104, 105.1):
        bench.alarms.ring(now)
    cancel = bench.hear()[0]
    assert cancel.startswith(b"CANCEL ")
    assert wire.value(cancel, b"via") == wire.value(invite, b"via")
    assert (call.state, call.status) == ("rang", 408)


def test_answered_after_all(bench: Bench) -> None:
    """When the caller has given up: taken down at once, and no answered call."""
    call = bench.begin()
    request, source = bench.hear()
    bench.alarms.ring(105.1)
    bench.alarms.ring(106)
    assert bench.hear()[0].startswith(b"CANCEL ")
    bench.far.sendto(wire.reply(request, b"200 OK", b"t", b"Contact: <sip:gate@way>"), source)
    bench.calls.turn(106.1)
    assert [bench.hear()[0][:4] for _ in range(2)] == [b"ACK ", b"BYE "]
    assert (call.state, call.status, call.answered) == ("called", 408, 0)


def test_refused(bench: Bench) -> None:
    call = bench.begin()
    bench.answer(b"503 Service Unavailable", 100.1)
    assert bench.hear()[0].startswith(b"ACK sip:+4930")
    assert (call.state, call.status, bench.calls.done) == ("called", 503, 1)


def test_a_bye_that_nobody_answers(bench: Bench) -> None:
    call = bench.begin()
    bench.answer(b"200 OK", 100.1)
    for now in (101.2, 103, 106, 110, 115):
        bench.alarms.ring(now)
    assert (call.state, call.status, bench.calls.done) == ("up", 408, 1)


def test_where_it_was_seen(bench: Bench) -> None:
    """Each trunk once, however often it got the INVITE."""
    call = bench.begin()
    for trunk, now in (("first", 100.1), ("first", 100.6), ("second", 105)):
        bench.calls.seen(0, trunk, now)
    assert call.seen == [("first", 100.1), ("second", 105)]
