"""Reads ASN.1 as CMS is written by others: DER, and of BER the indefinite lengths (X.690 §8.1.3.6).

RFC 5652 has BER; `openssl cms -stream` and Bouncy Castle's streams write indefinite lengths and strings in pieces.
Any other freedom of BER (lengths with leading zeros, tags of several octets) is nobody's, and refused. A SET OF may be
in any order. `cryptography.hazmat.asn1` reads DER alone.

Everything is bounded: the size by whoever reads, nesting by MAX_DEPTH, the work for indefinite lengths by MAX_STEPS.
"""

from __future__ import annotations

from typing import NamedTuple

from filters.der import OCTET_STRING
from filters.forms import FormError

MAX_DEPTH = 16
"""Values within values; CMS of one layer has eight."""
MAX_STEPS = 8192
"""Values walked over in search of the end of one of indefinite length; 1 MiB in pieces of 1,000 octets has 1,050."""

_CONSTRUCTED = 0x20
_LONG_TAG = 0x1F
_INDEFINITE = 0x80
_MAX_LENGTH_OCTETS = 4
_END = b"\x00\x00"


class CmsError(FormError):
    """CMS that cannot be read, made or opened; says why in one of a few sentences, and nothing of what is in it."""


class ValidityError(CmsError):
    """CMS that would be made for, or is for, a certificate that does not hold now."""


class Element(NamedTuple):
    """One value."""

    tag: int
    content: bytes
    raw: bytes
    """With tag and length as they came."""
    definite: bool
    """Whether the length was given, so that `raw` may be DER."""


class Reader:
    """Reads the values of one content from the front."""

    __slots__ = ("_at", "_data", "_depth", "_steps")

    def __init__(self, data: bytes, depth: int = 0) -> None:
        """Read data, which stands in depth other values."""
        if depth > MAX_DEPTH:
            raise CmsError("CMS is nested too deep")
        self._data = data
        self._depth = depth
        self._at = 0
        self._steps = 0

    def more(self) -> bool:
        """Tell whether anything is left."""
        return self._at < len(self._data)

    def end(self) -> None:
        """Raise CmsError where anything is left."""
        if self.more():
            raise CmsError("CMS has something where it should end")

    def is_next(self, tag: int) -> bool:
        """Tell whether a value of a tag follows."""
        return self.more() and self._data[self._at] == tag

    def any(self) -> Element:
        """Return the next value, whatever it is.

        Raises:
            CmsError: nothing is left, or it is not whole.
        """
        start = self._at
        content, size, definite = self._header(start)
        if definite:
            self._at = end = content + size
        else:
            end = self._end_of(content, self._depth + 1)
            self._at = end + len(_END)
        return Element(self._data[start], self._data[content:end], self._data[start : self._at], definite)

    def take(self, tag: int) -> Element:
        """Return the next value, which has a tag.

        Raises:
            CmsError: as `any`, or it has another.
        """
        if not self.is_next(tag):
            raise CmsError("CMS lacks something that it must have")
        return self.any()

    def maybe(self, tag: int) -> Element | None:
        """Return the next value where it has a tag."""
        return self.any() if self.is_next(tag) else None

    def into(self, tag: int) -> Reader:
        """Return a reader of what is in the next value, which has a tag."""
        return self.inside(self.take(tag))

    def inside(self, element: Element) -> Reader:
        """Return a reader of what is in a value that this one read."""
        return Reader(element.content, self._depth + 1)

    def pieces(self, element: Element) -> bytes:
        """Return a string that came whole (a primitive value) or in pieces (X.690 §8.7.3)."""
        if not element.tag & _CONSTRUCTED:
            return element.content
        inner = self.inside(element)
        found = []
        while inner.more():
            found.append(inner.take(OCTET_STRING).content)
            if len(found) > MAX_STEPS:
                raise CmsError("CMS has a string in too many pieces")
        return b"".join(found)

    def _header(self, at: int) -> tuple[int, int, bool]:
        """Return where the content of the value at a place begins, its size, and whether that is known."""
        data = self._data
        if len(data) - at < 2:
            raise CmsError("CMS is cut off")
        tag, first = data[at], data[at + 1]
        if tag & _LONG_TAG == _LONG_TAG:
            raise CmsError("CMS has a tag that it does not know")
        if first == _INDEFINITE:
            if not tag & _CONSTRUCTED:
                raise CmsError("CMS has a length that is none")
            return at + 2, 0, False
        start, size = at + 2, first
        if first > _INDEFINITE:
            start += first & 0x7F
            size = int.from_bytes(data[at + 2 : start], "big")
            # X.690 §10.1: the long form only where the short one does not suffice, and in the fewest octets
            if first & 0x7F > _MAX_LENGTH_OCTETS or size < 0x80 or not data[at + 2]:
                raise CmsError("CMS has a length that is none")
        if size > len(data) - start:
            raise CmsError("CMS is cut off")
        return start, size, True

    def _end_of(self, at: int, depth: int) -> int:
        """Return where the end-of-contents octets of a value are whose content begins at a place."""
        if depth > MAX_DEPTH:
            raise CmsError("CMS is nested too deep")
        while not self._data.startswith(_END, at):
            self._steps += 1
            if self._steps > MAX_STEPS:
                raise CmsError("CMS is in too many pieces")
            content, size, definite = self._header(at)
            at = content + size if definite else self._end_of(content, depth + 1) + len(_END)
        return at
