"""Phones behind TCP or TLS connections, thousands in one thread: each registers, pings, and answers who calls it.

A flow is lost when its connection ends, or when no pong comes within ten seconds (RFC 5626 §4.4.1).
"""

from __future__ import annotations

import resource
import select
import socket
import ssl
import time
from collections import Counter, deque

from scripts.load import wire
from scripts.load.addresses import Address
from scripts.load.registering import answer, nonce_of, register

PONG_WITHIN = 10.0
"""Seconds (RFC 5626 §4.4.1)."""
NO_PORT_YET = 24
"""IP_BIND_ADDRESS_NO_PORT (ip(7)): the port is chosen when the far end is known, so addresses have all ports each."""
RESERVED_FILES = 100
"""Of this process, beside the flows'."""


def open_files() -> int:
    """Raise the limit of open files as far as it goes, and return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else 1 << 30


class Flow:
    """One phone's connection."""

    __slots__ = ("asked", "began", "buffer", "own", "phone", "pinged", "sock", "up")

    def __init__(self, phone: int, sock: socket.socket, began: float) -> None:
        """Begin to connect."""
        self.phone, self.sock, self.began = phone, sock, began
        self.own: Address = ("", 0)
        self.buffer = bytearray()
        self.up = self.asked = False
        self.pinged = 0.0
        """When the ping went out that waits for its pong; 0: none does."""


class Phones:
    """All of them; `turn` makes them go on."""

    def __init__(self, proxy: Address, hosts: list[str], keep_alive: float, tls: ssl.SSLContext | None) -> None:
        """Say where the proxy is, from which addresses phones connect in turn, and how often they ping (seconds)."""
        self.proxy, self._hosts, self._keep_alive, self._tls = proxy, hosts, keep_alive, tls
        self.transport = "TLS" if tls else "TCP"
        self._poll = select.epoll()
        self._flows: dict[int, Flow] = {}
        self._due: deque[tuple[float, Flow]] = deque()
        self._waiting: deque[Flow] = deque()
        """Whose pong is not here yet, in the order of their pings."""
        self.begun = self.up = self.calls = 0
        self.lost: Counter[str] = Counter()
        """Why flows ended → how many."""
        self.registered_ms: list[float] = []
        """From connect to the 200 of the REGISTER."""
        self.pong_ms: list[float] = []

    def watch(self, sock: socket.socket) -> None:
        """Let `turn` come back when something can be read from a socket that is not a phone's."""
        self._poll.register(sock.fileno(), select.EPOLLIN)

    @property
    def registering(self) -> int:
        """Return how many have begun and are neither registered nor lost."""
        return len(self._flows) - self.up

    def begin(self) -> None:
        """Let one more phone connect and register."""
        phone = self.begun
        self.begun += 1
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        sock.setsockopt(socket.IPPROTO_IP, NO_PORT_YET, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((self._hosts[phone % len(self._hosts)], 0))
        sock.connect_ex(self.proxy)
        flow = Flow(phone, sock, time.monotonic())
        self._flows[sock.fileno()] = flow
        self._poll.register(sock.fileno(), select.EPOLLOUT)

    def turn(self, wait: float) -> None:
        """Do what there is to do, and wait so many seconds for more at most."""
        for number, events in self._poll.poll(wait, 1024):
            flow = self._flows.get(number)
            if flow is not None:
                try:
                    self._go_on(flow, events)
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
                    continue
                except OSError as error:
                    self._end(flow, "refused" if not flow.up else type(error).__name__)
        self._ping(time.monotonic())

    def close(self) -> None:
        """End all."""
        for flow in self._flows.values():
            flow.sock.close()
        self._flows.clear()
        self._poll.close()

    def _go_on(self, flow: Flow, events: int) -> None:
        if not flow.asked:
            self._greet(flow)
        if events & select.EPOLLIN:
            more = True
            while more:  # what OpenSSL has read already wakes nobody up
                data = flow.sock.recv(65536)
                if not data:
                    self._end(flow, "closed by the proxy")
                    return
                flow.buffer += data
                more = isinstance(flow.sock, ssl.SSLSocket) and flow.sock.pending() > 0
            for message in wire.cut(flow.buffer):
                self._hear(flow, message)

    def _greet(self, flow: Flow) -> None:
        """Register, as soon as the connection is there."""
        if flow.own == ("", 0):
            error = flow.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, "not connected")
            flow.own = flow.sock.getsockname()
            self._poll.modify(flow.sock.fileno(), select.EPOLLIN)
            if self._tls is not None:
                self._secure(flow, self._tls)
        if isinstance(flow.sock, ssl.SSLSocket):
            flow.sock.do_handshake()
        flow.asked = True
        flow.sock.send(register(flow.phone, self.transport, flow.own))

    def _secure(self, flow: Flow, tls: ssl.SSLContext) -> None:
        number = flow.sock.fileno()
        self._poll.unregister(number)
        flow.sock = tls.wrap_socket(flow.sock, do_handshake_on_connect=False)
        self._poll.register(flow.sock.fileno(), select.EPOLLIN)

    def _hear(self, flow: Flow, message: bytes) -> None:
        if message == wire.PONG:
            if flow.pinged:
                self.pong_ms.append((time.monotonic() - flow.pinged) * 1000)
                flow.pinged = 0.0
        elif not wire.status(message):
            self.calls += message.startswith(b"INVITE ")
            said = answer(message, flow.phone, self.transport, flow.own)
            if said:
                flow.sock.send(said)
        elif wire.status(message) == 401:
            flow.sock.send(register(flow.phone, self.transport, flow.own, nonce_of(message)))
        elif wire.status(message) == 200 and not flow.up:
            flow.up = True
            self.up += 1
            now = time.monotonic()
            self.registered_ms.append((now - flow.began) * 1000)
            self._due.append((now + self._keep_alive, flow))
        elif wire.status(message) >= 300:
            self._end(flow, f"answer {wire.status(message)}")

    def _ping(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            _, flow = self._due.popleft()
            if flow.sock.fileno() < 0:
                continue
            self._due.append((now + self._keep_alive, flow))
            if flow.pinged:
                continue  # the former one is waited for still
            try:
                flow.sock.send(wire.PING)
            except OSError as error:
                self._end(flow, type(error).__name__)
                continue
            flow.pinged = now
            self._waiting.append(flow)
        while self._waiting and (not self._waiting[0].pinged or now - self._waiting[0].pinged > PONG_WITHIN):
            flow = self._waiting.popleft()
            if flow.pinged and now - flow.pinged > PONG_WITHIN and flow.sock.fileno() >= 0:
                self._end(flow, "no pong")

    def _end(self, flow: Flow, why: str) -> None:
        self.lost[why] += 1
        self.up -= flow.up
        self._flows.pop(flow.sock.fileno(), None)
        flow.sock.close()
