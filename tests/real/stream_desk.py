"""A SIP end over connections, for tests that choose every byte: a phone that connects, or a trunk that waits."""

from __future__ import annotations

import re
import select
import socket
import ssl
from contextlib import suppress

from tests.agents import Agent, Packet
from tests.real.desk import Desk
from tests.real.harness import Address, now

_LENGTH = re.compile(rb"\r\ncontent-length[ \t]*:[ \t]*([0-9]+)", re.IGNORECASE)


class StreamDesk(Desk):
    """A desk on TCP or TLS; what it sends leaves by the connection over which something came last."""

    def __init__(
        self, name: str, host: str, user: bytes, *, proxy: Address | None = None, context: ssl.SSLContext | None = None,
        asks_for: str | None = None,
    ) -> None:  # fmt: skip
        """Connect to proxy from host, or, without a proxy, wait there for whoever connects.

        context: of TLS; asks_for: the name in SNI, which is checked where the context checks names.
        """
        self._name, self._context = name, context
        self._start_empty()
        self._buffers: dict[socket.socket, bytes] = {}
        self._latest: socket.socket | None = None
        self.opened = 0
        self._door: socket.socket | None = None
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        if proxy is None:
            self._door = socket.create_server((host, 0), family=family)
            self.address: Address = self._door.getsockname()[:2]
        else:
            plain = socket.create_connection(proxy, timeout=5, source_address=(host, 0))
            self._take(plain if context is None else context.wrap_socket(plain, server_hostname=asks_for))
            self.address = plain.getsockname()[:2] if context is None else self._open[0].getsockname()[:2]
        shown = b"[%b]" % host.encode() if ":" in host else host.encode()
        transport = b"TCP" if context is None else b"TLS"
        host_port = b"%b:%d;transport=%b" % (shown, self.address[1], b"tcp" if context is None else b"tls")
        self.agent = Agent(self.address, user, transport=transport, host=host_port)

    @property
    def _open(self) -> list[socket.socket]:
        return list(self._buffers)

    def close(self) -> None:
        """Close all; safe to call twice, and what has come is shown all the same."""
        self.hang_up()
        if self._door is not None:
            self._door.close()
            self._door = None

    def hang_up(self) -> None:
        """Close all connections; whoever waits for some goes on waiting."""
        for each in self._open:
            del self._buffers[each]
            each.close()

    def put(self, data: bytes) -> None:
        """Send bytes, whatever they are."""
        assert self._latest is not None, f"nobody is connected to {self._name}"
        self._latest.sendall(data)

    def _send(self, packet: Packet) -> None:
        self.put(packet.data)

    def hear(self, seconds: float) -> bool:
        """Wait for a message and put it on the tape; tell whether one came."""
        end = now() + seconds
        while True:
            hidden = [each for each in self._open if isinstance(each, ssl.SSLSocket) and each.pending()]
            waited = [*self._open, *([self._door] if self._door is not None else [])]
            ready = hidden or select.select(waited, (), (), max(end - now(), 0.001))[0]
            if any(self._accept() if each is self._door else self._read(each) for each in ready):
                return True
            if now() >= end or not (self._open or self._door):
                return False

    def _accept(self) -> bool:
        assert self._door is not None
        with suppress(OSError):  # who does not like our certificate
            plain, _ = self._door.accept()
            plain.settimeout(5)
            self._take(plain if self._context is None else self._context.wrap_socket(plain, server_side=True))
        return False

    def ended(self, seconds: float = 5.0) -> bool:
        """Tell whether the far end has closed every connection within so many seconds."""
        while self._open and select.select(self._open, (), (), seconds)[0]:
            self.hear(0)
        return not self._open

    def _take(self, connection: socket.socket) -> None:
        self.opened += 1
        self._buffers[connection] = b""
        self._latest = connection

    def _read(self, connection: socket.socket) -> bool:
        try:
            data = connection.recv(65_536)
        except OSError:
            data = b""
        if not data:
            del self._buffers[connection]
            connection.close()
            return False
        buffer = self._buffers[connection] + data
        self._latest = connection
        found = False
        while (whole := _whole(buffer := buffer.lstrip(b"\r\n"))) and len(buffer) >= whole:
            self._heard(buffer[:whole])
            buffer, found = buffer[whole:], True
        self._buffers[connection] = buffer
        return found


def _whole(buffer: bytes) -> int:
    """Return the size of the message at the start, 0 while its headers are not complete."""
    head, end, _ = buffer.partition(b"\r\n\r\n")
    if not end:
        return 0
    length = _LENGTH.search(head)
    return len(head) + 4 + (int(length[1]) if length else 0)
