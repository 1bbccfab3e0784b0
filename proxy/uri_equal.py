"""Whether two SIP URIs are the same one (RFC 3261 §19.1.4), as bindings and their refreshes are compared."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from proxy.uri import SipUri

_DECISIVE = (b"transport", b"user", b"ttl", b"method", b"maddr")
"""Parameters that keep two URIs apart where one alone has them; transport as in the section's examples."""


def equal(one: SipUri, other: SipUri) -> bool:
    """Tell whether two URIs are equal; user and password by their letters, all else in either case."""
    if one == other:
        return True
    if (one.scheme, one.host.lower(), one.port) != (other.scheme, other.host.lower(), other.port):
        return False
    if _plain(one.user) != _plain(other.user) or _plain(one.password) != _plain(other.password):
        return False
    return _same_params(_params(one), _params(other)) and _headers(one) == _headers(other)


def _plain(text: bytes) -> bytes:
    """Return a text less its escapes: what is escaped needlessly is the same."""
    return unquote_to_bytes(text)


def _params(uri: SipUri) -> dict[bytes, bytes]:
    items = [item.partition(b"=") for item in uri.params.split(b";")[1:]]
    return {_plain(name).lower(): _plain(value).lower() for name, _, value in items}


def _same_params(one: dict[bytes, bytes], other: dict[bytes, bytes]) -> bool:
    """Tell whether what both have agrees, and nothing that decides stands in one alone."""
    if any(one[name] != other[name] for name in one.keys() & other.keys()):
        return False
    return not any(name in one or name in other for name in _DECISIVE if (name in one) != (name in other))


def _headers(uri: SipUri) -> frozenset[bytes]:
    """Return the headers part, which never is ignored, in no order."""
    return frozenset(_plain(item) for item in uri.headers.split(b"&")) if uri.headers else frozenset()
