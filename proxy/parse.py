"""From bytes to a message: one pass of C-level splits, then the few values that every message needs.

Limits come from `config.settings.Limits`. What breaks the grammar raises `Malformed` with the status
code of RFC 3261; `draft_of_broken` then says whether an answer is possible at all.
"""

from __future__ import annotations

import re

from config.settings import Limits
from proxy.errors import Malformed
from proxy.grammar import CALL_ID, COMPACT, REQUEST_LINE, STATUS_LINE, TOKEN
from proxy.headers import NameAddr, Via, parse_cseq, parse_name_addr, parse_params, parse_via, split_list
from proxy.message import Message
from proxy.uri import parse_sip_uri

#: A message has exactly one of each (RFC 3261 §7.3.1, §20); a second would be read by the next hop at its whim.
SINGLE = (b"from", b"to", b"call-id", b"cseq", b"max-forwards", b"content-length")
_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*$", re.IGNORECASE | re.MULTILINE)
NO_VIA = Via(b"", b"", 0, {}, b"")
NO_ADDRESS = NameAddr(b"", b"", b"")


def parse(data: bytes, limits: Limits) -> Message:
    """Read one datagram.

    Raises:
        Malformed: with `code` 0 for what deserves silence (no start line of SIP, a broken response), else
            with the status code to answer.
    """
    message = split(data, limits)
    if message.method or message.status:
        read_values(message)
    return message


def split(data: bytes, limits: Limits) -> Message:
    """Take a datagram apart into start line, header lines and body, without looking at any value.

    Raises:
        Malformed: as `parse`.
    """
    data = with_crlf(data.lstrip(b"\r\n"))
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        head = data.removesuffix(b"\r\n")
    message = _blank()
    lines = head.split(b"\r\n")
    _read_start_line(message, lines[0])
    _index(message, lines, limits)
    message.body = body
    message.raw = data
    if len(data) > limits.message:
        raise _broken(message, "Message Too Large", 513)
    if not end:
        raise _broken(message, "Missing end of headers")
    if not head.count(b"\r\n") == head.count(b"\r") == head.count(b"\n"):
        raise _broken(message, "Bare line end in headers")
    return message


def with_crlf(data: bytes) -> bytes:
    """Return a message whose lines end with LF alone with CRLF instead, others as they are.

    RFC 5118's own archive and many test tools write LF, some without the empty line at the end. The body is
    converted only where it then has the length that was stated; a body that is too short either way stays as it
    stands, for the tool has miscounted. A message that mixes both line ends is refused later: what we take for
    one line might be two for the next hop.
    """
    head, _, body = data.partition(b"\n\n")
    if b"\r" in head or b"\n" not in head:
        return data
    length = _LENGTH.search(head)
    if length is not None and len(body) < int(length[1]):
        converted = body.replace(b"\n", b"\r\n")
        if b"\r" not in body and len(converted) == int(length[1]):
            body = converted
        else:
            head = head[: length.start(1)] + b"%d" % len(body) + head[length.end(1) :]
    return head.removesuffix(b"\n").replace(b"\n", b"\r\n") + b"\r\n\r\n" + body


def _broken(message: Message, why: str, code: int = 400) -> Malformed:
    """Return the error for a message that was split: requests are answered, responses dropped."""
    if message.via is NO_VIA:
        try:  # the answer's way back
            _read_via(message)
        except Malformed as no_via:
            code = no_via.code and code
    error = Malformed(why, code if message.method and message.method != b"ACK" else 0)
    error.partial = message
    return error


def partial(error: Malformed) -> Message | None:
    """Return what could be read of the message that raised error, for the answer; None where nothing could."""
    return error.partial if isinstance(error.partial, Message) else None


def _blank() -> Message:
    """Return a message that says nothing yet: whatever breaks while it is read, an answer can be made from it."""
    message = Message()
    message.start = message.method = message.uri = message.reason = message.body = message.raw = b""
    message.call_id = message.from_tag = message.to_tag = message.cseq_method = b""
    message.status = message.cseq = 0
    message.max_forwards = None
    message.names, message.lines, message.index = [], [], {}
    message.via = NO_VIA
    message.from_ = message.to = NO_ADDRESS
    return message


def _read_start_line(message: Message, line: bytes) -> None:
    message.start = line
    status = STATUS_LINE.fullmatch(line)
    if status is not None:
        message.status, message.reason = int(status[1]), status[2]
        return
    if line[:4].upper() == b"SIP/":
        raise Malformed("Malformed Status-Line", 0)
    # Whatever else it is, a first word that is a token may be a method: read on for an answer.
    word = TOKEN.match(line)
    if word is None or b" " not in line:
        raise Malformed("Not SIP", 0)
    message.method = word[0]


def _index(message: Message, lines: list[bytes], limits: Limits) -> None:
    """Join folded lines, name each line and note where each name stands."""
    if len(lines) - 1 > limits.headers * 2:
        raise Malformed("Too many headers", 0)
    kept: list[bytes] = []
    for line in lines[1:]:
        if line[:1] in (b" ", b"\t") and kept:
            kept[-1] += b"\r\n" + line
        else:
            kept.append(line)
    message.lines = kept
    names = [line.partition(b":")[0].rstrip(b" \t").lower() for line in kept]
    message.names = [COMPACT.get(name, name) for name in names]
    index: dict[bytes, list[int]] = {}
    for position, name in enumerate(message.names):
        index.setdefault(name, []).append(position)
    message.index = index
    if len(kept) > limits.headers:
        raise _broken(message, "Too many headers", 513)
    if kept and max(map(len, kept)) > limits.line:
        raise _broken(message, "Header line too long", 513)


def read_values(message: Message) -> None:
    """Read the values that every message needs, and check those that must be right.

    Raises:
        Malformed: as `parse`.
    """
    try:
        _read_via(message)
        _check_lines(message)
        _read_identity(message)
        _read_cseq(message)
        _read_body(message)
        if message.method:
            _read_request_line(message)
            _read_max_forwards(message)
    except Malformed as error:
        raise _broken(message, error.why, error.code) from None


def _read_via(message: Message) -> None:
    items = split_list(message.value(b"via") or b"")
    if not items:
        raise Malformed("Missing Via", 0)
    message.via = parse_via(items[0])


def _check_lines(message: Message) -> None:
    for name in SINGLE:
        if len(message.index.get(name, ())) > 1:
            raise Malformed("Repeated " + name.decode().title())
    if not all(map(TOKEN.fullmatch, message.index)) or not all(b":" in line for line in message.lines):
        raise Malformed("Malformed header line")


def _read_identity(message: Message) -> None:
    message.from_, message.from_tag = _tagged(message, b"from")
    message.to, message.to_tag = _tagged(message, b"to")
    call_id = message.value(b"call-id")
    if not call_id or CALL_ID.fullmatch(call_id) is None:
        raise Malformed("Malformed Call-ID" if call_id else "Missing Call-ID")
    message.call_id = call_id


def _tagged(message: Message, name: bytes) -> tuple[NameAddr, bytes]:
    value = message.value(name)
    if value is None:
        raise Malformed("Missing " + name.decode().title())
    try:
        address = parse_name_addr(value)
        parse_sip_uri(address.uri)
        tag = parse_params(address.params).get(b"tag", b"")
    except Malformed as error:
        raise Malformed(f"{error.why} in {name.decode().title()}") from None
    if tag and TOKEN.fullmatch(tag) is None:
        raise Malformed(f"Malformed tag in {name.decode().title()}")
    return address, tag


def _read_cseq(message: Message) -> None:
    value = message.value(b"cseq")
    if value is None:
        raise Malformed("Missing CSeq")
    message.cseq, message.cseq_method = parse_cseq(value)
    if message.method and message.cseq_method != message.method:
        raise Malformed("CSeq method mismatch", 400 if message.method in KNOWN_METHODS else 501)


KNOWN_METHODS = frozenset(
    (b"INVITE", b"ACK", b"CANCEL", b"BYE", b"PRACK", b"UPDATE", b"REGISTER", b"OPTIONS", b"SUBSCRIBE", b"NOTIFY",
     b"PUBLISH", b"MESSAGE", b"INFO", b"REFER")
)  # fmt: skip


def _read_body(message: Message) -> None:
    """Cut the body to Content-Length (§18.3): extra octets are discarded, a short body is an error."""
    value = message.value(b"content-length")
    if value is None:
        return
    if not value.isdigit() or len(value) > 9:
        raise Malformed("Malformed Content-Length")
    length = int(value)
    surplus = len(message.body) - length
    if surplus < 0:
        raise Malformed("Body shorter than Content-Length")
    if surplus:
        message.body = message.body[:length]
        message.raw = message.raw[:-surplus]


def _read_request_line(message: Message) -> None:
    match = REQUEST_LINE.fullmatch(message.start)
    if match is None:
        raise Malformed("Malformed Request-Line")
    if match[3].upper() != b"SIP/2.0":
        raise Malformed("Version Not Supported", 505)
    message.uri = match[2]


def _read_max_forwards(message: Message) -> None:
    """Read Max-Forwards; a number over 255 counts as absent (RFC 4475 §3.1.2.4), anything else is an error."""
    value = message.value(b"max-forwards")
    message.max_forwards = None
    if value is None:
        return
    if not value.isdigit() or len(value) > 32:
        raise Malformed("Malformed Max-Forwards")
    number = int(value)
    message.max_forwards = number if number <= 255 else None
