"""Addresses of record in one canonical form, so that registrar and calls find the same (RFC 3261 §10.3)."""

from __future__ import annotations

import re

from config.subscriber_address import from_parts
from proxy.uri import SipUri

# RFC 3966 §3: global-number-digits = "+" *phonedigit DIGIT *phonedigit; phonedigit = DIGIT / visual-separator
_GLOBAL = re.compile(rb"\+[0-9.()-]*[0-9][0-9.()-]*")
_SEPARATORS = b"-.()"


def address_of_record(user: bytes, host: bytes) -> bytes:
    """Return `user@host` in its one form; a global number is its digits, whatever stands around or behind them."""
    number = user.partition(b";")[0]
    if _GLOBAL.fullmatch(number):
        user = number.translate(None, _SEPARATORS)
    return from_parts(user, host)


def candidates(uri: SipUri | None, request_uri: bytes, domains: tuple[bytes, ...], *, ours: bool) -> list[bytes]:
    """Return the addresses of record that a Request-URI may mean, the one to try first at the head.

    Args:
        uri: the Request-URI taken apart, None for a tel URI or any other.
        request_uri: as it stands.
        domains: the registrar's, in lower case.
        ours: whether its host is an address or name of Sipveil itself, which stands for all of the domains.
    """
    if uri is None:
        scheme, _, rest = request_uri.partition(b":")
        number = rest.partition(b";")[0]
        if scheme.lower() != b"tel" or not _GLOBAL.fullmatch(number):
            return []
        return [address_of_record(number, domain) for domain in domains]
    if not uri.user:
        return []
    host = uri.host.lower().removesuffix(b".")
    if host in domains:
        return [address_of_record(uri.user, host)]
    return [address_of_record(uri.user, domain) for domain in domains] if ours else []
