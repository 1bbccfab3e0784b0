"""From bytes to a message: one pass of C-level splits, then the few values that every message needs.

Limits come from `config.settings.Limits`. What breaks the grammar raises `Malformed` with the status
code of RFC 3261; `draft_of_broken` then says whether an answer is possible at all.
"""

from __future__ import annotations

import re

from config.settings import Limits
from proxy.errors import Malformed
from proxy.grammar import CALL_ID, COMMA, LF, REQUEST_LINE, SPACE, STATUS_LINE, TAB, TOKEN, TOKEN_CLASS, is_token
from proxy.headers import (
    NO_PARAMS,
    NameAddr,
    Via,
    parse_cseq,
    parse_name_addr,
    parse_params,
    parse_via,
    split_list,
    unfold,
)
from proxy.memo import remembered
from proxy.message import Message
from proxy.shape import CLUE, EMPTY, Shape, expected, shape_of
from proxy.uri import parse_sip_uri

_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*$", re.IGNORECASE | re.MULTILINE)
NO_VIA = Via(b"", b"", 0, {}, b"", b"")
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
    return _split_plain(data, limits) or _split_odd(data, limits)


def _split_plain(data: bytes, limits: Limits) -> Message | None:
    """Return a message whose every line is `name: value` and ends with CRLF; None for any other."""
    head, end, body = data.partition(b"\r\n\r\n")
    lines = head.splitlines()  # at bare CR and LF too
    if not end or not head or head.endswith((b"\r", b"\n")):
        return None
    start = lines.pop(0)
    shape = _shape_of(head, lines, len(head) - len(start))
    if (
        shape is None
        or len(lines) > limits.headers
        or len(data) > limits.message
        or (len(head) > limits.line and max(map(len, (start, *lines))) > limits.line)
    ):
        return None
    message = _blank()
    if not _read_usual_start_line(message, start):
        _read_start_line(message, start)
    message.lines = lines
    message.take(shape)
    message.body = body
    message.raw = data
    return message


def _shape_of(head: bytes, lines: list[bytes], size: int) -> Shape | None:
    """Return the shape of header lines; None where one is folded, lacks its colon, or has a name that is no token.

    Args:
        head: start line and header lines, which the names are looked for in.
        lines: the header lines alone.
        size: bytes of head behind the start line.

    A shape that was seen before is found by what the lines begin with. Else one search finds all names, and one
    comparison of counts tells that no line is none of them, or stands behind a bare CR or LF.
    """
    clue = b"".join([line[:CLUE] for line in lines])
    shape = expected(clue)
    if shape is not None and _size(shape.starts, lines) == size:
        return shape
    found = _NAMES.findall(head)
    return shape_of(found, clue) if found and len(found) == len(lines) else None


def _size(starts: list[bytes], lines: list[bytes]) -> int:
    """Return the bytes of lines that begin as they should, with a CRLF before each; -1 for others.

    Replaces looking for all names anew. Where a bare CR or LF stands between two lines, the bytes are fewer.
    """
    if len(starts) != len(lines):
        return -1
    size = 2 * len(lines)
    for place, line in enumerate(lines):
        if not line.startswith(starts[place]):
            return -1
        size += len(line)
    return size


_NAMES = re.compile(rb"\r\n(" + TOKEN_CLASS + rb"++)[ \t]*+:")


def _split_odd(data: bytes, limits: Limits) -> Message:
    """Take any datagram apart, line by line: folds, LF line ends, and what is broken."""
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
    if len(lines[0]) > limits.line:
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
    """Read a start line as nearly everybody writes it; False where `_read_start_line` has to look."""
    message.start = line
    first, _, rest = line.partition(b" ")
    if first == b"SIP/2.0":
        message.status = _STATUS.get(rest[:4], 0)
        message.reason = rest[4:]
        return message.status != 0
    uri, _, version = rest.partition(b" ")
    if first in KNOWN_METHODS and version == b"SIP/2.0" and uri and TAB not in uri:
        message.method, message.uri = first, uri
        return True
    return False


_STATUS = {b"%d " % status: status for status in range(100, 700)}


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
    message.take(Shape([line.partition(b":")[0] for line in kept]))
    if len(kept) > limits.headers:
        raise _broken(message, "Too many headers", 513)
    if kept and max(map(len, kept)) > limits.line:
        raise _broken(message, "Header line too long", 513)


def read_values(message: Message) -> None:
    """Read the values that every message needs, and check those that must be right.

    Of a response's From, To and Call-ID nothing goes on but the To tag: the sender gets back what it wrote itself.

    Raises:
        Malformed: as `parse`.
    """
    try:
        _read_via(message)
        index, lines = message.index, message.lines
        if message.shape.repeated:
            raise Malformed("Repeated " + message.shape.repeated.decode().title())
        try:
            message.cseq, message.cseq_method = _cseq_of(lines[index[b"cseq"][0]])
            if message.method:
                read_identity(message)
            elif message.status != 100 and index[b"from"] and index[b"call-id"]:
                message.to, message.to_tag = _tagged(lines[index[b"to"][0]], "To")
        except KeyError as missing:
            raise Malformed("Missing " + _SPELLED[missing.args[0]]) from None
        _read_body(message)
        if message.method:
            if message.cseq_method != message.method:
                raise Malformed("CSeq method mismatch", 400 if message.method in KNOWN_METHODS else 501)
            if not message.uri:
                _read_request_line(message)
            limit = index.get(b"max-forwards")
            if limit:
                message.max_forwards = _max_forwards_of(lines[limit[0]])
    except Malformed as error:
        raise _broken(message, error.why, error.code) from None


def read_identity(message: Message) -> None:
    """Read From, To and Call-ID.

    Raises:
        KeyError: with the name of what is missing.
        Malformed: for what cannot be read.
    """
    index, lines = message.index, message.lines
    message.from_, message.from_tag = _tagged(lines[index[b"from"][0]], "From")
    message.to, message.to_tag = _tagged(lines[index[b"to"][0]], "To")
    message.call_id = _call_id_of(lines[index[b"call-id"][0]])


_SPELLED = {b"from": "From", b"to": "To", b"call-id": "Call-ID", b"cseq": "CSeq"}


def _read_via(message: Message) -> None:
    places = message.index.get(b"via")
    if not places:
        raise Malformed("Missing Via", 0)
    line = message.lines[places[0]]
    message.via = (message.status and _own_via(line)) or _via_of(line)


def _own_via(line: bytes) -> Via | None:
    """Return what matters of a response's Via: the branch, if we made it. None where the whole must be read.

    Whether it is ours nobody has to believe: it is looked up among the branches that we sent.
    """
    branch = line.partition(b";branch=z9hG4bK")[2].partition(b";")[0]
    if not branch or COMMA in line or SPACE in branch or TAB in branch or LF in branch:
        return None
    return Via(b"", b"", 0, NO_PARAMS, b"z9hG4bK" + branch, b"")


# What stands in whole lines. Remembered is what repeats from call to call; the rest is cheaper to read than to keep.


def value_of(line: bytes) -> bytes:
    """Return the unfolded value of a header line."""
    return unfold(line.partition(b":")[2])


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
    front, _, tag = line.rpartition(b">;tag=")
    if not front and line.endswith(b">"):
        front, tag = line[:-1], b""
    try:
        if front and (is_token(tag) if tag else line.endswith(b">")):
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
    call_id = value_of(line)
    if CALL_ID.fullmatch(call_id) is None:
        raise Malformed("Malformed Call-ID" if call_id else "Missing Call-ID")
    return call_id


@remembered
def _cseq_of(line: bytes) -> tuple[int, bytes]:
    return parse_cseq(value_of(line))


KNOWN_METHODS = frozenset(
    (b"INVITE", b"ACK", b"CANCEL", b"BYE", b"PRACK", b"UPDATE", b"REGISTER", b"OPTIONS", b"SUBSCRIBE", b"NOTIFY",
     b"PUBLISH", b"MESSAGE", b"INFO", b"REFER")
)  # fmt: skip


def _read_body(message: Message) -> None:
    """Cut the body to Content-Length (§18.3): extra octets are discarded, a short body is an error."""
    places = message.index.get(b"content-length")
    if places is None:
        return
    surplus = len(message.body) - _length_of(message.lines[places[0]])
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
