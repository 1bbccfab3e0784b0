"""From bytes to a message: one look that takes it apart (`scan.py`), then the few values that every message needs.

Limits come from `config.settings.Limits`. What breaks the grammar raises `Malformed` with the status
code of RFC 3261; `draft_of_broken` then says whether an answer is possible at all.
"""

from __future__ import annotations

import re
from typing import Final

from config.settings import Limits
from proxy import scan
from proxy.errors import Malformed
from proxy.grammar import CALL_ID, COMMA, REQUEST_LINE, STATUS_LINE, TOKEN, TOKEN_CLASS
from proxy.headers import (
    NO_PARAMS,
    NameAddr,
    Via,
    parse_cseq,
    parse_name_addr,
    parse_params,
    parse_via,
    split_list,
    value_of,
)
from proxy.memo import remembered
from proxy.message import Message
from proxy.shape import EMPTY, Shape, clue_of, expected, shape_of
from proxy.uri import parse_sip_uri

# What compiled code has imported it looks up in a dictionary for each call; what is final it has at hand.
_scan: Final = scan.scan
_request_line: Final = scan.request_line
_cut: Final = scan.cut
_call_id: Final = scan.call_id

_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*$", re.IGNORECASE | re.MULTILINE)


class Bounds:
    """What one message may have; a copy of `config.settings.Limits` that compiled code reads at once."""

    __slots__ = ("headers", "line", "message")

    def __init__(self, limits: Limits) -> None:
        """Hold the limits: of header lines, of bytes of a line, of bytes of a message."""
        self.headers: int = limits.headers
        self.line: int = limits.line
        self.message: int = limits.message


NO_VIA = Via(b"", b"", 0, {}, b"", b"")
NO_ADDRESS = NameAddr(b"", b"", b"")


def parse(data: bytes, limits: Limits) -> Message:
    """Read one datagram.

    Raises:
        Malformed: with `code` 0 for what deserves silence (no start line of SIP, a broken response), else
            with the status code to answer.
    """
    return parse_within(data, Bounds(limits))


def parse_within(data: bytes, bounds: Bounds) -> Message:
    """Read one datagram, as `parse`, for who has many to read."""
    message = _split(data, bounds)
    if message.method or message.status:
        read_values(message)
    return message


def split(data: bytes, limits: Limits) -> Message:
    """Take a datagram apart into start line, header lines and body, without looking at any value.

    Raises:
        Malformed: as `parse`.
    """
    return _split(data, Bounds(limits))


def _split(data: bytes, bounds: Bounds) -> Message:
    return _split_plain(data, bounds) or _split_odd(data, bounds)


def _split_plain(data: bytes, bounds: Bounds) -> Message | None:
    """Return a message whose every line is `name: value` and ends with CRLF; None for any other.

    What it takes is a row of header names that was seen before. A new one is learned first.
    """
    if len(data) > bounds.message:
        return None
    found = _scan(data, expected, bounds.headers, bounds.line)
    if found is None and _learn(data, bounds.headers):
        found = _scan(data, expected, bounds.headers, bounds.line)
    if found is None:
        return None
    start, shape, lines, body = found
    message = _blank()
    _read_start_line(message, start)
    message.lines = lines
    message.take(shape)
    message.body = body
    message.raw = data
    return message


def _learn(data: bytes, most: int) -> bool:
    """Have the next message with the same row of header names expected; tell whether it has what can be one.

    One search finds all names, and one comparison of counts tells that no line is folded, lacks its colon, or has a
    name that is no token.
    """
    head, _, _ = data.partition(b"\r\n\r\n")
    names, lines = _NAMES.findall(head), head.split(b"\r\n")[1:]
    return 0 < len(names) == len(lines) <= most and shape_of(names, clue_of(lines)).shared


_NAMES = re.compile(rb"\r\n(" + TOKEN_CLASS + rb"++[ \t]*+):")


def _split_odd(data: bytes, bounds: Bounds) -> Message:
    """Take any datagram apart, line by line: folds, LF line ends, and what is broken."""
    data = with_crlf(data.lstrip(b"\r\n"))
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        head = data.removesuffix(b"\r\n")
    message = _blank()
    lines = head.split(b"\r\n")
    _read_start_line(message, lines[0])
    _index(message, lines, bounds)
    message.body = body
    message.raw = data
    if len(data) > bounds.message:
        raise _broken(message, "Message Too Large", 513)
    if len(lines[0]) > bounds.line:
        # Of requests; what is remembered of a URI counts on it being no longer than a line.
        raise _broken(message, "Request-URI Too Long", 414)
    if not end:
        raise _broken(message, "Missing end of headers")
    if not head.count(b"\r\n") == head.count(b"\r") == head.count(b"\n"):
        raise _broken(message, "Bare line end in headers")
    if not all(map(TOKEN.fullmatch, message.index)) or not all(b":" in line for line in message.lines):
        raise _broken(message, "Malformed header line")
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
    message.call_id = message.from_tag = message.to_tag = message.cseq_method = message.callee = b""
    message.foreign = ()
    message.status = message.cseq = 0
    message.max_forwards = message.echo = message.caller = None
    message.lines = []
    message.take(EMPTY)
    message.via = NO_VIA
    message.from_ = message.to = NO_ADDRESS
    return message


def _read_usual_start_line(message: Message, line: bytes) -> bool:
    """Read a start line as nearly everybody writes it; False for any other."""
    message.start = line
    if line.startswith(b"SIP/2.0 "):
        message.status, message.reason = _STATUS.get(line[8:12], 0), line[12:]
        return message.status != 0
    words = _request_line(line)
    if words is None or words[0] not in KNOWN_METHODS:
        return False
    message.method, message.uri = words
    return True


_STATUS = {b"%d " % status: status for status in range(100, 700)}


def _read_start_line(message: Message, line: bytes) -> None:
    if _read_usual_start_line(message, line):
        return
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


def _index(message: Message, lines: list[bytes], bounds: Bounds) -> None:
    """Join folded lines, name each line and note where each name stands."""
    if len(lines) - 1 > bounds.headers * 2:
        raise Malformed("Too many headers", 0)
    kept: list[bytes] = []
    for line in lines[1:]:
        if line[:1] in (b" ", b"\t") and kept:
            kept[-1] += b"\r\n" + line
        else:
            kept.append(line)
    message.lines = kept
    message.take(Shape([line.partition(b":")[0] for line in kept]))
    if len(kept) > bounds.headers:
        raise _broken(message, "Too many headers", 513)
    if kept and max(map(len, kept)) > bounds.line:
        raise _broken(message, "Header line too long", 513)


def read_values(message: Message) -> None:
    """Read the values that every message needs, and check those that must be right.

    Of a response's From, To and Call-ID nothing goes on but the To tag: the sender gets back what it wrote itself.

    Raises:
        Malformed: as `parse`.
    """
    try:
        _read_via(message)
        shape = message.shape
        if shape.repeated:
            raise Malformed("Repeated " + shape.repeated.decode().title())
        message.cseq, message.cseq_method = _cseq_of(_line(message, shape.cseq, "CSeq"))
        if message.method:
            read_identity(message)
        elif message.status != 100:
            _line(message, shape.from_, "From")
            _line(message, shape.call_id, "Call-ID")
            message.to, message.to_tag = _tagged(_line(message, shape.to, "To"), "To")
        _read_body(message)
        if message.method:
            if message.cseq_method != message.method:
                raise Malformed("CSeq method mismatch", 400 if message.method in KNOWN_METHODS else 501)
            if not message.uri:
                _read_request_line(message)
            if shape.max_forwards >= 0:
                message.max_forwards = _max_forwards_of(message.lines[shape.max_forwards])
    except Malformed as error:
        raise _broken(message, error.why, error.code) from None


def read_identity(message: Message) -> None:
    """Read From, To and Call-ID.

    Raises:
        Malformed: for what is missing or cannot be read.
    """
    shape = message.shape
    message.from_, message.from_tag = _tagged(_line(message, shape.from_, "From"), "From")
    message.to, message.to_tag = _tagged(_line(message, shape.to, "To"), "To")
    message.call_id = _call_id_of(_line(message, shape.call_id, "Call-ID"))


def _line(message: Message, place: int, name: str) -> bytes:
    """Return a header line that has to be there."""
    if place < 0:
        raise Malformed("Missing " + name)
    return message.lines[place]


def _read_via(message: Message) -> None:
    place = message.shape.via
    if place < 0:
        raise Malformed("Missing Via", 0)
    line = message.lines[place]
    message.via = (_own_via(line) if message.status else None) or _via_of(line)


def _own_via(line: bytes) -> Via | None:
    """Return what matters of a response's Via: the branch, if we made it. None where the whole must be read.

    Whether it is ours nobody has to believe: it is looked up among the branches that we sent.
    """
    found = _cut(line, b";branch=z9hG4bK")
    if found is None or COMMA in line:
        return None
    return Via(b"", b"", 0, NO_PARAMS, b"z9hG4bK" + found[1], b"")


# What stands in whole lines. Remembered is what repeats from call to call; the rest is cheaper to read than to keep.


def _via_of(line: bytes) -> Via:
    value = value_of(line)
    if not value or COMMA in value:
        items = split_list(value)
        if not items:
            raise Malformed("Missing Via", 0)
        value = items[0]
    return parse_via(value)


def _tagged(line: bytes, name: str) -> tuple[NameAddr, bytes]:
    """Return display name and URI of a From or To line, and the tag."""
    # Nearly always a tag is all that follows the URI: then the rest is the same in every call of a phone.
    front, tag, behind = _cut(line, b">;tag=") or (line[:-1], b"", b"")
    try:
        if not behind and (tag or line.endswith(b">")):
            address = _address_of(front)
            if address is not None:
                return address, tag
            if tag:
                raise Malformed("Malformed address")
        parsed = parse_name_addr(value_of(line))
        parse_sip_uri(parsed.uri)
        tag = parse_params(parsed.params).get(b"tag", b"")
    except Malformed as error:
        raise Malformed(f"{error.why} in {name}") from None
    if tag and TOKEN.fullmatch(tag) is None:
        raise Malformed(f"Malformed tag in {name}")
    return parsed._replace(params=b"") if parsed.params else parsed, tag


@remembered
def _address_of(front: bytes) -> NameAddr | None:
    """Return the address of a From or To line up to the `>` of its URI; None for one that ends otherwise."""
    address = parse_name_addr(value_of(front + b">"))
    parse_sip_uri(address.uri)
    return None if address.params else address


def _call_id_of(line: bytes) -> bytes:
    found = _call_id(line)
    if found is None:
        found = value_of(line)
        if CALL_ID.fullmatch(found) is None:
            raise Malformed("Malformed Call-ID" if found else "Missing Call-ID")
    return found


@remembered
def _cseq_of(line: bytes) -> tuple[int, bytes]:
    return parse_cseq(value_of(line))


KNOWN_METHODS = frozenset(
    (b"INVITE", b"ACK", b"CANCEL", b"BYE", b"PRACK", b"UPDATE", b"REGISTER", b"OPTIONS", b"SUBSCRIBE", b"NOTIFY",
     b"PUBLISH", b"MESSAGE", b"INFO", b"REFER")
)  # fmt: skip


def _read_body(message: Message) -> None:
    """Cut the body to Content-Length (§18.3): extra octets are discarded, a short body is an error."""
    place = message.shape.content_length
    if place < 0:
        return
    surplus = len(message.body) - _length_of(message.lines[place])
    if surplus < 0:
        raise Malformed("Body shorter than Content-Length")
    if surplus:
        message.body = message.body[:-surplus]
        message.raw = message.raw[:-surplus]


@remembered
def _length_of(line: bytes) -> int:
    value = value_of(line)
    if not value.isdigit() or len(value) > 9:
        raise Malformed("Malformed Content-Length")
    return int(value)


def _read_request_line(message: Message) -> None:
    match = REQUEST_LINE.fullmatch(message.start)
    if match is None:
        raise Malformed("Malformed Request-Line")
    if match[3].upper() != b"SIP/2.0":
        raise Malformed("Version Not Supported", 505)
    message.uri = match[2]


@remembered
def _max_forwards_of(line: bytes) -> int | None:
    """Read Max-Forwards; a number over 255 counts as absent (RFC 4475 §3.1.2.4), anything else is an error."""
    value = value_of(line)
    if not value.isdigit() or len(value) > 32:
        raise Malformed("Malformed Max-Forwards")
    number = int(value)
    return number if number <= 255 else None
