"""Names and numbers: the outward form of From, To and Request-URI.

The display name and the number are two categories (a subscriber may hide one and show the other); the
host of either URI tells the network. A From whose number is hidden takes the exact anonymous form of
RFC 3323 §4.1.1.3; the dialled number in To and Request-URI is what the call is for and stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from config.vocabulary import Action, Category
from proxy.dialled import Prefixes
from proxy.errors import Malformed
from proxy.headers import NameAddr
from proxy.pack import ANONYMOUS
from proxy.policy import action, hides
from proxy.uri import SipUri, parse_sip_uri

# user = 1*( unreserved / escaped / user-unreserved ), less ";" which begins parameters of a telephone
# number (RFC 3261 §19.1.6) and less what only other systems' syntaxes need.
_USER = re.compile(rb"(?:[A-Za-z0-9\-_.!~*'()&=+$,/#]|%[0-9A-Fa-f]{2})+")
# local-number-digits and global-number-digits (RFC 3966 §3)
_TEL = re.compile(rb"\+?[0-9A-Fa-f*#().\-]+")
# service = top-level *("." sub-service), each let-dig [ *let-dig-hyp let-dig ] (RFC 5031 §3)
_LABEL = rb"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_SERVICE = re.compile(rb"urn:service:" + _LABEL + rb"(?:\." + _LABEL + rb")*", re.IGNORECASE)


def outward(
    original: NameAddr, decision: int, domain: bytes, *, is_from: bool,
    pseudonym: Callable[[bytes], bytes] | None = None,
) -> NameAddr:  # fmt: skip
    """Return display name and URI as the decision lets them pass; the same value where nothing is hidden.

    Args:
        original: a From or To without header parameters, or a bare URI.
        decision: packed actions.
        domain: host[:port] that stands for the sender's network.
        is_from: whether this is the sender's own identity.
        pseudonym: makes a keyed token of a value; without one, what is to have a pseudonym is anonymous.
    """
    number, name = action(decision, Category.NUMBER), action(decision, Category.NAME)
    if is_from and number is not Action.KEEP:
        if number is Action.PSEUDONYMISE and pseudonym is not None:
            # No number, and so nobody's: who shows one shows one of their own (47 CFR 64.1604).
            token = pseudonym(_identity(original.uri))
            return NameAddr(
                _alias(token) if name is Action.PSEUDONYMISE else b"", b"sip:p-%b@%b" % (token, domain), b""
            )
        return ANONYMOUS
    display = original.display
    if name is Action.PSEUDONYMISE and is_from and pseudonym is not None:
        display = _alias(pseudonym(_identity(original.uri)))
    elif name is not Action.KEEP:
        display = b""
    uri = _plain_uri(original.uri, domain) if hides(decision, Category.NETWORK) else original.uri
    return original._replace(display=display, uri=uri)


def asserted(identity: NameAddr, decision: int, domain: bytes) -> bytes:
    """Return an asserted identity (RFC 3325) as a hop may see it that is told the number."""
    display = b"" if hides(decision, Category.NAME) else identity.display
    uri = _plain_uri(identity.uri, domain) if hides(decision, Category.NETWORK) else identity.uri
    return NameAddr(display, uri, b"").address


def _alias(token: bytes) -> bytes:
    """Return a display name for a pseudonym."""
    return b'"Caller %b"' % token[:6].upper()


def _identity(uri: bytes) -> bytes:
    """Return what of an address tells a subscriber: not its parameters, nor the port of a phone that moves."""
    parsed = parse_sip_uri(uri)
    if parsed is None:
        return uri.partition(b";")[0]
    return parsed.user.partition(b";")[0] + b"@" + parsed.host.lower()


def without_prefix(uri: bytes, prefixes: Prefixes) -> bytes:
    """Return a dialled URI less a prefix that was for us, such as *67."""
    return prefixes.in_uri(uri).number


def _plain_uri(uri: bytes, domain: bytes) -> bytes:
    """Return a URI that holds a user or number, and nothing else of what it came with."""
    try:
        parsed = parse_sip_uri(uri)
    except Malformed:
        return ANONYMOUS.uri
    if parsed is not None:
        return _plain_sip(parsed, domain)
    number = uri.partition(b":")[2].partition(b";")[0]
    if uri[:4].lower() == b"tel:" and _TEL.fullmatch(number):
        return b"sip:%b@%b;user=phone" % (number, domain)
    return uri if _SERVICE.fullmatch(uri) else ANONYMOUS.uri


def _plain_sip(uri: SipUri, domain: bytes) -> bytes:
    user = uri.user.partition(b";")[0]
    if not user:
        return b"%b:%b" % (uri.scheme, domain)
    if not _USER.fullmatch(user):
        return ANONYMOUS.uri
    # Parameters compare without regard to case (RFC 3261 §19.1.4).
    phone = b";user=phone" if (uri.param(b"user") or b"").lower() == b"phone" else b""
    return b"%b:%b@%b%b" % (uri.scheme, user, domain, phone)
