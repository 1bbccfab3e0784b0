"""Responses that Sipveil makes itself (RFC 3261 §8.2.6), and the lines that every response echoes."""

from __future__ import annotations

from proxy.flow import Flow
from proxy.message import Message
from proxy.routing import Network
from proxy.via import stamped_line

#: Reason phrases of RFC 3261 §21 and later documents, by status code.
REASONS = {
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
    199: "Early Dialog Terminated", 200: "OK", 202: "Accepted", 204: "No Notification", 300: "Multiple Choices",
    301: "Moved Permanently", 302: "Moved Temporarily", 305: "Use Proxy", 380: "Alternative Service",
    400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Timeout",
    410: "Gone", 412: "Conditional Request Failed", 413: "Request Entity Too Large", 414: "Request-URI Too Long",
    415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 420: "Bad Extension", 421: "Extension Required",
    422: "Session Interval Too Small", 423: "Interval Too Brief", 424: "Bad Location Information",
    428: "Use Identity Header", 429: "Provide Referrer Identity", 430: "Flow Failed", 433: "Anonymity Disallowed",
    436: "Bad Identity Info", 437: "Unsupported Credential", 438: "Invalid Identity Header",
    439: "First Hop Lacks Outbound Support", 440: "Max-Breadth Exceeded", 469: "Bad Info Package",
    470: "Consent Needed", 480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist",
    482: "Loop Detected", 483: "Too Many Hops", 484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here",
    487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending",
    493: "Undecipherable", 494: "Security Agreement Required", 500: "Server Internal Error", 501: "Not Implemented",
    502: "Bad Gateway", 503: "Service Unavailable", 504: "Server Time-out", 505: "Version Not Supported",
    513: "Message Too Large", 555: "Push Notification Service Not Supported", 580: "Precondition Failure",
    600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable", 607: "Unwanted",
    608: "Rejected",
}  # fmt: skip


_PHRASES = {status: text.encode() for status, text in REASONS.items()}


def phrase(status: int) -> bytes:
    """Return the standard reason phrase; for codes without one, that of their class (§8.1.3.2)."""
    return _PHRASES[status] if status in _PHRASES else REASONS.get(status // 100 * 100, "").encode()


_STATUS_LINES = [b"SIP/2.0 %d %b" % (status, phrase(status)) for status in range(700)]


STALE_DATE = b"SIP/2.0 403 Stale Date"
"""The one phrase that says more than its code: a signature is old, and may be made anew (RFC 8224 §6.2.2)."""


def status_line(status: int) -> bytes:
    """Return a status line with the standard phrase, ready-made."""
    return _STATUS_LINES[status]


def reply_flow(network: Network, request: Message, flow: Flow) -> Flow:
    """Return where responses go: the packet's source address, and its port if `rport` asks for it (RFC 3581 §4).

    Without rport the port is that of sent-by (RFC 3261 §18.2.2). maddr is not obeyed, and a sent-by port that
    belongs to somebody else on that address neither: a Via chooses no next hop.
    """
    host, port = flow.peer
    if flow.transport != "UDP":
        return flow  # the connection that the request came over (§18.2.2)
    if b"rport" in request.via.params or not request.via.host:
        return flow
    wanted = (host, request.via.port or 5060)
    return flow._replace(peer=wanted) if network.party_of(wanted) == network.party_of((host, port)) else flow


def echo(request: Message, flow: Flow, to_tag: bytes) -> tuple[bytes, bytes]:
    """Return Via, From and To lines, and Call-ID and CSeq lines, of the response to a request (§8.2.6.2).

    Args:
        request: whose lines they are, byte for byte but for received and rport in the topmost Via.
        flow: where the request came from.
        to_tag: added to To unless the request has one; b"" for none.
    """
    if request.echo is None:
        request.echo = _echo(request, flow)
    head, tail = request.echo
    return (head + b";tag=" + to_tag if to_tag else head), tail


def _echo(request: Message, flow: Flow) -> tuple[bytes, bytes]:
    """Work out once what 100, 180 and 200 all repeat."""
    lines, index = request.lines, request.index
    head = [lines[position] for position in index.get(b"via", ())]
    if head and request.via.host:
        head[0] = stamped_line(head[0], request.via, flow.peer)
    _add_first(head, request, b"from")
    _add_first(head, request, b"to")
    tail: list[bytes] = []
    _add_first(tail, request, b"call-id")
    _add_first(tail, request, b"cseq")
    return b"\r\n".join(head), b"\r\n".join(tail)


def _add_first(lines: list[bytes], request: Message, name: bytes) -> None:
    """Add the first line of a name, where there is one: what cannot be read is answered too."""
    places = request.index.get(name)
    if places:
        lines.append(request.lines[places[0]])


def reply(
    request: Message, flow: Flow, status: int, to_tag: bytes, *, reason: bytes = b"", extra: tuple[bytes, ...] = ()
) -> bytes:
    """Return the bytes of a response of our own: nothing but what the sender wrote, and extra lines."""
    lines = [b"SIP/2.0 %d %b" % (status, reason) if reason else status_line(status)]
    for echoed in echo(request, flow, b"" if status == 100 or request.to_tag else to_tag):
        if echoed:
            lines.append(echoed)
    lines += extra
    lines.append(b"Content-Length: 0\r\n\r\n")
    return b"\r\n".join(lines)
