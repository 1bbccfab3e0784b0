"""User agents for core tests: they build requests and responses as the RFCs say, from what they received."""

from __future__ import annotations

from typing import NamedTuple

from config.settings import Limits
from proxy.headers import parse_name_addr
from proxy.message import Message
from proxy.parse import parse, read_identity
from tests import world

SDP = (
    b"v=0\r\no=alice 2890844526 1 IN IP4 10.1.1.23\r\ns=Alice's laptop\r\nc=IN IP4 10.1.1.23\r\nt=0 0\r\n"
    b"m=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)


class Packet(NamedTuple):
    """Bytes on their way to Sipveil."""

    source: tuple[str, int]
    data: bytes


def read(data: bytes) -> Message:
    """Parse what left the core; a test that gets here with garbage fails."""
    message = parse(data, Limits())
    read_identity(message)  # which the core leaves unread in responses
    return message


class Agent:
    """A SIP user agent at one address."""

    def __init__(
        self, address: tuple[str, int], user: bytes, display: bytes = b"", transport: bytes = b"UDP", host: bytes = b""
    ) -> None:
        """Stand at an address; `host` is what it calls itself in Via and Contact, with parameters of the URI."""
        self.address = address
        self.user = user
        self.display = display
        self.transport = transport
        self.host = host or address[0].encode() + b":%d" % address[1]
        self.sent_by = self.host.partition(b";")[0]

    def __repr__(self) -> str:
        return self.user.decode()

    def request(
        self,
        method: bytes = b"INVITE",
        uri: bytes = b"sip:+15550100@192.0.2.1",
        *,
        branch: bytes = b"z9hG4bKone",
        call_id: bytes = b"call-1@10.1.1.23",
        cseq: int = 1,
        tag: bytes = b"from1",
        headers: tuple[bytes, ...] = (),
        body: bytes = b"",
        max_forwards: int = 70,
        contact: bool = True,
        rport: bool = True,
    ) -> Packet:
        """Return a request outside dialogs."""
        lines = [
            method + b" " + uri + b" SIP/2.0",
            b"Via: SIP/2.0/%b %b;branch=%b%b" % (self.transport, self.sent_by, branch, b";rport" if rport else b""),
            b"Max-Forwards: %d" % max_forwards,
            b"From: %b<sip:%b@sip.example.net>;tag=%b" % (self.display, self.user, tag),
            b"To: <%b>" % uri,
            b"Call-ID: " + call_id,
            b"CSeq: %d %b" % (cseq, method),
            *([b"Contact: <sip:%b@%b>" % (self.user, self.host)] if contact else []),
            *headers,
        ]
        return self._packet(lines, body)

    def invite(self, **changes: object) -> Packet:
        """Return an initial INVITE with an offer."""
        changes.setdefault("headers", (b"Content-Type: application/sdp",))
        changes.setdefault("body", SDP)
        return self.request(**changes)  # type: ignore[arg-type]

    def cancel(self, invite: Packet, headers: tuple[bytes, ...] = ()) -> Packet:
        """Return the CANCEL for an INVITE of this agent (RFC 3261 §9.1)."""
        sent = read(invite.data)
        lines = [b"CANCEL " + sent.uri + b" SIP/2.0"]
        for name in (b"via", b"from", b"to", b"call-id", b"route"):
            lines += [sent.lines[place] for place in sent.index.get(name, ())]
        return self._packet([*lines, b"CSeq: %d CANCEL" % sent.cseq, b"Max-Forwards: 70", *headers])

    def ack_failure(self, invite: Packet, response: bytes) -> Packet:
        """Return the ACK for a final response other than 2xx (§17.1.1.3)."""
        sent, got = read(invite.data), read(response)
        lines = [b"ACK " + sent.uri + b" SIP/2.0", sent.lines[sent.index[b"via"][0]]]
        lines += [sent.lines[sent.index[b"from"][0]], got.lines[got.index[b"to"][0]]]
        lines += [sent.lines[sent.index[b"call-id"][0]], b"CSeq: %d ACK" % sent.cseq, b"Max-Forwards: 70"]
        return self._packet(lines)

    def answer(
        self,
        request: bytes,
        status: int,
        *,
        tag: bytes = b"to1",
        headers: tuple[bytes, ...] = (),
        routes: tuple[bytes, ...] = (),
        keep_route: bool = True,
        contact: bytes | None = None,
        body: bytes = b"",
        reason: bytes = b"Whatever",
    ) -> Packet:
        """Return a response to a request that reached this agent; `routes` are proxies on its own side."""
        got = read(request)
        lines = [b"SIP/2.0 %d %b" % (status, reason)]
        lines += [got.lines[place] for place in got.index[b"via"]]
        lines += [b"Record-Route: <%b>" % uri for uri in routes]
        if keep_route:
            lines += [got.lines[place] for place in got.index.get(b"record-route", ())]
        lines.append(got.lines[got.index[b"from"][0]])
        to = got.lines[got.index[b"to"][0]]
        lines.append(to if got.to_tag or status == 100 else to + b";tag=" + tag)
        lines += [got.lines[got.index[name][0]] for name in (b"call-id", b"cseq")]
        if contact is None:
            contact = b"<sip:%b@%b>" % (self.user, self.host)
        lines += [b"Contact: " + contact] if contact and 100 < status < 400 else []
        return self._packet([*lines, *headers], body)

    def within(
        self,
        method: bytes,
        dialog: bytes,
        *,
        cseq: int = 2,
        branch: bytes = b"",
        headers: tuple[bytes, ...] = (),
        body: bytes = b"",
        own: Packet | None = None,
        contact: bool = True,
    ) -> Packet:
        """Return a request within a dialog.

        Args:
            method: its method.
            dialog: as caller, the response that formed the dialog; as callee, the INVITE that did.
            own: as caller, the INVITE that this agent sent; as callee, its answer.
        """
        formed = read(dialog)
        routes = formed.items(b"record-route")
        as_caller = bool(formed.status)
        from_, to = (formed.from_, formed.from_tag), (formed.to, formed.to_tag)
        if own is not None:
            sent = read(own.data)
            from_, to = ((sent.from_, sent.from_tag), to) if as_caller else (from_, (sent.to, sent.to_tag))
        near, far = (from_, to) if as_caller else (to, from_)
        target = parse_name_addr(formed.items(b"contact")[0]).uri
        lines = [
            method + b" " + target + b" SIP/2.0",
            b"Via: SIP/2.0/%b %b;branch=%b;rport"
            % (self.transport, self.sent_by, branch or b"z9hG4bK%b%d" % (method.lower(), cseq)),
            b"Max-Forwards: 70",
            *(b"Route: " + route for route in (reversed(routes) if as_caller else routes)),
            b"From: " + near[0].address + b";tag=" + near[1],
            b"To: " + far[0].address + (b";tag=" + far[1] if far[1] else b""),
            b"Call-ID: " + formed.call_id,
            b"CSeq: %d %b" % (cseq, method),
            *([b"Contact: <sip:%b@%b>" % (self.user, self.host)] if contact else []),
            *headers,
        ]
        return self._packet(lines, body)

    def _packet(self, lines: list[bytes], body: bytes = b"") -> Packet:
        return Packet(self.address, b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", b""]) + body)


ALICE = Agent(world.PHONE, b"alice", b'"Alice Liddell" ')
CARRIER = Agent(world.TRUNK, b"gateway")
SECOND = Agent(world.SECOND_TRUNK, b"gateway2")
PBX = Agent(world.CORE, b"pbx")
PSAP = Agent(world.PSAP, b"psap")
STRANGER = Agent(world.STRANGER, b"mallory")
