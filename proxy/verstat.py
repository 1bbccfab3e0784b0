"""What a verification found is for the trust domain to say (3GPP TS 24.229 §7.2A.20), and its result to Sipveil alone.

`verstat` stands in URIs, behind a number or behind the host, and in header parameters of those who write it there.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from proxy.errors import Malformed
from proxy.headers import NameAddr, parse_name_addr, split_list
from proxy.memo import remembered
from proxy.message import Draft
from proxy.party import Party
from proxy.shape import Names

RESULT = b"p-sipveil-verstat"
"""What Sipveil tells the core of a verification; nobody else may say it."""
_ASSERTED = (b"p-asserted-identity", b"p-preferred-identity", b"remote-party-id")
FINDINGS = (b"priority-verstat", b"attestation-info", b"origination-id")
"""What one network's verifier or signer is told by its own others (3GPP TS 24.229 §7.2.16 to §7.2.18)."""
CLAIMING: Final = Names(RESULT, *_ASSERTED, *FINDINGS)
"""Headers that may say what a verification found."""

# Where a name may begin: an escaped semicolon is one to whoever takes a user part for a number (RFC 3966 §5.1.5).
_SEPARATOR = re.compile(rb"(;|%3b|[?&]|%3f|%26)", re.IGNORECASE)
_NAME_END = re.compile(rb"[=@?>]|%3d", re.IGNORECASE)
_REST = re.compile(rb"[@>]")
MAX_ESCAPED = 3
"""How often a name may be escaped over again and still be told: nobody unescapes more often."""


def disclaim(draft: Draft, sender: Party) -> None:
    """Take away what a sender says of a verification, unless it may: the last word on a message, after its plan."""
    if not sender.in_core:
        _remove(draft, RESULT, "only Sipveil says what a verification found")
    if sender.trusted:
        return
    for name in FINDINGS:
        _remove(draft, name, "for the trust domain to say")
    for name in _ASSERTED:
        for position in draft.find(name):
            value = draft.value(position)
            kept = disclaimed_value(value)
            if kept != value:
                line = None if kept is None else draft.with_value(position, kept)
                draft.settle(position, line, "verstat is for the trust domain to say")


def _remove(draft: Draft, name: bytes, why: str) -> None:
    for position in draft.find(name):
        draft.settle(position, None, why)


def _plain(text: bytes) -> bytes:
    """Return a text in lower case without escapes: escaped letters name the same parameter (RFC 3261 §19.1.4)."""
    for _ in range(MAX_ESCAPED):
        if b"%" not in text:
            break
        text = unquote_to_bytes(text)
    return text.lower()


def claims(text: bytes) -> bool:
    """Tell whether a text names the parameter, wherever that may stand and however it is escaped."""
    return b"verstat" in _plain(text)


def without_verstat(uri: bytes) -> bytes:
    """Return a URI less the parameter, behind a number (`sip:+1…;verstat=…@host`) or behind the host."""
    if not claims(uri):
        return uri
    # Headers of a URI (`?P-Asserted-Identity=…`) have no place in an address that is shown (RFC 3261 §19.1.1).
    headers = uri.find(b"?", uri.rfind(b"@") + 1)
    if headers >= 0 and claims(uri[headers:]):
        uri = uri[:headers]
    head, *items = _SEPARATOR.split(uri)
    kept = [head]
    for separator, item in zip(items[::2], items[1::2], strict=True):
        if _plain(_NAME_END.split(item, maxsplit=1)[0]).strip() != b"verstat":
            kept.append(separator + item)
            continue
        rest = _REST.search(item)
        if rest is not None:
            kept.append(item[rest.start() :])
    return b"".join(kept)


@remembered
def disclaimed(address: NameAddr) -> NameAddr:
    """Return an address whose URI claims no verification."""
    return address._replace(uri=without_verstat(address.uri))


def disclaimed_value(value: bytes) -> bytes | None:
    """Return a list of addresses without the claim; None for nothing, as for one that cannot be read."""
    if not claims(value):
        return value
    kept = []
    for item in split_list(value):
        try:
            address = parse_name_addr(item)
        except Malformed:
            continue
        # A quoted value may hold semicolons; nothing that a call needs is quoted here.
        plain = address.params if b'"' not in address.params else b""
        params = b"".join(b";" + each for each in plain.split(b";")[1:] if not _names_verstat(each))
        kept.append(disclaimed(address).address + params)
    return b", ".join(kept) or None


def _names_verstat(param: bytes) -> bool:
    return _plain(param.partition(b"=")[0]).strip() == b"verstat"
