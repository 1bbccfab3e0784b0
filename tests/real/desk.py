"""One SIP end on a real UDP socket, for tests that choose every byte: messages are those of tests/agents.py.

What has come stays on the tape; `take` looks for a kind of message and does not mind repetitions of others.
"""

from __future__ import annotations

import socket

import pytest

from tests.agents import Agent, Packet, read
from tests.ladder import What, kind
from tests.real.harness import Address, now

PATIENCE = 5.0
"""Seconds to wait for a message."""


class Desk:
    """A phone, a trunk or a registrar that a test drives message by message."""

    def __init__(self, name: str, host: str, proxy: Address, user: bytes, display: bytes = b"") -> None:
        """Bind a free port of host."""
        self._name, self._proxy = name, proxy
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self.address: Address = self._socket.getsockname()[:2]
        shown = b"[%b]:%d" % (host.encode(), self.address[1]) if ":" in host else b""
        self.agent = Agent(self.address, user, display, host=shown)
        self._start_empty()

    def _start_empty(self) -> None:
        self.sent: list[bytes] = []
        self.received: list[bytes] = []
        self._unread: list[bytes] = []
        self._answered: set[bytes] = set()
        self._asked: dict[bytes, Packet] = {}

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def shown(self) -> tuple[str, str]:
        """Return title and text of the tape, what nobody has waited for included."""
        self._drain()
        text = "".join(f"\n--- received\n{data.decode('utf-8', 'replace')}" for data in self.received)
        return f"tape of {self._name}", text.replace("\r", "")

    def send(self, packet: Packet) -> None:
        """Send what an agent has made."""
        self.sent.append(packet.data)
        if isinstance(kind(packet.data), int):
            self._answered.add(_transaction(packet.data))
        else:
            self._asked[_transaction(packet.data)] = packet
        self._send(packet)

    def _send(self, packet: Packet) -> None:
        self._socket.sendto(packet.data, self._proxy)

    def take(self, what: What, seconds: float = PATIENCE) -> bytes:
        """Return the first message of that method or status that nobody has taken; fail when none comes."""
        end = now() + seconds
        while True:
            for place, data in enumerate(self._unread):
                if kind(data) == what:
                    return self._unread.pop(place)
            if not self.hear(end - now()):
                pytest.fail(f"{self._name} received no {what!r}")

    def hear(self, seconds: float) -> bool:
        """Wait for a datagram and put it on the tape; tell whether one came."""
        if self._socket.fileno() < 0:
            return False
        self._socket.settimeout(max(seconds, 0.001))
        try:
            data = self._socket.recv(65535)
        except TimeoutError:
            return False
        self._heard(data)
        return True

    def _heard(self, data: bytes) -> None:
        self.received.append(data)
        self._unread.append(data)

    def settle(self) -> None:
        """End what is still open, so that nothing of it is repeated into the next test, and forget what came."""
        self._drain()
        for data in self.received:
            what, asked = kind(data), self._asked.get(_transaction(data))
            if isinstance(what, int):
                if what >= 300 and asked is not None and kind(asked.data) == b"INVITE":
                    self.send(self.agent.ack_failure(asked, data))
            elif what != b"ACK" and _transaction(data) not in self._answered:
                self.send(self.agent.answer(data, 486 if what == b"INVITE" else 200, tag=b"end"))
        self._drain()
        self._unread.clear()

    def _drain(self) -> None:
        while self.hear(0.02):
            pass


def _transaction(data: bytes) -> bytes:
    """Return what a response has in common with its request (RFC 3261 §17.1.3)."""
    message = read(data)
    return message.items(b"via")[0].partition(b"branch=")[2].partition(b";")[0] + message.items(b"cseq")[0]
