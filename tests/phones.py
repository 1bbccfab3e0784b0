"""Phones that register, and a world with a registrar, for tests of the core."""

from __future__ import annotations

from typing import Any

from proxy.registered_address import address_of_record
from tests.agents import Agent, Packet, read
from tests.world import SETTINGS, World, settings

DOMAIN = b"example.net"
ALICE_AOR = b"alice@example.net"
REGISTRAR: dict[str, Any] = {"domains": ["example.net"], "unauthenticated": True}
ROUTES: list[dict[str, Any]] = [
    {"source": "trunk", "to": ["registered"]},
    {"source": "core", "to": ["registered"]},
    *SETTINGS["routes"],
]


def registrar_world(**registrar: Any) -> World:
    """Return a world whose registrar has these keys besides the usual ones."""
    return World(settings(registrar={**REGISTRAR, **registrar}, routes=ROUTES))


class Phone(Agent):
    """A phone of a subscriber; each REGISTER has the next CSeq."""

    def __init__(self, address: tuple[str, int], user: bytes = b"alice", call_id: bytes = b"") -> None:
        super().__init__(address, user)
        self.call_id = call_id or b"reg-%d@phone" % address[1] + address[0].encode()
        self.cseq = 0
        self.sent = 0

    def register(
        self,
        contact: bytes | None = None,
        *headers: bytes,
        user: bytes = b"",
        uri: bytes = b"sip:example.net",
        domain: bytes = DOMAIN,
        cseq: int = 0,
        call_id: bytes = b"",
    ) -> Packet:
        """Return a REGISTER; `contact` is the whole value, b"" for none, None for the phone's own."""
        self.cseq = cseq or self.cseq + 1
        self.sent += 1
        if contact is None:
            contact = b"<sip:%b@%b>" % (self.user, self.host)
        who = b"<sip:%b@%b>" % (user or self.user, domain)
        call = call_id or self.call_id
        lines = [
            b"REGISTER %b SIP/2.0" % uri,
            b"Via: SIP/2.0/UDP %b;branch=z9hG4bKr%b%d;rport" % (self.host, call.translate(None, b"@."), self.sent),
            b"Max-Forwards: 70",
            b"From: %b;tag=r%d" % (who, self.cseq),
            b"To: " + who,
            b"Call-ID: " + call,
            b"CSeq: %d REGISTER" % self.cseq,
            *([b"Contact: " + contact] if contact else []),
            *headers,
        ]
        return self._packet(lines)


def contacts(data: bytes) -> list[bytes]:
    """Return the Contact values of a response."""
    return read(data).items(b"contact")


def ask(world: World, packet: Packet) -> bytes:
    """Return the one answer to a request."""
    sent = world.receive(*packet)
    assert [address for address, _ in sent] == [packet.source]
    return sent[0][1]


def status(data: bytes) -> int:
    """Return the status of a response."""
    return read(data).status


def bound(world: World, user: bytes = b"alice") -> list[tuple[str, int]]:
    """Return where the phones of a user are reached."""
    return [each.flow.peer for each in world.core.bindings.of(address_of_record(user, DOMAIN))]
