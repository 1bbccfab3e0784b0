"""STUN Binding on the SIP port: what phones with Outbound keep their way through a NAT open with (RFC 5626 §8).

The answer says from where the question came, and no more (RFC 8489 §7.3.1, §14.2): 32 bytes over IPv4 to 20, so nobody
is worth being flooded by it; and it goes to known phones alone. What is no plain Binding request gets silence.
"""

from __future__ import annotations

import ipaddress

BINDING = b"\x00\x01"
"""Binding request."""
_SUCCESS = b"\x01\x01"
_COOKIE = b"\x21\x12\xa4\x42"
_HEADER = 20
MAX_SIZE = 128
"""Longest request that is looked at: keep-alives have 20 bytes, some 40 with SOFTWARE and FINGERPRINT."""
_XOR_MAPPED_ADDRESS = b"\x00\x20"
_OPTIONAL = 0x80
"""First byte from which on an attribute need not be understood (§14)."""


def answer(data: bytes, peer: tuple[str, int]) -> bytes | None:
    """Return the response to a Binding request from an address; None for anything else.

    A request with an attribute that has to be understood is none of a keep-alive: we understand none.
    """
    size = len(data)
    if not _HEADER <= size <= MAX_SIZE or data[:2] != BINDING or data[4:8] != _COOKIE:
        return None
    if int.from_bytes(data[2:4], "big") != size - _HEADER or size % 4 or not _are_optional(data):
        return None
    mapped = _xored(data[4:_HEADER], peer)
    body = _XOR_MAPPED_ADDRESS + len(mapped).to_bytes(2, "big") + mapped
    return _SUCCESS + len(body).to_bytes(2, "big") + data[4:_HEADER] + body


def _are_optional(data: bytes) -> bool:
    """Tell whether the attributes are whole, and none of them has to be understood."""
    place = _HEADER
    while place < len(data):
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        if data[place] < _OPTIONAL:
            return False
        place += 4 + (length + 3) // 4 * 4
    return place == len(data)


def _xored(key: bytes, peer: tuple[str, int]) -> bytes:
    """Return family, port and address; the latter two XORed with cookie and transaction id (§14.2)."""
    address = ipaddress.ip_address(peer[0].partition("%")[0]).packed
    family = b"\x00\x01" if len(address) == 4 else b"\x00\x02"
    port = peer[1] ^ int.from_bytes(key[:2], "big")
    hidden = bytes(one ^ other for one, other in zip(address, key, strict=False))
    return family + port.to_bytes(2, "big") + hidden
