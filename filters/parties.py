"""Who else had to do with a call: Diversion, History-Info, Referred-By, Remote-Party-ID, P-Charge-Info and their like.

Where such a header may be seen, it still holds what is of another category: a display name, the host of somebody's
network, a Reason with a text, quoted values of all kinds. And an address in it may ask for privacy of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from proxy.derive import plain_reason
from proxy.errors import Malformed
from proxy.headers import NameAddr, parse_name_addr, parse_params, split_list
from proxy.pack import ANONYMOUS
from proxy.uri import SipUri, parse_sip_uri

_TOLD = (b"off", b"none", b"name")
"""Values of a `privacy` parameter (RFC 5806 §3, draft-ietf-sip-privacy-04 §6.2) that let the URI be seen."""


class Rules(NamedTuple):
    """What a decision makes of them."""

    hides_name: bool
    hides_network: bool
    withholds: bool
    """Whether the hop is outside the trust domain, where an address that asks for privacy does not go."""
    less_params: Callable[[bytes], bytes]
    """Takes the URI parameters out of a text that may not pass."""
    shown_name: Callable[[bytes], bytes]
    """Display name to what may pass of it."""
    leaks: Callable[[bytes], bool]
    """Whether a text holds a device id or an address that is hidden."""

    @property
    def leaves(self) -> bool:
        """Whether addresses that ask for nothing stay as they came."""
        return not (self.hides_name or self.hides_network)


def cleaned(value: bytes, domain: bytes, rules: Rules, *, addresses: bool) -> bytes | None:
    """Return what may pass of a header's value; None for nothing.

    Args:
        value: of the header, unfolded.
        domain: host[:port] that stands for the networks of others.
        rules: of the plan.
        addresses: whether the header holds addresses and nothing else: then what cannot be read falls. Of others only
            what looks like one does.
    """
    if rules.leaves and not (rules.withholds and b"privacy" in unquote_to_bytes(value).lower()):
        return None if rules.leaks(value) else value
    items = (_cleaned(item, domain, rules, addresses) for item in split_list(value))
    return b", ".join(filter(None, items)) or None


def _cleaned(item: bytes, domain: bytes, rules: Rules, addresses: bool) -> bytes | None:
    try:
        address = parse_name_addr(item)
        uri = parse_sip_uri(address.uri)
        params = parse_params(address.params)
    except Malformed:
        return None if addresses or b'"' in item or b"<" in item or rules.leaks(item) else item
    privacy = params.get(b"privacy", b"off").lower()
    if rules.withholds and (_asks(uri) or privacy not in _TOLD):
        # RFC 7044 §10.1.2: the entry stays, for its index is part of a tree; a Diversion says nothing without its URI.
        return b"<%b>;index=%b" % (ANONYMOUS.uri, params[b"index"]) if b"index" in params else None
    nameless = rules.withholds and privacy == b"name"
    if rules.leaves and not nameless:
        return None if rules.leaks(item) else item
    display = b"" if nameless else rules.shown_name(address.display)
    head, tail = _parts(address.uri, uri, rules)
    # A quoted value may be a text, or an id at somebody's host (Referred-By's cid).
    behind = b"".join(
        b";%b=%b" % (name, text) if text else b";" + name for name, text in params.items() if text[:1] != b'"'
    )
    if not head or any(map(rules.leaks, (head, tail, behind))):
        return None
    host = domain if rules.hides_network and uri is not None else b""
    return NameAddr(display, head + host + tail, b"").address + behind


def _parts(text: bytes, uri: SipUri | None, rules: Rules) -> tuple[bytes, bytes]:
    """Return a URI as it may pass, in two parts between which the domain goes; nothing where it only tells a host."""
    if uri is None:
        known = text.partition(b":")[0].lower() in (b"tel", b"urn")
        return (rules.less_params(text.partition(b"?")[0]) if known or not rules.hides_network else b""), b""
    user, params = rules.less_params(uri.user), rules.less_params(uri.params)
    shown = uri.replaced(user=user, params=params, headers=_reason(uri.headers), password=b"")
    if not rules.hides_network:
        return bytes(shown), b""
    tail = shown.params + (b"?" + shown.headers if shown.headers else b"")
    return (b"%b:%b@" % (shown.scheme, shown.user) if shown.user else b""), tail


def _headers(text: bytes) -> list[tuple[bytes, bytes]]:
    """Return name, in lower case, and value of the headers of a URI."""
    pairs = (item.partition(b"=") for item in text.split(b"&"))
    return [(unquote_to_bytes(name).lower(), unquote_to_bytes(value)) for name, _, value in pairs]


def _reason(headers: bytes) -> bytes:
    """Return the cause of a Reason among the headers of a URI (RFC 7044 §10.2), and nothing else of them."""
    causes = (plain_reason(value) for name, value in _headers(headers) if name == b"reason")
    return b"&".join(b"Reason=" + quote_from_bytes(cause, safe="").encode() for cause in causes if cause)


def _asks(uri: SipUri | None) -> bool:
    """Tell whether an entry of History-Info asks for privacy, in the headers of its URI (RFC 7044 §10.1.2)."""
    if uri is None or not uri.headers:
        return False
    return any(name == b"privacy" and value.strip().lower() != b"none" for name, value in _headers(uri.headers))
