"""A phone on a TCP or TLS connection of its own that a test drives message by message, and that registers."""

from __future__ import annotations

import socket
import ssl

from proxy.framing import PING, Framing
from tests.agents import Agent, Packet
from tests.phones import Phone
from tests.real.desk import Desk
from tests.real.harness import PHONE, Address

DOMAIN = b"sip.example.net"


class StreamPhone(Desk):
    """Connects at once, and again when it is told to."""

    def __init__(self, name: str, proxy: Address, number: bytes, tls: ssl.SSLContext | None = None) -> None:
        """Connect to the proxy; tls: who certifies it."""
        super().__init__(name, PHONE, proxy, number)
        self._tls = tls
        self._transport = b"TLS" if tls is not None else b"TCP"
        self.phone = Phone(self.address, number, call_id=name.encode() + b"@phone")
        self.connect()

    def connect(self) -> None:
        """Make a connection, in place of the one that there was."""
        self._socket.close()
        plain = socket.create_connection(self._proxy, source_address=(PHONE, 0))
        if self._tls is not None:
            self._socket = self._tls.wrap_socket(plain, server_hostname="sip.example.net")
        else:
            self._socket = plain
        self.address = self._socket.getsockname()[:2]
        self.agent = Agent(self.address, self.agent.user, transport=self._transport)
        self.phone.address, self.phone.host = self.address, self.agent.host
        self._framing = Framing(65535)
        self.gone = False

    def send(self, packet: Packet) -> None:
        """Send what an agent has made, by the connection."""
        data = packet.data.replace(b"SIP/2.0/UDP", b"SIP/2.0/" + self._transport, packet.data[:9] == b"REGISTER ")
        super().send(packet._replace(data=data))

    def _send(self, packet: Packet) -> None:
        self._socket.sendall(packet.data)

    def hear(self, seconds: float) -> bool:
        """Wait for bytes, and put the messages that they complete on the tape; tell whether any came."""
        if self.gone or self._socket.fileno() < 0:
            return False
        self._socket.settimeout(max(seconds, 0.001))
        try:
            data = self._socket.recv(65535)
        except TimeoutError:
            return False
        except OSError:
            data = b""
        if not data:
            self.gone = True
            return False
        for message in self._framing.feed(data):
            if message != PING:
                self._heard(message)
        return True

    def has_lost_its_connection(self) -> bool:
        """Look whether the connection has ended."""
        while self.hear(0.01):
            pass
        return self.gone

    def register(self, *headers: bytes, contact: bytes | None = None) -> bytes:
        """Register, and return the 200."""
        self.send(self.phone.register(contact, *headers, uri=b"sip:" + DOMAIN, domain=DOMAIN))
        return self.take(200)
