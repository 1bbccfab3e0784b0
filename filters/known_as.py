"""By which names somebody is private in a call, and is found again however a recording client writes it.

A number is known by its last digits: national, international, with another prefix or at another host it ends alike.
Another number may end so too, and is hidden as well while that call lasts. A name is known by itself wherever it does
not stand at a host of ours: clients write their own host behind it, or its address, or none. At a host of ours it is
that subscriber and nobody else. Who merely says that a name or number is its own is known by the whole of it, so that
nobody hides another one.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from config.subscriber_address import from_parts
from proxy.errors import Malformed
from proxy.uri import parse_sip_uri

LAST: Final = 7
"""Digits by which a number is known: what is dialled where it is at home has mostly as many."""
_SEPARATORS: Final = b"-.() "
# E.164 has 15 digits at most; a prefix may stand in front.
_NUMBER = re.compile(rb"\+?[0-9]{%d,20}" % LAST)
_NOBODY: Final = (b"anonymous", b"unavailable", b"unknown", b"restricted", b"")
"""Users that are nobody's (RFC 3323 §4.1.1.3, and what carriers write)."""
_NOWHERE: Final = b"anonymous.invalid"


def noted_as(uri: bytes, *, believed: bool) -> tuple[bytes, ...]:
    """Return the names by which a wish is kept of whom a URI names; () for nobody.

    Args:
        uri: sip, sips or tel.
        believed: whether it is known that this is whoever asks.
    """
    user, host = _parts(uri)
    number = _number(user)
    if number:
        return (_ending(number) if believed else _whole(number),)
    if user in _NOBODY or host == _NOWHERE:
        return ()
    return (_at(user, host), _at(user, b"")) if believed else (_at(user, host),)


def known_as(uri: bytes, homes: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the names by which whom a URI names may have asked; homes: hosts of ours, in lower case."""
    user, host = _parts(uri)
    number = _number(user)
    if number:
        return _ending(number), _whole(number)
    if user in _NOBODY or host == _NOWHERE:
        return ()
    return (_at(user, host),) if host in homes else (_at(user, host), _at(user, b""))


def _parts(uri: bytes) -> tuple[bytes, bytes]:
    """Return user and host of a URI, in the form in which they compare; b"" for what it has not."""
    if uri[:4].lower() == b"tel:":
        return unquote_to_bytes(uri[4:].partition(b";")[0]).lower(), b""
    try:
        parsed = parse_sip_uri(uri)
    except Malformed:
        return b"", b""
    if parsed is None:
        return b"", b""
    user = unquote_to_bytes(parsed.user).partition(b";")[0].partition(b":")[0].lower()
    return user, from_parts(b"", parsed.host)[1:]


def _number(user: bytes) -> bytes:
    number = user.translate(None, _SEPARATORS)
    return number.lstrip(b"+") if _NUMBER.fullmatch(number) else b""


def _ending(number: bytes) -> bytes:
    return b"~" + number[-LAST:]


def _whole(number: bytes) -> bytes:
    return b"=" + number


def _at(user: bytes, host: bytes) -> bytes:
    return b"%b@%b" % (user, host)
