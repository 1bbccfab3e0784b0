"""Connections on the running reactor for tests: a table, a core that remembers, and clients on plain sockets."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.task import deferLater

from config.streams_section import Streams as Bounds
from proxy.flow import Flow
from proxy.transport_stream import Acceptor, Streams, open_stream_socket
from proxy.transport_tls import Tls

reactor: Any = _reactor
MESSAGE = b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 3\r\n\r\nabc"


class RememberingCore:
    """Keeps what it is told, in order."""

    def __init__(self) -> None:
        self.received: list[tuple[bytes, Flow]] = []
        self.lost: list[tuple[Flow, bytes]] = []
        self.ended: list[Flow] = []
        self.silent: dict[tuple[str, int], float] = {}
        """How long a peer may be silent."""
        self.broken: list[tuple[bytes, int, str]] = []
        self.on_receive: Callable[[bytes, Flow], object] = lambda data, flow: None
        self.on_broken: Callable[[Flow], object] = lambda flow: None
        self.on_lost: Callable[[Flow, bytes], object] = lambda flow, data: None

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        self.received.append((data, flow))
        self.on_receive(data, flow)

    def undelivered(self, flow: Flow, data: bytes, now: float) -> None:
        self.lost.append((flow, data))
        self.on_lost(flow, data)

    def closed(self, flow: Flow, now: float) -> None:
        self.ended.append(flow)

    def unframed(self, data: bytes, flow: Flow, code: int, why: str) -> None:
        self.broken.append((data, code, why))
        self.on_broken(flow)

    def silence(self, flow: Flow) -> float:
        return self.silent.get(flow.peer, 0.0)

    @property
    def messages(self) -> list[bytes]:
        return [data for data, _ in self.received]


class Bench:
    """A table of connections with one listener."""

    def __init__(
        self, address: str = "127.0.0.1", transport: str = "TCP", tls: Tls | None = None, *, most: int = 65_535,
        trusted: Callable[[str], bool] = lambda host: False, **bounds: Any,
    ) -> None:  # fmt: skip
        self.core = RememberingCore()
        self.counts: Counter[str] = Counter()
        self.failed: list[Exception] = []
        self.skew = 0.0
        """Seconds by which the clock of the table goes ahead."""
        self.streams = Streams(
            reactor, Bounds(**bounds), most, self.core, clock=lambda: time.monotonic() + self.skew,
            failed=self.failed.append, count=self._count, trusted=trusted,
        )  # fmt: skip
        self.acceptor = Acceptor(self.streams, open_stream_socket(address, 0), transport, tls)
        self.address = self.acceptor.address
        self.clients: list[socket.socket] = []

    def listen(self, factory: Any = None) -> Bench:
        self.streams.listen(self.acceptor, factory)
        return self

    def _count(self, name: str, label: str) -> None:
        self.counts[f"{name} {label}"] += 1

    def client(self) -> socket.socket:
        """Return a client that is connected, as far as the kernel is concerned."""
        sock = socket.create_connection(self.address, timeout=5)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is sent is there at once
        self.clients.append(sock)
        return sock

    def flow(self, peer: tuple[str, int], identity: tuple[str, ...] = ()) -> Flow:
        """Return the flow for whichever connection of ours leads to peer."""
        return Flow(self.acceptor.transport, self.address, peer, 0, identity)

    def look(self, seconds: float) -> None:
        """Let the table believe that time has passed, and look at its connections."""
        self.skew += seconds
        self.streams._look()

    async def until(self, what: Callable[[], Any], seconds: float = 5.0) -> Any:
        """Wait for something to become true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = what()
            if found:
                return found
            await deferLater(reactor, 0.002)
        raise AssertionError("did not happen in time")

    async def reads(self, sock: socket.socket, size: int) -> bytes:
        """Read so many bytes, or until the end."""
        data = b""

        def more() -> bool:
            nonlocal data
            try:
                got = sock.recv(size - len(data))
            except BlockingIOError:
                return False
            data += got
            return not got or len(data) >= size

        await self.until(more)
        return data

    async def ended(self, sock: socket.socket) -> bytes:
        """Read until the far end closes; a reset is an end too."""
        data = b""

        def over() -> bool:
            nonlocal data
            try:
                got = sock.recv(65_536)
            except BlockingIOError:
                return False
            except ConnectionResetError:
                return True
            data += got
            return not got

        await self.until(over)
        return data

    async def settle(self) -> None:
        """Let a few turns of the reactor pass."""
        for _ in range(5):
            await deferLater(reactor, 0.002)

    async def close(self) -> None:
        await self.streams.close()
        for sock in self.clients:
            sock.close()
        assert len(self.streams) == 0
        assert self.failed == []
