"""The coarse part of a header: the country without the cell, the product without its version."""

from __future__ import annotations

import re

# product = token [ SLASH product-version ] (RFC 3261 §25.1): a maker's name, as far as it is one word of letters.
_PRODUCT = re.compile(rb"[A-Za-z]{2,32}")
# access-type, and MCC: the first three digits of what names a cell (RFC 7315 §5.4, 3GPP TS 23.003 §2.2)
_ACCESS = re.compile(rb"\s*([A-Za-z0-9.-]{1,32})\s*(?:;|$)")
_CELL = re.compile(
    rb";\s*(utran-cell-id-3gpp|cgi-3gpp|utran-sai-3gpp)\s*=\s*\"?([0-9]{3})[0-9A-Fa-f]*\"?", re.IGNORECASE
)
_COUNTRY = re.compile(rb"\s*([A-Za-z]{2,3})\s*")
_LANGUAGE = re.compile(rb"\s*([A-Za-z]{2,3})(?:-[A-Za-z0-9-]+)?\s*(?:;.*)?")


def generalised(name: bytes, value: bytes) -> bytes | None:
    """Return the coarse part of a header's value; None where there is none that could be told.

    Args:
        name: of the header, canonical lower case; it discloses location or software.
        value: unfolded.
    """
    if name in (b"user-agent", b"server"):
        found = _PRODUCT.match(value)
        return found[0] if found else None
    if name == b"p-access-network-info":
        return _network(value)
    if name in (b"accept-language", b"content-language"):
        languages = [_LANGUAGE.fullmatch(item) for item in value.split(b",")]
        return b", ".join(dict.fromkeys(one[1].lower() for one in languages if one)) or None
    if b"country" in name:
        found = _COUNTRY.fullmatch(value)
        return found[1] if found else None
    return None


def _network(value: bytes) -> bytes | None:
    """Return the kind of access and the country code of its cell."""
    kind = _ACCESS.match(value)
    if kind is None:
        return None
    cell = _CELL.search(value)
    return kind[1] + b";%b=%b" % (cell[1].lower(), cell[2]) if cell else kind[1]
