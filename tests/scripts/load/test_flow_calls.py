"""A trunk that calls phones."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from scripts.load import wire
from scripts.load.addresses import PROXY, TRUNK, free
from scripts.load.flow_calls import FlowCalls


@pytest.fixture
def far() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((PROXY, 0))
        sock.settimeout(1)
        yield sock


@pytest.fixture
def calls(far: socket.socket) -> Iterator[FlowCalls]:
    made = FlowCalls(free(TRUNK), far.getsockname())
    yield made
    made.sock.close()


def answer(far: socket.socket, calls: FlowCalls, line: bytes, *more: bytes) -> bytes:
    request, source = far.recvfrom(65535)
    far.sendto(wire.reply(request, line, b"t", *more), source)
    calls.turn()
    return request


def test_a_call(far: socket.socket, calls: FlowCalls) -> None:
    """INVITE, 200, ACK and BYE by the route set, 200."""
    calls.call(7)
    routes = b"Record-Route: <sip:a;lr>", b"Record-Route: <sip:b;lr>"
    invite = answer(far, calls, b"200 OK", b"Contact: <sip:phone@there>", *routes)
    assert invite.startswith(b"INVITE sip:+4915100000007@")
    ack = far.recv(65535)
    assert ack.startswith(b"ACK sip:phone@there SIP/2.0\r\n")
    assert wire.values(ack, b"route") == [b"<sip:b;lr>", b"<sip:a;lr>"]
    assert answer(far, calls, b"200 OK").startswith(b"BYE sip:phone@there ")
    assert (calls.answered, calls.ended, calls.refused) == (1, 1, {})


def test_a_refusal(far: socket.socket, calls: FlowCalls) -> None:
    calls.call(7)
    answer(far, calls, b"480 Temporarily Unavailable")
    assert (calls.answered, calls.ended, calls.refused) == (0, 0, {480: 1})
