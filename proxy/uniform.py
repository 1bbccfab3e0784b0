"""One handwriting for all: messages whose lines do not tell which make of phone wrote them (peers.md §3 item 12).

The order of header lines, the case and length of their names, blanks, folds, and the order of option tags differ from
stack to stack and stay the same in all calls of one. Towards a trunk with `uniform = true` they are the same for
everybody. It depends on nothing but the message, so retransmissions and the messages of one dialog agree.

What stays: CSeq (both ends count with it, RFC 3261 §12.2), the order of values of one header, which means something
(§7.3.1), what stands within a value, the lines of a session description but for the numbers of o= (`filters/sdp.py`),
and which headers and codecs there are at all.
"""

from __future__ import annotations

import re

from proxy.grammar import COMPACT
from proxy.headers import split_list, unfold
from proxy.memo import remembered
from proxy.message import Draft
from proxy.serialise import serialise

MAX_HOPS = 69
"""Highest Max-Forwards that leaves: what a phone's 70 (RFC 3261 §8.1.1.6) is behind us.

A phone that begins with more would be known by it. It is never raised: a message that circles has to die.
"""
# RFC 3261 §7.3.1: what proxies need stands first; the body's description last.
_ORDER = (
    b"Via", b"Route", b"Record-Route", b"Max-Forwards", b"Max-Breadth", b"Proxy-Require", b"Proxy-Authorization",
    b"From", b"To", b"Call-ID", b"CSeq", b"Contact",
)  # fmt: skip
_LAST = (
    b"MIME-Version", b"Content-Disposition", b"Content-Encoding", b"Content-Language", b"Content-Type",
    b"Content-Length",
)  # fmt: skip
_RANKS = {name: rank for rank, name in enumerate(_ORDER)} | {
    name: len(_ORDER) + 1 + rank for rank, name in enumerate(_LAST)
}
_OTHERS = len(_ORDER)
# Names that RFCs do not write in Title-Case.
_ODD = {
    name.lower(): name
    for name in (
        b"Call-ID", b"CSeq", b"WWW-Authenticate", b"MIME-Version", b"RAck", b"RSeq", b"Content-ID", b"Min-SE",
        b"SIP-ETag", b"SIP-If-Match", b"P-DCS-Trace-Party-ID", b"P-Called-Party-ID", b"P-Associated-URI",
        b"P-Charging-Function-Addresses", b"Session-ID",
    )
}  # fmt: skip
_SETS = frozenset((b"Supported", b"Allow", b"Allow-Events"))
"""Headers that are sets: neither the order of their tokens means anything, nor how many lines they stand on."""
_LINE_END = re.compile(rb"\r\n(?![ \t])")


def uniform(draft: Draft) -> bytes:
    """Return the bytes of a draft in the one handwriting."""
    head, _, body = serialise(draft).partition(b"\r\n\r\n")
    start, *lines = _LINE_END.split(head)
    values: dict[bytes, list[bytes]] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        values.setdefault(canonical(name.rstrip(b" \t").lower()), []).append(unfold(value))
    out = [start]
    for name in sorted(values, key=_place):
        out += [name + b": " + value for value in _written(name, values[name])]
    return b"\r\n".join([*out, b"", body])


@remembered
def canonical(name: bytes) -> bytes:
    """Return the full name of a header as RFCs write it, given it in lower case."""
    full = COMPACT.get(name, name)
    return _ODD.get(full) or b"-".join(word.capitalize() for word in full.split(b"-"))


def _place(name: bytes) -> tuple[int, bytes]:
    return _RANKS.get(name, _OTHERS), name


def _written(name: bytes, values: list[bytes]) -> list[bytes]:
    if name in _SETS:
        items = {item for value in values for item in split_list(value)}
        # Option tags are the same in any case (§7.3.1); methods and event packages are not.
        return [b", ".join(sorted({item.lower() for item in items} if name == b"Supported" else items))]
    if name == b"Max-Forwards":
        return [b"%d" % min(int(value), MAX_HOPS) if value.isdigit() else value for value in values]
    return values
