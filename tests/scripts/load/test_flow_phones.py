"""Phones over connections, against a proxy that this process plays."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from scripts.load import flow_phones, wire
from scripts.load.flow_phones import Phones, open_files


class Far:
    """Answers a REGISTER at once; what else it does a test says."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = self.server.getsockname()
        self.phones = Phones(self.address, ["127.12.0.1", "127.12.0.2"], 0.1, None)

    def take(self) -> socket.socket:
        """Let a phone register, and return its connection."""
        self.phones.begin()
        self.phones.turn(0.5)
        sock, _ = self.server.accept()
        sock.settimeout(1)
        request = sock.recv(65536)
        assert request.startswith(b"REGISTER ")
        sock.send(wire.reply(request, b"200 OK", b"t"))
        self.until(lambda: self.phones.up > 0)
        return sock

    def until(self, look: Callable[[], bool]) -> None:
        end = time.monotonic() + 5
        while not look():
            assert time.monotonic() < end
            self.phones.turn(0.02)


@pytest.fixture
def far() -> Iterator[Far]:
    made = Far()
    yield made
    made.phones.close()
    made.server.close()


def test_pings_and_pongs(far: Far) -> None:
    with far.take() as sock:
        far.until(lambda: bool(far.phones._waiting))
        assert sock.recv(100) == wire.PING
        sock.send(wire.PONG)
        far.until(lambda: len(far.phones.pong_ms) == 1)
        assert 0 <= far.phones.pong_ms[0] < 2000
        assert (far.phones.up, far.phones.lost.total(), len(far.phones.registered_ms)) == (1, 0, 1)
        assert sock.getpeername()[0] == "127.12.0.1"


def test_no_pong(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_phones, "PONG_WITHIN", 0.2)
    with far.take():
        far.until(lambda: far.phones.lost["no pong"] == 1)
        assert far.phones.up == 0


def test_closed(far: Far) -> None:
    far.take().close()
    far.until(lambda: far.phones.lost.total() == 1)
    assert far.phones.up == 0


def test_refused(far: Far) -> None:
    """Nobody listens."""
    far.server.close()
    far.phones.begin()
    far.until(lambda: far.phones.lost["refused"] == 1)


def test_called(far: Far) -> None:
    with far.take() as sock:
        sock.send(b"INVITE sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\nContent-Length: 0\r\n\r\n")
        far.until(lambda: far.phones.calls == 1)
        assert b"SIP/2.0 200 OK" in sock.recv(65536)


def test_open_files() -> None:
    """As many as there may be."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, before[1]), before[1]))
        assert open_files() == before[1]
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
