"""A trunk of a group that can be killed, and that can swallow all it gets, as one behind a router that drops does."""

from __future__ import annotations

import math
import re
import socket
from collections.abc import Callable

from scripts.load import wire
from scripts.load.accounts import NUMBER
from scripts.load.addresses import Address
from scripts.load.alarm import Alarms

DIALLED = "+49305"
"""What the number begins with that a call dials; its own number, of seven digits, follows."""
_CALL = re.compile(rb"^[A-Z]+ sip:\+?49305(\d{7})@")
T1, T2 = 0.5, 4.0
LAST = 16.0
"""Seconds for which an answer is repeated until its ACK comes (RFC 3261 §13.3.1.4 has 32)."""


class GroupTrunk:
    """UDP on an address of its own; `seen` is told of each INVITE, with call, trunk's name and time."""

    def __init__(
        self, name: str, address: Address, ring: float, alarms: Alarms, seen: Callable[[int, str, float], None]
    ) -> None:
        """Bind it; ring: seconds from 180 to 200."""
        self.name, self.address, self._ring, self._alarms, self._seen = name, address, ring, alarms, seen
        self.swallows = False
        self.went = math.inf
        """When it went, monotonic seconds: to the event, for a call may come to it after the time that was planned."""
        self.leaks = 0
        """Messages that had the caller's number in them."""
        self.asked = 0
        """OPTIONS that came."""
        self.sock: socket.socket | None = None
        self._legs: dict[bytes, bytes] = {}
        """Branch of an INVITE → the answer that waits for its ACK; empty: it has come."""
        self.begin()

    def begin(self) -> socket.socket:
        """Be there: as a new process, which knows nothing of what the former one did."""
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.sock.bind(self.address)
        self.sock.setblocking(False)
        self._legs = {}
        return self.sock

    def kill(self, now: float) -> None:
        """Be gone, as a process that got SIGKILL: from now on its port is closed."""
        self.went = now
        self.close()

    def swallow(self, now: float) -> None:
        """Get everything, and do nothing."""
        self.went = now
        self.swallows = True

    def close(self) -> None:
        """Close its port."""
        if self.sock is not None:
            self.sock.close()
        self.sock = None

    def turn(self, now: float) -> None:
        """Go on with what has come."""
        while self.sock is not None:
            try:
                message, source = self.sock.recvfrom(65535)
            except BlockingIOError:
                return
            self._hear(message, source, now)

    def _hear(self, message: bytes, source: Address, now: float) -> None:
        self.leaks += NUMBER.encode() in message
        called = _CALL.match(message)
        if message.startswith(b"INVITE ") and called:
            self._seen(int(called[1]), self.name, now)
        if self.swallows:
            return
        if message.startswith(b"INVITE "):
            self._invite(message, source, now)
        elif message.startswith(b"ACK "):
            self._legs[wire.value(message, b"to").rpartition(b";tag=")[2]] = b""
        elif not wire.status(message):
            self.asked += message.startswith(b"OPTIONS ")
            self._say(wire.reply(message, b"200 OK", b"t"), source)

    def _invite(self, message: bytes, source: Address, now: float) -> None:
        tag = b"g" + wire.value(message, b"via").partition(b"branch=")[2].partition(b";")[0][-12:]
        contact = b"Contact: <sip:gateway@%b:%d>" % (self.address[0].encode(), self.address[1])
        if tag in self._legs:
            self._say(self._legs[tag], source)
            return
        self._say(wire.reply(message, b"180 Ringing", tag, contact), source)
        self._legs[tag] = wire.reply(message, b"200 OK", tag, contact)
        self._alarms.at(now + self._ring, lambda at: self._answer(self.sock, tag, source, at, T1))

    def _answer(self, sock: socket.socket | None, tag: bytes, source: Address, now: float, wait: float) -> None:
        """Answer, again and again until there is an ACK, as long as this is the process that it came to."""
        answer = self._legs.get(tag)
        if sock is None or sock is not self.sock or not answer or wait > LAST:
            return
        self._say(answer, source)
        self._alarms.at(now + wait, lambda at: self._answer(sock, tag, source, at, wait * 2))

    def _say(self, message: bytes, to: Address) -> None:
        if message and self.sock is not None and not self.swallows:
            self.sock.sendto(message, to)
