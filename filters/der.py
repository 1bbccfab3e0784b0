"""Writes ASN.1 in DER (X.690): the few types that CMS takes.

`cryptography.hazmat.asn1` writes DER by declaration, but reads none of what others send (see `ber`), and two ways of
saying what a structure is would be one too many.
"""

from __future__ import annotations

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OID = 0x06
SEQUENCE = 0x30
SET = 0x31


def implicit(number: int) -> int:
    """Return the tag [number] of a primitive value."""
    return 0x80 | number


def explicit(number: int) -> int:
    """Return the tag [number] of a constructed value."""
    return 0xA0 | number


def value(tag: int, *contents: bytes) -> bytes:
    """Return one value, its contents put behind each other."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")  # X.690 §10.1: the fewest octets
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*contents: bytes) -> bytes:
    """Return a SEQUENCE."""
    return value(SEQUENCE, *contents)


def set_of(*contents: bytes) -> bytes:
    """Return a SET OF, in the order that DER wants (X.690 §11.6)."""
    return value(SET, *sorted(contents))


def octets(content: bytes) -> bytes:
    """Return an OCTET STRING."""
    return value(OCTET_STRING, content)


def bits(content: bytes) -> bytes:
    """Return a BIT STRING of whole octets."""
    return value(BIT_STRING, b"\x00", content)


def integer(number: int) -> bytes:
    """Return an INTEGER that is not negative."""
    return value(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER (X.690 §8.19)."""
    first, second, *others = map(int, dotted.split("."))
    return value(OID, *map(_arc, (40 * first + second, *others)))


def _arc(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(0x80 | number & 0x7F)
    return bytes(reversed(groups))
