"""Callers whose every call is remembered by itself: when it began, what it heard, at which trunks it was seen."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

from scripts.load import wire
from scripts.load.accounts import NUMBER
from scripts.load.addresses import Address
from scripts.load.alarm import Alarms
from scripts.load.config import REALM
from scripts.load.group_trunk import DIALLED, T1, T2

SUBSCRIBERS = 5000
LEAVE_WITHIN = 10.0
"""Seconds that a BYE may be without an answer."""
HEAD = """\
{method} {uri} SIP/2.0
Via: SIP/2.0/UDP {own[0]}:{own[1]};branch=z9hG4bKg{call}{branch};rport
{routes}Max-Forwards: 70
From: <sip:{number}{subscriber:08}@{realm}>;tag=g{call}
To: {to}
Call-ID: group-{call}@{own[0]}
CSeq: {cseq} {method}
Contact: <sip:{number}{subscriber:08}@{own[0]}:{own[1]}>
Content-Length: 0

"""


@dataclass(slots=True)
class Call:
    """One call, in monotonic seconds."""

    number: int
    began: float
    heard: bool = False
    """Whether anything was answered."""
    rang: float = 0.0
    answered: float = 0.0
    left: float = 0.0
    """When the BYE went out."""
    ended: float = 0.0
    status: int = 0
    """Of its final answer; 408: none came."""
    seen: list[tuple[str, float]] = field(default_factory=list)
    """At which trunks its INVITE arrived, and when; what comes to a closed port nobody sees."""
    to: str = ""
    target: str = ""
    routes: str = ""

    @property
    def state(self) -> str:
        """Return how far it came."""
        if self.left:
            return "up" if not self.ended else "ended"
        if self.answered:
            return "answered"
        return "rang" if self.rang else "called"

    @property
    def set_up(self) -> float:
        """Return the seconds from INVITE to 200."""
        return self.answered - self.began


class GroupCalls:
    """Callers at several addresses."""

    def __init__(self, hosts: list[Address], proxy: Address, talk: float, patience: float, alarms: Alarms) -> None:
        """Bind them; talk: seconds from ACK to BYE; patience: seconds until a caller gives up."""
        self._proxy, self._talk, self._patience, self._alarms = proxy, talk, patience, alarms
        self.socks = []
        self._own = hosts
        for host in hosts:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            sock.bind(host)
            sock.setblocking(False)
            self.socks.append(sock)
        self.calls: list[Call] = []
        self.done = 0

    def begin(self, now: float) -> None:
        """Make another call."""
        call = Call(len(self.calls), now)
        self.calls.append(call)
        self._invite(call, now, T1)

    def seen(self, number: int, trunk: str, now: float) -> None:
        """Note that a call's INVITE has arrived at a trunk."""
        call = self.calls[number]
        if not call.seen or call.seen[-1][0] != trunk:
            call.seen.append((trunk, now))

    def turn(self, now: float) -> None:
        """Go on with what has come."""
        for sock in self.socks:
            while True:
                try:
                    message = sock.recv(65535)
                except BlockingIOError:
                    break
                self._hear(message, now)

    def close(self) -> None:
        """Close all."""
        for sock in self.socks:
            sock.close()

    def _invite(self, call: Call, now: float, wait: float) -> None:
        """Send the INVITE until something is answered (RFC 3261 §17.1.1.2), and give up in the end."""
        if call.answered or call.status:
            return
        if now >= call.began + self._patience:
            self._say("CANCEL", call, 1)
            self._end(call, 408)
            return
        if not call.heard:
            self._say("INVITE", call, 1)
        again = min(now + wait, call.began + self._patience)
        self._alarms.at(again, lambda at: self._invite(call, at, wait * 2))

    def _leave(self, call: Call, now: float, wait: float) -> None:
        """Send BYE until it is answered, and give up in the end."""
        if call.ended or call.status >= 300:
            return
        call.left = call.left or now
        if now >= call.left + LEAVE_WITHIN:
            self._end(call, 408)
            return
        self._say("BYE", call, 2)
        self._alarms.at(now + wait, lambda at: self._leave(call, at, min(wait * 2, T2)))

    def _end(self, call: Call, status: int) -> None:
        if not call.status:
            self.done += 1
            call.status = status

    def _hear(self, message: bytes, now: float) -> None:
        code, call_id = wire.status(message), wire.value(message, b"call-id")
        if not code or not call_id.startswith(b"group-"):
            return
        call, method = self.calls[int(call_id[6:].partition(b"@")[0])], wire.value(message, b"cseq").split()[-1]
        if method == b"BYE" and code >= 200:
            if code < 300:
                call.ended = call.ended or now
            self._end(call, code)
        elif method == b"INVITE" and code >= 300:
            call.to = wire.value(message, b"to").decode()
            self._say("ACK", call, 1)
            self._end(call, code)
        elif method == b"INVITE" and code >= 200:
            self._answered(call, message, now)
        elif method == b"INVITE":
            call.heard = True
            call.rang = call.rang or (now if code == 180 else 0.0)

    def _answered(self, call: Call, message: bytes, now: float) -> None:
        late, first = bool(call.status) and not call.answered, not call.answered
        if not late:
            call.answered = call.answered or now
        call.to = wire.value(message, b"to").decode()
        call.target = wire.uri_in(wire.value(message, b"contact")).decode()
        routes = reversed(wire.values(message, b"record-route"))
        call.routes = "".join(f"Route: {each.decode()}\n" for each in routes)
        self._say("ACK", call, 1)
        if late:  # the caller has given up: nobody is there
            self._say("BYE", call, 2)
        elif first:
            self._alarms.at(now + self._talk, lambda at: self._leave(call, at, T1))

    def _say(self, method: str, call: Call, cseq: int) -> None:
        uri = call.target or f"sip:{DIALLED}{call.number:07}@{self._proxy[0]}:{self._proxy[1]}"
        place = call.number % len(self.socks)
        # CANCEL and the ACK of a refusal have the branch of their INVITE; others one of their own.
        branch = method if call.target else "INVITE"
        text = HEAD.format(
            method=method, uri=uri, own=self._own[place], call=call.number, branch=branch, routes=call.routes,
            number=NUMBER, subscriber=call.number % SUBSCRIBERS, realm=REALM, to=call.to or f"<{uri}>", cseq=cseq,
        )  # fmt: skip
        self.socks[place].sendto(text.replace("\n", "\r\n").encode(), self._proxy)
