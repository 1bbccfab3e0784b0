"""What a message says that a PASSporT signs (RFC 8224 §4.1, §6.2): who calls, who is called, Date and media keys."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from proxy.errors import Malformed
from proxy.headers import parse_name_addr, split_list
from proxy.message import Draft, Message
from proxy.uri import parse_sip_uri

Key = tuple[bytes, bytes]
"""Hash algorithm in lower case, and digest in upper-case hexadecimal without colons."""

# RFC 3966 §3: phonedigit-hex less A to F, which RFC 8225 §5.2.1 has no room for, with visual separators
_NUMBER = re.compile(rb"\+?[0-9*#().\-]*[0-9*#][0-9*#().\-]*")
# Global numbers: a country code never begins with 0, and E.164 has 15 digits at most.
_GLOBAL = re.compile(rb"\+[1-9][0-9]{6,14}")
_SEPARATORS = b"().-"
# RFC 8122 §5
_FINGERPRINT = re.compile(
    rb"^a=fingerprint:[ \t]*([^\s]+)[ \t]+([0-9A-Fa-f:]+)[ \t]*\r?$", re.MULTILINE | re.IGNORECASE
)
_CALLER = (b"from", b"p-asserted-identity")


class Said(NamedTuple):
    """The parts of one message that a PASSporT speaks of, in the form in which they compare."""

    callers: frozenset[bytes]
    """Who calls, by From and every P-Asserted-Identity."""
    called: frozenset[bytes]
    """Who is called, by To and Request-URI."""
    literal: tuple[bytes, bytes]
    """URIs of From and To as they stand: what the compact form was made of is not told."""
    date: bytes
    keys: frozenset[Key]
    """Fingerprints of DTLS certificates in the body."""


def canonical(uri: bytes) -> bytes:
    """Return a URI as two of them compare: the digits of a number, or user@host; b"" for what cannot be read.

    A number is one whether it stands in a tel or a sip URI, with and without `+` (RFC 8224 §8.3).
    """
    scheme, _, rest = uri.partition(b":")
    if scheme.lower() == b"tel":
        return digits(rest.partition(b";")[0])
    try:
        parsed = parse_sip_uri(uri)
    except Malformed:
        return b""
    if parsed is None:
        return uri.lower()
    user = unquote_to_bytes(parsed.user.partition(b";")[0])
    return digits(user) or b"%b@%b" % (user, parsed.host.lower())


def digits(number: bytes) -> bytes:
    """Return a number without `+` and separators; b"" for what is none."""
    return number.translate(None, b"+" + _SEPARATORS) if _NUMBER.fullmatch(number) else b""


def global_number(uri: bytes) -> bytes:
    """Return the digits of an E.164 number with its country code, without `+`; b"" for everything else."""
    scheme, _, rest = uri.partition(b":")
    if scheme.lower() != b"tel":
        try:
            parsed = parse_sip_uri(uri)
        except Malformed:
            return b""
        rest = unquote_to_bytes(parsed.user) if parsed is not None else b""
    number = rest.partition(b";")[0].translate(None, _SEPARATORS)
    return number[1:] if _GLOBAL.fullmatch(number) else b""


def uris(values: Iterable[bytes]) -> list[bytes]:
    """Return the URIs of header values that are lists of addresses; what cannot be read has none."""
    found = []
    for value in values:
        for item in split_list(value):
            try:
                found.append(parse_name_addr(item).uri)
            except Malformed:
                continue
    return found


def values_of(draft: Draft, name: bytes) -> list[bytes]:
    """Return the values of all lines of a name that leave: those that are still there, edits included, and new ones."""
    head = name + b":"
    added = [line[len(head) :].strip() for line in draft.bottom if line[: len(head)].lower() == head]
    return [draft.value(position) for position in draft.find(name)] + added


def request_uri(draft: Draft) -> bytes:
    """Return the Request-URI that a draft leaves with."""
    return draft.start.partition(b" ")[2].rpartition(b" ")[0]


def received(request: Message) -> Said:
    """Return what a request said when it came."""
    lines = [value for name in _CALLER for value in request.values(name)]
    date = request.value(b"date") or b""
    return _said(lines, request.values(b"to"), request.uri, date, request.body)


def leaving(draft: Draft) -> Said:
    """Return what it says as it stands now."""
    lines = [value for name in _CALLER for value in values_of(draft, name)]
    date = (draft.first(b"date") if b"date" in draft else b"") or b""
    return _said(lines, values_of(draft, b"to"), request_uri(draft), date, draft.body)


def _said(callers: list[bytes], to: list[bytes], target: bytes, date: bytes, body: bytes) -> Said:
    calling, called = uris(callers), uris(to)
    literal = calling[0] if calling else b"", called[0] if called else b""
    return Said(
        frozenset(map(canonical, calling)) - {b""}, frozenset(map(canonical, (*called, target))) - {b""},
        literal, date, fingerprints(body),
    )  # fmt: skip


def fingerprints(body: bytes) -> frozenset[Key]:
    """Return the fingerprints in a body, whatever parts it has."""
    if b"fingerprint" not in body:
        return frozenset()
    return frozenset((kind.lower(), value.replace(b":", b"").upper()) for kind, value in _FINGERPRINT.findall(body))
