"""Two SIP ends that a test drives step by step, on sockets of their own, while Sipveil comes and goes."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.real import leaks
from tests.real.dialogs import faults
from tests.real.harness import NO_KEYS, PHONE, TRUNK, Address, Lab, Sipveil, now
from tests.real.relay import Wire
from tests.real.sip import Message, param, target, wire

PATIENCE = 5.0
"""Seconds to wait for a message: time for a few of Sipveil's retransmissions."""


@dataclass
class Dialog:
    """What an end knows of a call (RFC 3261 §12)."""

    call_id: str
    own: str
    other: str
    target: str
    routes: Sequence[str]
    cseq: int

    @classmethod
    def of_caller(cls, response: Message) -> Dialog:
        """Return what the caller knows from a response."""
        routes = tuple(reversed(response.values("record-route")))
        own, other = response.value("from"), response.value("to")
        return cls(response.call_id, own, other, target(response.value("contact")), routes, 1)

    @classmethod
    def of_callee(cls, invite: Message, tag: str) -> Dialog:
        """Return what the callee knows from the INVITE."""
        own, other = f"{invite.value('to')};tag={tag}", invite.value("from")
        routes = invite.values("record-route")
        return cls(invite.call_id, own, other, target(invite.value("contact")), routes, 100)


class End:
    """A phone or a trunk: sends what a test tells it to, and waits for what should come."""

    def __init__(self, name: str, host: str, proxy: Address, headers: str, body: str) -> None:
        """Bind a port of host. headers: added to every message; body: the session description."""
        self.name = name
        self.tape: list[Wire] = []
        self.headers, self.body = headers.strip().split("\n"), body
        self._proxy = proxy
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self.address: Address = self._socket.getsockname()
        self._branches = (f"z9hG4bK-{name}-{number}" for number in itertools.count())

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def shown(self) -> tuple[str, str]:
        """Return title and text of the tape."""
        marks = ("\n<<< received\n", "\n>>> sent\n")
        text = "".join(marks[each.outgoing] + each.data.decode("utf-8", "replace") for each in self.tape)
        return f"tape of {self.name}", text.replace("\r", "")

    @property
    def received(self) -> list[bytes]:
        """Return what has come."""
        return [each.data for each in self.tape if not each.outgoing]

    def send(self, data: bytes) -> Message:
        """Send a datagram to Sipveil."""
        self.tape.append(Wire(True, data))
        self._socket.sendto(data, self._proxy)
        return Message(data)

    def next(self, seconds: float = PATIENCE) -> Message | None:
        """Return the next message; None when none comes in time."""
        self._socket.settimeout(max(seconds, 0.001))
        try:
            data = self._socket.recv(65535)
        except TimeoutError:
            return None
        self.tape.append(Wire(False, data))
        return Message(data)

    def expect(self, title: str | int) -> Message:
        """Return the request of that method or the response of that code which must be the next new message."""
        end = now() + PATIENCE
        while (message := self.next(end - now())) is not None:
            if message.status == 100 or self.received.count(message.raw) > 1:
                continue
            if title not in (message.status, message.method if not message.status else None):
                pytest.fail(f"{self.name} received {message} instead of {title}")
            return message
        pytest.fail(f"{self.name} received no {title}")

    def request(self, method: str, dialog: Dialog, *, body: bool = False) -> Message:
        """Send a request within a dialog; an ACK has the number of the request before."""
        dialog.cseq += method != "ACK"
        headers = [
            f"Via: SIP/2.0/UDP {self.via};branch={next(self._branches)};rport", "Max-Forwards: 70",
            *(f"Route: {route}" for route in dialog.routes), f"From: {dialog.own}", f"To: {dialog.other}",
            f"Call-ID: {dialog.call_id}", f"CSeq: {dialog.cseq} {method}", *self.headers,
        ]  # fmt: skip
        return self.send(wire(f"{method} {dialog.target} SIP/2.0", headers, self.body if body else ""))

    @property
    def via(self) -> str:
        """Return host and port as this end writes them into its Via."""
        return f"{self.address[0]}:{self.address[1]}"

    def respond(self, request: Message, status: str, tag: str = "", *, body: bool = False) -> Message:
        """Answer a request; tag goes into To unless it has one."""
        headers = [f"{name.title()}: {value}" for name in ("via", "record-route") for value in request.values(name)]
        to = request.value("to")
        headers += [f"From: {request.value('from')}", f"To: {to};tag={tag}" if not param(to, "tag") else f"To: {to}"]
        headers += [f"Call-ID: {request.call_id}", f"CSeq: {request.cseq}", *self.headers]
        return self.send(wire(f"SIP/2.0 {status}", headers, self.body if body else ""))


class Phone(End):
    """A phone behind a NAT that tells everything."""

    def __init__(self, proxy: Address) -> None:
        """Bind a port on the phones' side."""
        super().__init__("phone", PHONE, proxy, leaks.CALLER_HEADERS.replace("\n ", " "), leaks.CALLER_OFFER)

    @property
    def via(self) -> str:
        """Return the address in the home network."""
        return "192.168.178.23:5062"

    def invite(self) -> Message:
        """Call DIALLED."""
        who = '"Ottilie Quandtner" <sip:+4930555017342@sip.example.net>;tag=aufruf'
        callee = f"sip:{leaks.DIALLED}@sip.example.net"
        return self.request("INVITE", Dialog("ottilie@192.168.178.23", who, f"<{callee}>", callee, (), 0), body=True)


class Trunk(End):
    """A trunk that tells everything too."""

    def __init__(self, proxy: Address) -> None:
        """Bind a port on the trunk's side."""
        super().__init__("trunk", TRUNK, proxy, leaks.TRUNK_HEADERS, leaks.TRUNK_ANSWER)
        self.headers.append(f"Contact: <sip:gleisanschluss-1@{self.via}>")


class Call:
    """A phone, a trunk, a running Sipveil, and one call between them in steps."""

    def __init__(self, lab: Lab, sipveil: Sipveil) -> None:
        """Start Sipveil; nobody calls yet."""
        self.phone, self.trunk = lab.keep(Phone(sipveil.address)), lab.keep(Trunk(sipveil.address))
        sipveil.configure(self.trunk.address, NO_KEYS)
        sipveil.start()

    def ring(self) -> None:
        """INVITE, 180."""
        self.invite = self.phone.invite()
        self.invited = self.trunk.expect("INVITE")
        self.trunk.respond(self.invited, "180 Ringing", "abnahme")
        self.phone.expect(180)

    def answer(self) -> None:
        """200, ACK; both ends know their dialog then."""
        self.trunk.respond(self.invited, "200 OK", "abnahme", body=True)
        self.caller = Dialog.of_caller(self.phone.expect(200))
        self.callee = Dialog.of_callee(self.invited, "abnahme")
        self.phone.request("ACK", self.caller)
        self.trunk.expect("ACK")

    def exchange(self, method: str, *, by_phone: bool) -> None:
        """Let one end send a request in the dialog, and the other agree."""
        asking, answering = (self.phone, self.trunk) if by_phone else (self.trunk, self.phone)
        dialog = self.caller if by_phone else self.callee
        with_body = method == "INVITE"
        asking.request(method, dialog, body=with_body)
        answering.respond(answering.expect(method), "200 OK", body=with_body)
        asking.expect(200)
        if method == "INVITE":
            asking.request("ACK", dialog)
            answering.expect("ACK")

    def expect_private_and_unchanged(self) -> None:
        """Assert that each end saw one dialog, its own, and nothing of the other that is hidden."""
        assert leaks.found(self.trunk.received, leaks.CALLER) == []
        assert leaks.found(self.phone.received, leaks.TRUNK) == []
        assert faults(self.phone.tape, names=False) == []
        assert faults(self.trunk.tape, names=False) == []
