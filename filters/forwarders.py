"""Who forwarded a call before the core sent it on: those whose wish it is whether a trunk hears of it.

`history` is the one category that is not the caller's: what Diversion, History-Info and a `div` PASSporT tell
(RFC 8946 §10) is who was called first.
"""

from __future__ import annotations

from filters.passport import read
from filters.said import canonical, uris
from proxy.errors import Malformed
from proxy.message import Message

_TELLING = frozenset((b"diversion", b"history-info", b"identity"))
MAX_FORWARDERS = 8
"""How many are asked; beyond it nobody is known to have agreed. Networks divert a call five times at most (Q.763)."""


def tells_forwarding(request: Message) -> bool:
    """Tell whether a request has fields that may say who forwarded it."""
    return not request.index.keys().isdisjoint(_TELLING)


def forwarders(request: Message) -> tuple[bytes, ...]:
    """Return the URIs of those who forwarded a request: everybody whom it was for and is not for any more."""
    target = canonical(request.uri)
    named = [uri for name in (b"diversion", b"history-info") for uri in uris(request.values(name))]
    if b"identity" in request.index:
        named += [request.to.uri, *(uri for value in request.values(b"identity") for uri in _signed_for(value))]
    return tuple(dict.fromkeys(uri for uri in named if canonical(uri) != target))


def _signed_for(value: bytes) -> list[bytes]:
    """Return whom a PASSporT says was called, numbers as tel URIs; what cannot be read never goes on."""
    try:
        passport = read(value)
    except Malformed:
        return []
    return [b"tel:+" + one if one.isdigit() else b"sip:" + one for one in passport.dest + passport.div]
