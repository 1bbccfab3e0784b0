"""A UDP relay between Sipveil and one end, which keeps every byte that crosses it.

    phone ── inner │ relay │ outer ── Sipveil ── outer │ relay │ inner ── trunk

To Sipveil the outer socket is the end; to the end the inner socket is Sipveil. Nothing is changed.
"""

from __future__ import annotations

import selectors
import socket
import threading
from typing import NamedTuple

from tests.real.harness import Address


class Wire(NamedTuple):
    """One datagram."""

    outgoing: bool
    """Sent by the end behind the relay."""
    data: bytes


class Relay:
    """Forwards both ways in a thread of its own."""

    def __init__(
        self, name: str, host: str, proxy: Address, end: Address | None = None, *, lossy: bool = False
    ) -> None:
        """Bind both sockets on host; end is learned from its first datagram unless it is given.

        lossy: the first copy of every datagram is lost.
        """
        self.name = name
        self.tape: list[Wire] = []
        self._proxy, self._end, self._lossy = proxy, end, lossy
        self._seen: set[bytes] = set()
        self._outer, self._inner = (self._socket(host) for _ in range(2))
        self.outer: Address = self._outer.getsockname()
        self.inner: Address = self._inner.getsockname()
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _socket(self, host: str) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((host, 0))
        sock.setblocking(False)
        return sock

    @property
    def sent(self) -> list[bytes]:
        """Return what the end has sent."""
        return [wire.data for wire in list(self.tape) if wire.outgoing]

    @property
    def received(self) -> list[bytes]:
        """Return what has come for the end."""
        return [wire.data for wire in list(self.tape) if not wire.outgoing]

    def close(self) -> None:
        """Stop; what is on the tape stays."""
        if self._thread.is_alive():
            self._wake.send(b"x")
            self._thread.join(10)
        for sock in (self._outer, self._inner, self._wake, self._woken):
            sock.close()

    def shown(self) -> tuple[str, str]:
        """Return title and text of the end of the tape."""
        marks = ("\n<<< received\n", "\n>>> sent\n")
        text = "".join(marks[wire.outgoing] + wire.data.decode("utf-8", "replace") for wire in self.tape[-20:])
        return f"tape of {self.name}, last 20 of {len(self.tape)} datagrams", text.replace("\r", "")

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for sock in (self._outer, self._inner, self._woken):
                selector.register(sock, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._woken:
                        return
                    if key.fileobj is self._inner:
                        data, self._end = self._inner.recvfrom(65535)
                        self._forward(data, outgoing=True)
                    else:
                        self._forward(self._outer.recv(65535), outgoing=False)

    def _forward(self, data: bytes, *, outgoing: bool) -> None:
        self.tape.append(Wire(outgoing, data))
        if self._lossy and data not in self._seen:
            self._seen.add(data)
        elif outgoing:
            self._outer.sendto(data, self._proxy)
        elif self._end is not None:
            self._inner.sendto(data, self._end)
