"""What a request must be like before anything is done for it, in the order of RFC 3261 §16.3."""

from __future__ import annotations

from proxy.errors import Malformed, Refused
from proxy.message import Message
from proxy.uri import SipUri, parse_sip_uri

MAGIC_COOKIE = b"z9hG4bK"
"""Start of every branch made by an RFC 3261 element (§8.1.1.7)."""
PROXY_OPTIONS = frozenset((b"privacy",))
"""Option tags that we fulfil in Proxy-Require (RFC 3323 §4.2)."""


def read_request_uri(request: Message) -> SipUri | None:
    """Return the Request-URI; None for a scheme that a route may still serve (tel, urn).

    Raises:
        Refused: 400 for a broken URI or one with headers, which would be turned into header fields
            (RFC 4475 §3.1.2.11); 416 for schemes that nobody here knows (§16.3 item 2).
    """
    try:
        uri = parse_sip_uri(request.uri)
    except Malformed as error:
        raise Refused(400, error.why) from None
    if uri is None:
        if request.uri.partition(b":")[0].lower() not in (b"tel", b"urn"):
            raise Refused(416, "Unsupported URI Scheme")
        return None
    if uri.headers:
        raise Refused(400, "Headers in Request-URI")
    return uri


def check(request: Message) -> None:
    """Check Max-Forwards and branch (§16.3 item 3); the loop check stands between these and Proxy-Require.

    Raises:
        Refused: 483 or 400.
    """
    if request.max_forwards == 0:
        raise Refused(483, "Too Many Hops")
    branch = request.via.branch
    if len(branch) == len(MAGIC_COOKIE) and branch.lower() == MAGIC_COOKIE.lower():
        # A cookie with nothing behind it identifies no transaction (RFC 4475 §3.2.1).
        raise Refused(400, "Empty branch")


def check_proxy_require(request: Message) -> None:
    """Refuse what we cannot do for a proxy's client; Require is not ours to look at (§16.3 item 5).

    Raises:
        Refused: 420 that names the option tags in Unsupported.
    """
    if b"proxy-require" not in request.index:
        return
    unknown = [tag for tag in request.items(b"proxy-require") if tag.lower() not in PROXY_OPTIONS]
    if unknown:
        raise Refused(420, "Bad Extension", b"Unsupported: " + b", ".join(unknown))
