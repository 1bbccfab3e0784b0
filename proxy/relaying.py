"""No relay for third parties: what phones may call at a trunk, and what nobody may write into a request of theirs.

A trunk costs money. It is there for our own domains, for telephone numbers, and for the domains that a line of the
routing table names (RFC 3261 §26.3.2 leaves it to the proxy's policy whom it serves). What the core is asked for it
decides itself: it is the operator's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from urllib.parse import unquote_to_bytes

from proxy.dialled import SEPARATORS
from proxy.errors import Refused
from proxy.grammar import PERCENT, SEMICOLON
from proxy.uri import SipUri

ANY = b"*"
"""In `domains` of a route: whatever host."""
# global-number-digits and local-number-digits (RFC 3966 §3) less visual separators and letters.
_NUMBER = re.compile(rb"\+?[0-9*#]+")
_SERVICE = b"service:"
"""What a URN of a service has behind its scheme (RFC 5031): it names no domain."""
_CONTEXT = re.compile(rb";phone-context=([^;]*)", re.IGNORECASE)


class Served:
    """Which Request-URIs are ours to serve at a trunk."""

    def __init__(self, is_us: Callable[[bytes, int], bool], domains: Iterable[str]) -> None:
        """Serve our own addresses and names, and these domains, with whatever port."""
        self._is_us = is_us
        self._domains = frozenset(domain.lower().encode() for domain in domains)

    def serves(self, uri: SipUri | None, user: bytes, domains: frozenset[bytes], *, on_purpose: bool) -> bool:
        """Tell whether a phone may call a URI at a trunk.

        Args:
            uri: the Request-URI; None for one that is neither sip nor sips.
            user: its user part; of another URI what follows the scheme.
            domains: further ones, by the line of the routing table that leads to the trunk.
            on_purpose: whether that line is for the beginning of this user part.
        """
        if uri is None:
            served = on_purpose or is_number(user) or user.lower().startswith(_SERVICE)
            return served and self._is_ours_in_context(user)
        if self._is_us(uri.host, uri.port) or uri.host.lower() in self._domains:
            return self._is_ours_in_context(user)
        if ANY in domains or uri.host.lower() in domains:
            return True
        return is_number(user) and self._is_ours_in_context(user)

    def _is_ours_in_context(self, user: bytes) -> bool:
        """Tell whether a local number is one of ours, and not of whoever phone-context names (RFC 3966 §5.1.5)."""
        if SEMICOLON not in user and PERCENT not in user:
            return True
        contexts = _CONTEXT.findall(unquote_to_bytes(user).lower())
        return all(each[:1] == b"+" or each in self._domains or self._is_us(each, 0) for each in contexts)


def is_number(user: bytes) -> bool:
    """Tell whether a user part, or what a tel URI has behind its scheme, is a telephone number."""
    dialled = unquote_to_bytes(user) if PERCENT in user else user
    return _NUMBER.fullmatch(dialled.partition(b";")[0].translate(None, SEPARATORS)) is not None


def check_maddr(uri: SipUri | None, is_us: Callable[[bytes, int], bool]) -> None:
    """Refuse a Request-URI that would have whoever comes next send it elsewhere (RFC 3261 §16.4, §19.1.1).

    Raises:
        Refused: 403 for a maddr that is not us.
    """
    if uri is None or not uri.params or b"maddr" not in uri.params.lower():
        return
    where = uri.param(b"maddr")
    if where is not None and not is_us(where.strip(b"[]"), uri.port):
        raise Refused(403, "maddr Not Allowed")
