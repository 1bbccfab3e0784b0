"""`verstat`, what a verification found, as a URI parameter (3GPP TS 24.229 §7.2A.20): for the trust domain to say."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from proxy.errors import Malformed
from proxy.headers import NameAddr, parse_name_addr, split_list
from proxy.memo import remembered

_NAME_END = re.compile(rb"[=@?>]")
_REST = re.compile(rb"[@?>]")


def without_verstat(uri: bytes) -> bytes:
    """Return a URI less the parameter, behind a number (`sip:+1…;verstat=…@host`) or behind the host."""
    if b";" not in uri or b"verstat" not in unquote_to_bytes(uri).lower():
        return uri
    head, *items = uri.split(b";")
    kept = [head]
    for item in items:
        # Escaped letters name the same parameter (RFC 3261 §19.1.4).
        name = unquote_to_bytes(_NAME_END.split(item, maxsplit=1)[0])
        rest = _REST.search(item)
        if name.strip().lower() != b"verstat":
            kept.append(b";" + item)
        elif rest is not None:
            kept.append(item[rest.start() :])
    return b"".join(kept)


@remembered
def disclaimed(address: NameAddr) -> NameAddr:
    """Return an address whose URI claims no verification."""
    return address._replace(uri=without_verstat(address.uri))


def disclaimed_value(value: bytes) -> bytes | None:
    """Return a list of addresses without the claim; None for nothing, as for one that cannot be read."""
    if b"verstat" not in unquote_to_bytes(value).lower():
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
    return param.partition(b"=")[0].strip().lower() == b"verstat"
