"""Messages of a file or capture, addressed anew for the run that explains them.

What the far side answered was an answer to what somebody else had sent. Its Via, tags, Call-ID and Route set are
replaced by those of this run, as a user agent would write them; everything else stays as it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from config.settings import Limits
from proxy.errors import Malformed
from proxy.headers import parse_name_addr, parse_params
from proxy.message import Message
from proxy.parse import parse, read_identity, split
from proxy.uri import parse_sip_uri

LIMITS = Limits(headers=1024, line=65_535)
"""What is read here at most; the proxy's own limits are applied when it gets the message."""
_DIALOG = (b"via", b"from", b"to", b"call-id", b"cseq")


def read(data: bytes) -> Message | None:
    """Return a message, None where it cannot be read."""
    try:
        message = parse(data, LIMITS)
        read_identity(message)
    except Malformed:
        return None
    return message


def response_to(request: Message, response: Message, is_ours: Callable[[bytes], bool]) -> bytes:
    """Return a response as the answer to request (RFC 3261 §8.2.6).

    Args:
        request: as it was sent to the side that answers.
        response: as it was given.
        is_ours: tells a Record-Route URI that names this proxy; the request's own stand for it.
    """
    to = request.lines[request.index[b"to"][0]]
    if response.to_tag and not request.to_tag:
        to += b";tag=" + response.to_tag
    lines = [request.lines[place] for place in request.index[b"via"]]
    routes = [value for value in response.items(b"record-route") if not is_ours(parse_name_addr(value).uri)]
    lines += [b"Record-Route: " + value for value in routes]
    lines += [request.lines[place] for place in request.index.get(b"record-route", ())]
    lines += [request.lines[request.index[b"from"][0]], to]
    lines += [request.lines[request.index[name][0]] for name in (b"call-id", b"cseq")]
    return _written(response.start, [*lines, *_others(response, (*_DIALOG, b"record-route"))], response.body)


def within(request: Message, dialog: Message, sent: Message, tag: bytes) -> bytes:
    """Return a request as one within a dialog of this run (RFC 3261 §12.2.1.1).

    Args:
        request: as it was given.
        dialog: what its sender knows the dialog by: the response that it got, or the request that it got.
        sent: what its sender itself sent of the dialog: its request, or its response.
        tag: the far end's tag, as its sender knows it.
    """
    routes = dialog.items(b"record-route")
    if dialog.status:
        routes.reverse()
        near, far = sent.lines[sent.index[b"from"][0]], dialog.lines[dialog.index[b"to"][0]]
    else:
        near, far = sent.lines[sent.index[b"to"][0]], dialog.lines[dialog.index[b"from"][0]]
    contact = dialog.address(b"contact")
    start = request.start if contact is None else b"%b %b SIP/2.0" % (request.method, contact.uri)
    anew = {
        b"from": b"From:" + near.partition(b":")[2],
        b"to": b"To:" + _tagged(far.partition(b":")[2], tag),
        b"call-id": b"Call-ID: " + dialog.call_id,
    }
    lines: list[bytes] = []
    for name, line in zip(request.names, request.lines, strict=True):
        if name == b"from":
            lines += [b"Route: " + route for route in routes]
        if name != b"route":
            lines.append(anew.get(name, line))
    return _written(start, lines, request.body)


def with_to_tag(request: Message, tag: bytes) -> bytes:
    """Return a request whose To has a tag: the ACK of a refusal (§17.1.1.3)."""
    place = request.index[b"to"][0]
    lines = list(request.lines)
    name, _, value = lines[place].partition(b":")
    lines[place] = name + b":" + _tagged(value, tag)
    return _written(request.start, lines, request.body)


def request_for(response: Message, host: bytes) -> bytes:
    """Return a request that a response may have answered: what its own lines tell, and nothing else."""
    to = response.to.address
    user = parse_sip_uri(response.from_.uri)
    contact = b"<sip:%b@%b>" % (user.user if user and user.user else b"phone", host)
    lines = [
        b"Via: SIP/2.0/UDP %b;branch=z9hG4bKexplain;rport" % host,
        b"Max-Forwards: 70",
        b"From: %b;tag=%b" % (response.from_.address, response.from_tag or b"explain"),
        b"To: " + to,
        *(response.lines[response.index[name][0]] for name in (b"call-id", b"cseq")),
        b"Contact: " + contact,
        b"Content-Length: 0",
    ]
    return _written(b"%b %b SIP/2.0" % (response.cseq_method, response.to.uri), lines, b"")


def as_subscriber(request: Message, subscriber: bytes, *, called: bool) -> bytes:
    """Return a request from, or to, another address of record; the same bytes where it is that one's already."""
    header = b"to" if called else b"from"
    address = request.to if called else request.from_
    uri = _uri_of(subscriber, address.uri)
    if _same(uri, address.uri):
        return request.raw
    lines = list(request.lines)
    place = request.index[header][0]
    name, _, value = lines[place].partition(b":")
    parsed = parse_name_addr(value.strip())
    lines[place] = name + b": " + parsed._replace(uri=uri).address + parsed.params
    start = b"%b %b SIP/2.0" % (request.method, uri) if called else request.start
    return _written(start, lines, request.body)


def _uri_of(subscriber: bytes, like: bytes) -> bytes:
    """Return a URI for what people write: a URI, `alice@example.net`, or a number."""
    if subscriber.lower().startswith((b"sip:", b"sips:", b"tel:")):
        return subscriber
    if b"@" in subscriber:
        return b"sip:" + subscriber
    parsed = parse_sip_uri(like)
    return b"sip:%b@%b" % (subscriber, parsed.host) if parsed else b"tel:" + subscriber


def _same(one: bytes, other: bytes) -> bool:
    """Tell whether two URIs are one address of record (RFC 3261 §10.3 item 5, less its corner cases)."""
    first, second = parse_sip_uri(one), parse_sip_uri(other)
    if first is None or second is None:
        return one.lower() == other.lower()
    return (first.user, first.host.lower()) == (second.user, second.host.lower())


def _tagged(value: bytes, tag: bytes) -> bytes:
    """Return a To value with this tag and no other."""
    address = parse_name_addr(value.strip())
    params = {**parse_params(address.params), b"tag": tag}
    return b" " + address.address + b"".join(b";%b=%b" % item if item[1] else b";" + item[0] for item in params.items())


def _others(message: Message, names: Iterable[bytes]) -> list[bytes]:
    """Return the lines of a message but for those names."""
    skipped = frozenset(names)
    return [line for name, line in zip(message.names, message.lines, strict=True) if name not in skipped]


def _written(start: bytes, lines: Iterable[bytes], body: bytes) -> bytes:
    data = b"\r\n".join([start, *lines, b"", b""]) + body
    split(data, LIMITS)
    return data
