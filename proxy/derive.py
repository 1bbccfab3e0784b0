"""Requests that are derived from one we sent: ACK, CANCEL, and ACK plus BYE for a call that may not stay up.

They are made from the finished bytes of that request, so that every rewritten value is repeated
byte-identically (RFC 3261 §9.1, §17.1.1.3) and nothing new can leak.
"""

from __future__ import annotations

import re

from proxy.errors import Malformed
from proxy.headers import parse_cseq, parse_name_addr
from proxy.message import Message

_REASON = re.compile(rb"(SIP|Q\.850)[ \t]*;[ \t]*cause[ \t]*=[ \t]*(\d{1,3})(?![0-9])", re.IGNORECASE)


_LINE_END = re.compile(rb"\r\n(?![ \t])")
"""The end of a header line; before a fold it goes on (§7.3.1)."""


def _lines(request: bytes) -> dict[bytes, list[bytes]]:
    """Return the header lines of a request of ours by lower-case name; ours has no compact names of these."""
    found: dict[bytes, list[bytes]] = {}
    for line in _LINE_END.split(request.partition(b"\r\n\r\n")[0])[1:]:
        name = line.partition(b":")[0].strip().lower()
        found.setdefault(_LONG.get(name, name), []).append(line)
    return found


_LONG = {b"v": b"via", b"f": b"from", b"t": b"to", b"i": b"call-id"}


def _number(lines: dict[bytes, list[bytes]]) -> int:
    return parse_cseq(lines[b"cseq"][0].partition(b":")[2])[0]


def _compose(start: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([start, *headers, b"Max-Forwards: 70", b"Content-Length: 0", b"", b""])


def _uri(request: bytes) -> bytes:
    return request.partition(b" ")[2].partition(b" ")[0]


def ack_for(request: bytes, response: Message) -> bytes:
    """Return the ACK for a final response other than 2xx: same branch, Request-URI and Route, To of the response."""
    lines = _lines(request)
    to = response.lines[response.index[b"to"][0]]
    return _compose(
        b"ACK %b SIP/2.0" % _uri(request),
        lines[b"via"][0], *lines.get(b"route", ()), *lines[b"from"], to, *lines[b"call-id"],
        b"CSeq: %d ACK" % _number(lines),
    )  # fmt: skip


def cancel_for(request: bytes, reason: bytes = b"") -> bytes:
    """Return the CANCEL for an INVITE of ours: a single Via, no Require (§9.1), and why, where that is known."""
    lines = _lines(request)
    extra = (b"Reason: " + reason,) if reason else ()
    return _compose(
        b"CANCEL %b SIP/2.0" % _uri(request),
        lines[b"via"][0], *lines.get(b"route", ()), *lines[b"from"], *lines[b"to"], *lines[b"call-id"],
        b"CSeq: %d CANCEL" % _number(lines), *extra,
    )  # fmt: skip


def ack_and_bye(
    request: bytes, response: Message, route_set: list[bytes], branches: tuple[bytes, bytes]
) -> tuple[bytes, bytes]:
    """Return ACK and BYE that take down a call whose 2xx could not be passed on (design.md §2).

    Args:
        request: the INVITE as we sent it.
        response: the 2xx as it came.
        route_set: the proxies of the far side, nearest first.
        branches: fresh branches for the ACK and the BYE.

    Raises:
        Malformed: when the response names no usable target.
    """
    lines = _lines(request)
    via = lines[b"via"][0].partition(b";branch=")[0]
    contacts = response.items(b"contact")
    target = parse_name_addr(contacts[0]).uri if contacts else _uri(request)
    if not target:
        raise Malformed("No target", 0)
    route = (b"Route: " + b", ".join(b"<%b>" % uri for uri in route_set),) if route_set else ()
    to = response.lines[response.index[b"to"][0]]
    number = _number(lines)
    common = (*route, *lines[b"from"], to, *lines[b"call-id"])
    ack = _compose(
        b"ACK %b SIP/2.0" % target, via + b";branch=" + branches[0] + b";rport", *common, b"CSeq: %d ACK" % number
    )
    bye = _compose(
        b"BYE %b SIP/2.0" % target, via + b";branch=" + branches[1] + b";rport", *common, b"CSeq: %d BYE" % (number + 1)
    )
    return ack, bye


def authorised(request: bytes, branch: bytes, attempt: int, credentials: tuple[bytes, ...]) -> bytes:
    """Return a request of `ack_and_bye` once more: with another branch, a higher CSeq and credentials (§22.2)."""
    start, *headers = _LINE_END.split(request.partition(b"\r\n\r\n")[0])
    method = start.partition(b" ")[0]
    for place, line in enumerate(headers):
        name = line.partition(b":")[0].lower()
        if name == b"via":
            headers[place] = line.partition(b";branch=")[0] + b";branch=" + branch + b";rport"
        elif name == b"cseq":
            headers[place] = b"CSeq: %d %b" % (parse_cseq(line.partition(b":")[2])[0] + attempt, method)
    return b"\r\n".join([start, *headers[:-1], *credentials, headers[-1], b"", b""])


def plain_reason(value: bytes | None) -> bytes:
    """Return protocol and cause of a Reason (RFC 3326), without its text; b"" for anything else."""
    match = _REASON.match(value) if value else None
    return b"%b;cause=%b" % (match[1].upper(), match[2]) if match else b""
