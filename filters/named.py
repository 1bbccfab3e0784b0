"""Whom the headers of a recording session name (RFC 3325, RFC 5806, RFC 7044, standards.md §5 R9)."""

from __future__ import annotations

from filters.said import uris
from proxy.errors import Malformed
from proxy.message import Message
from proxy.uri import parse_sip_uri

MAX_NAMED = 32
"""Who is looked up of one message; of more nobody knows whether all may be recorded."""
_NAMING = (
    b"p-asserted-identity", b"p-preferred-identity", b"remote-party-id", b"diversion", b"history-info", b"referred-by",
    b"p-called-party-id",
)  # fmt: skip
_ENDS = (b"x-nearendaddr", b"x-farendaddr")
"""Parameters of a From: who talks to whom in the call that a CUCM forks."""


def named(message: Message) -> tuple[bytes, ...]:
    """Return the URIs of all whom a message names as taking part in a call, each once."""
    found = [message.from_.uri, message.to.uri]
    for name in _NAMING:
        if name in message.index:
            found += uris(message.values(name))
    return tuple(dict.fromkeys([*_ends(message.from_.uri), *found]))


def _ends(uri: bytes) -> list[bytes]:
    """Return whom a From of a CUCM names in its parameters: numbers at its own host."""
    try:
        parsed = parse_sip_uri(uri)
    except Malformed:
        return []
    if parsed is None:
        return []
    users = [parsed.param(name) for name in _ENDS]
    return [bytes(parsed._replace(user=user, params=b"", headers=b"", password=b"")) for user in users if user]
