"""A trunk that calls phones, one after the other, to see whether they are still reached (over UDP)."""

from __future__ import annotations

import socket

from scripts.load import wire
from scripts.load.accounts import number_of
from scripts.load.addresses import Address

HEAD = """\
{method} {uri} SIP/2.0
Via: SIP/2.0/UDP {own[0]}:{own[1]};branch=z9hG4bKf{phone}{method};rport
{routes}Max-Forwards: 70
From: <sip:+493012345678@carrier.example>;tag=f{phone}
To: {to}
Call-ID: flow-{phone}@{own[0]}
CSeq: {cseq} {method}
Contact: <sip:gateway@{own[0]}:{own[1]}>
Content-Length: 0

"""


class FlowCalls:
    """The calls of a trunk at an address of its own."""

    def __init__(self, own: Address, proxy: Address) -> None:
        """Bind it."""
        self._own, self._proxy = own, proxy
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(own)
        self.sock.setblocking(False)
        self.answered = 0
        self.ended = 0
        self.refused: dict[int, int] = {}
        """Status code → how many calls."""

    def call(self, phone: int) -> None:
        """Call a phone by its number."""
        uri = f"sip:{number_of(phone)}@{self._proxy[0]}:{self._proxy[1]}"
        self._say("INVITE", uri, f"<{uri}>", phone, 1)

    def turn(self) -> None:
        """Go on with what has come."""
        while True:
            try:
                self._hear(self.sock.recv(65535))
            except BlockingIOError:
                return

    def _hear(self, message: bytes) -> None:
        code, call_id = wire.status(message), wire.value(message, b"call-id")
        if code < 200 or not call_id.startswith(b"flow-"):
            return
        phone = int(call_id[5:].partition(b"@")[0])
        to = wire.value(message, b"to").decode()
        if wire.value(message, b"cseq").endswith(b"BYE"):
            self.ended += 1
        elif code >= 300:
            self.refused[code] = self.refused.get(code, 0) + 1
        else:
            self.answered += 1
            uri = wire.uri_in(wire.value(message, b"contact")).decode()
            # RFC 3261 §12.1.2: the route set is the list, reversed.
            routes = [each.decode() for each in reversed(wire.values(message, b"record-route"))]
            self._say("ACK", uri, to, phone, 1, *routes)
            self._say("BYE", uri, to, phone, 2, *routes)

    def _say(self, method: str, uri: str, to: str, phone: int, cseq: int, *routes: str) -> None:
        lines = "".join(f"Route: {each}\n" for each in routes)
        text = HEAD.format(method=method, uri=uri, own=self._own, phone=phone, routes=lines, to=to, cseq=cseq)
        self.sock.sendto(text.replace("\n", "\r\n").encode(), self._proxy)
