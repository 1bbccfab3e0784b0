"""A UdpListener on a real loopback socket that a test drives by hand."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Any

from proxy.flow import Flow
from proxy.outbox import Outbox
from proxy.transport import UdpListener, open_udp_socket


class HandReactor:
    """Remembers who is watched; nothing happens unless the test says so."""

    def __init__(self) -> None:
        self.readers: set[object] = set()
        self.writers: set[object] = set()
        self.later: list[tuple[float, Callable[[], None]]] = []

    def addReader(self, reader: object) -> None:  # noqa: N802
        self.readers.add(reader)

    def removeReader(self, reader: object) -> None:  # noqa: N802
        self.readers.discard(reader)

    def addWriter(self, writer: object) -> None:  # noqa: N802
        self.writers.add(writer)

    def removeWriter(self, writer: object) -> None:  # noqa: N802
        self.writers.discard(writer)

    def callLater(self, delay: float, callable: Callable[[], None]) -> object:  # noqa: A002, N802
        self.later.append((delay, callable))
        return None


class StubbornSocket:
    """A real socket that fails with the errors that the test queues, one per call."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.errors: list[int] = []
        """Of sendto."""
        self.read_errors: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendto(self, data: bytes, peer: tuple[str, int]) -> int:
        _fail(self.errors)
        return self._sock.sendto(data, peer)

    def recvfrom(self, size: int) -> tuple[bytes, Any]:
        _fail(self.read_errors)
        return self._sock.recvfrom(size)


def _fail(errors: list[int]) -> None:
    if errors:
        code = errors.pop(0)
        raise OSError(code, errno.errorcode[code])


class Bench:
    """One listener, one peer socket, and what arrived and failed."""

    def __init__(self, address: str = "127.0.0.1", outbox: Outbox | None = None) -> None:
        self.reactor = HandReactor()
        self.received: list[tuple[bytes, Flow, float]] = []
        self.failed: list[Exception] = []
        self.handle: Callable[[bytes], None] = lambda data: None
        self.socket = StubbornSocket(open_udp_socket(address, 0))
        self.listener = UdpListener(
            self.reactor,
            self.socket,  # type: ignore[arg-type]
            receive=self._receive,
            clock=lambda: 42.0,
            failed=self.failed.append,
            outbox=outbox,
        )
        self.listener.start()
        self.peer = socket.socket(self.socket.family, socket.SOCK_DGRAM)
        self.peer.bind((address, 0))
        self.peer.settimeout(2)
        self.flow = Flow("UDP", self.listener.address, self.peer.getsockname()[:2])

    def _receive(self, data: bytes, flow: Flow, now: float) -> None:
        self.received.append((data, flow, now))
        self.handle(data)

    def arrive(self, *datagrams: bytes) -> None:
        for data in datagrams:
            self.peer.sendto(data, self.listener.address)
        self.listener.doRead()

    def sent(self) -> bytes:
        return self.peer.recv(65535)

    def close(self) -> None:
        self.listener.close()
        self.peer.close()
