"""Who a subscriber is: its address of record in one canonical form, by which it is stored and found.

`user@host`, host in lower case, without port, parameters or password; or, for a telephone number that stands alone
(tel:), `+` and its digits; `forms` says where else it may stand. The user part keeps its case (RFC 3261 §19.1.4), and
what is needlessly escaped in it is not (§10.3, step 5).

Nothing here repeats what it was given in an error: that is personal data.
"""

from __future__ import annotations

import ipaddress
import re

MAX_USER = 255
MAX_HOST = 253
"""RFC 1035 §2.3.4: 255 octets on the wire, which are 253 characters."""

_RIGHT = 'write "user@host", "sip:user@host" or "+15550123"'
_SCHEME = re.compile(r"(sips?|tel):", re.IGNORECASE)
# RFC 3966 §3: global-number-digits = "+" *phonedigit DIGIT *phonedigit; phonedigit = DIGIT / "-" / "." / "(" / ")"
_SEPARATORS = str.maketrans("", "", "-.()")
# ITU-T E.164 §6: at most 15 digits.
_NUMBER = re.compile(r"\+[0-9]{1,15}")
_GLOBAL = re.compile(rb"\+[0-9]{1,15}")
# RFC 3261 §25.1: user = 1*( unreserved / escaped / user-unreserved )
_USER = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-Fa-f]{2})+")
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_NEEDS_NO_ESCAPE = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()&=+$,;?/")
# hostname = *( domainlabel "." ) toplabel [ "." ], and the underscore that names in use have.
_HOSTNAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.?")
_PORT = re.compile(r":[0-9]{1,5}")


class AddressError(ValueError):
    """Not an address of record; `wrong` and `right` are sentences for the operator, and quote nothing."""

    def __init__(self, wrong: str, right: str = _RIGHT) -> None:
        """Keep what is wrong, and what would be right."""
        super().__init__(f"{wrong}; {right}")
        self.wrong = wrong
        self.right = right


def canonical(text: str) -> bytes:
    """Return the canonical form of an address of record as an operator writes it.

    Raises:
        AddressError: it is none.
    """
    text = text.strip()
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else text
    if (scheme and scheme[1].lower() == "tel") or (not scheme and "@" not in rest and rest.startswith("+")):
        return _number(rest)
    user, at, where = rest.rpartition("@")
    if not at:
        raise AddressError("is no address of record")
    return from_parts(_user(user).encode(), _host(where).encode())


def from_parts(user: bytes, host: bytes) -> bytes:
    """Return the canonical form for user (without password) and host (without brackets) of a parsed SIP URI."""
    if b"%" in user:
        user = _ESCAPED.sub(_unescaped, user)
    if b":" in host:
        return b"%b@[%b]" % (user, _compressed(host))
    return b"%b@%b" % (user, host.lower().removesuffix(b"."))


def forms(address: bytes, realms: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the addresses under which a subscriber may be stored, the given one first: all canonical.

    A global number is the same in a sip and in a tel URI, and with visual separators (RFC 3261 §19.1.6): so it may be
    stored alone or at a host. realms are those that a number without a host belongs to.
    """
    user, _, host = address.rpartition(b"@")
    number = (user or host).translate(None, b"-.()")
    if not _GLOBAL.fullmatch(number):
        return (address,)
    hosts = (host,) if user else realms
    return tuple(dict.fromkeys((address, *(b"%b@%b" % (number, each) for each in hosts), number)))


def _compressed(host: bytes) -> bytes:
    """Return the one form of an IPv6 address (RFC 5952); what is none stays as it is and finds nobody."""
    try:
        return str(ipaddress.IPv6Address(host.decode("ascii", "replace"))).encode()
    except ValueError:
        return host.lower()


def _unescaped(match: re.Match[bytes]) -> bytes:
    """Return the octet itself where it may stand so, else its escape in upper case."""
    octet = int(match[1], 16)
    return bytes((octet,)) if octet in _NEEDS_NO_ESCAPE else match[0].upper()


def _number(text: str) -> bytes:
    """Return a global telephone number without parameters and visual separators."""
    number = text.partition(";")[0].translate(_SEPARATORS)
    if not number.startswith("+"):
        raise AddressError("is a local number, which means another subscriber elsewhere", 'write "+" and all digits')
    if not _NUMBER.fullmatch(number):
        raise AddressError("is no telephone number", 'write "+" and up to 15 digits')
    return number.encode()


def _user(user: str) -> str:
    """Hold a user part against the grammar."""
    if ":" in user:
        raise AddressError("has a password in it", "leave it out: a subscriber's address has none")
    if not _USER.fullmatch(user):
        raise AddressError("has no user part that SIP allows", f"{_RIGHT}; other letters as %XX")
    if len(user) > MAX_USER:
        raise AddressError(f"has a user part of more than {MAX_USER} characters")
    return user


def _host(where: str) -> str:
    """Return the host of what follows the `@`, without port and parameters, an IPv6 address without brackets."""
    where = where.partition(";")[0].partition("?")[0].lower()
    if where.startswith("["):
        inner, bracket, port = where[1:].partition("]")
        try:
            host = str(ipaddress.IPv6Address(inner)) if bracket and not (port and not _PORT.fullmatch(port)) else ""
        except ValueError:
            host = ""
    else:
        host, colon, port = where.partition(":")
        good = _HOSTNAME.fullmatch(host) and len(host) <= MAX_HOST and (not colon or _PORT.fullmatch(colon + port))
        host = host if good else ""
    if not host:
        raise AddressError("has no host after the @", 'write a name or an IP address, such as "user@example.net"')
    return host
