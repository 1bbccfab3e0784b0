"""Whom the headers of a recording session name (RFC 3325, RFC 5806, RFC 7044, standards.md §5 R9)."""

from __future__ import annotations

from typing import NamedTuple

from proxy.errors import Malformed
from proxy.headers import parse_name_addr
from proxy.message import Message
from proxy.uri import parse_sip_uri

MAX_NAMED = 32
"""Who is looked up of one message; of more nobody knows whether all may be recorded."""
_NAMING = (
    b"p-asserted-identity", b"p-preferred-identity", b"remote-party-id", b"diversion", b"history-info", b"referred-by",
    b"p-called-party-id", b"p-served-user",
)  # fmt: skip
_ENDS = (b"x-nearendaddr", b"x-farendaddr")
"""Parameters of a From: who talks to whom in the call that a CUCM forks."""


class Named(NamedTuple):
    """Whom the headers of one message name."""

    uris: tuple[bytes, ...]
    """Each once."""
    complete: bool
    """Whether these are all: one that cannot be read, or is one too many, is somebody all the same."""


def named(request: Message) -> Named:
    """Return all whom a request names as taking part in a call."""
    return _named(request, [*_ends(request.from_.uri), request.from_.uri, request.to.uri])


def named_beside(message: Message) -> Named:
    """Return whom a message names beside From and To, which stay as they were when its dialog began."""
    return _named(message, [])


def _named(message: Message, found: list[bytes]) -> Named:
    complete = True
    for value in [value for name in _NAMING if name in message.index for value in message.items(name)]:
        try:
            found.append(parse_name_addr(value).uri)
        except Malformed:
            complete = False
    uris = tuple(dict.fromkeys(found))
    return Named(uris[:MAX_NAMED], complete and len(uris) <= MAX_NAMED)


def _ends(uri: bytes) -> list[bytes]:
    """Return whom a From of a CUCM names in its parameters: numbers at its own host."""
    try:
        parsed = parse_sip_uri(uri)
    except Malformed:
        return []
    if parsed is None:
        return []
    users = [parsed.param(name) for name in _ENDS]
    return [bytes(parsed.replaced(user=user, params=b"", headers=b"", password=b"")) for user in users if user]
