"""message/cpim: the header that an instant message carries around itself, with the names of both ends (RFC 3862).

Only the header is read here; what it wraps is a MIME part, which `bodies` judges like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from config.vocabulary import Category
from filters.forms import QUOTED, FormError
from proxy.pack import ANONYMOUS

Hides = Callable[[Category], bool]
"""Whether a category may not be seen."""
MAX_LINES = 64
"""Header lines of one message; real ones have five to ten."""

_END = re.compile(rb"\r?\n\r?\n")
# RFC 3862 §3.2: Header = Header-name ":" *( ";" Parameter ) SP Header-value
_LINE = re.compile(rb"([A-Za-z0-9.!%*_+`'~#$&^{}|-]+):((?:;[^ ]+)?) ?(.*)")
# §4.1: From-header = "From" ": " [ Formal-name ] "<" URI ">"; the name is tokens or a string
_ADDRESS = re.compile(rf'(?:{QUOTED}|[^<>"]*+)[ \t]*<([^<>\s]+)>[ \t]*'.encode())
# §4.5, RFC 3339: a time in UTC, or with the offset that tells where somebody is
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)")


def read(body: bytes) -> tuple[Sequence[tuple[bytes, bytes, bytes]], bytes]:
    """Return the header lines as (name, parameters, value), and the MIME part that they speak of.

    Raises:
        FormError: for what is no such message.
    """
    found = _END.search(body)
    if not found:
        raise FormError("message/cpim has no blank line behind its headers")
    lines = body[: found.start()].split(b"\n")
    if len(lines) > MAX_LINES:
        raise FormError(f"message/cpim has more than {MAX_LINES} header lines")
    return [_line(raw.removesuffix(b"\r")) for raw in lines], body[found.end() :]


def _line(raw: bytes) -> tuple[bytes, bytes, bytes]:
    found = _LINE.fullmatch(raw)
    if not found:
        raise FormError("a line of message/cpim is no header")
    return found[1], found[2], found[3]


def cleaned(headers: Sequence[tuple[bytes, bytes, bytes]], hides: Hides) -> bytes:
    """Return what may pass of the header, with the blank line behind it."""
    lines = [line for name, params, value in headers for line in _cleaned(name, params, value, hides)]
    return b"\r\n".join([*lines, b"", b""])


def _cleaned(name: bytes, params: bytes, value: bytes, hides: Hides) -> Iterator[bytes]:
    kind = name.lower()
    if kind in (b"from", b"to", b"cc"):
        address = _address(value, hides, is_copy=kind == b"cc")
        if address is not None:
            yield name + b": " + address
    elif kind == b"subject":
        # Content, and where it stands the content may be seen; `;lang=fr` tells something else (RFC 3862 §4.6).
        yield name + b":" + (b"" if hides(Category.LOCATION) else params) + b" " + value
    elif kind == b"datetime":
        if not hides(Category.LOCATION) or (_TIME.fullmatch(value) and value.endswith(b"Z")):
            yield name + b": " + value
    elif not hides(Category.UNKNOWN):
        yield name + b":" + params + b" " + value


def _address(value: bytes, hides: Hides, *, is_copy: bool) -> bytes | None:
    """Return a From, To or cc without what may not be seen; None for one that nobody needs then."""
    if hides(Category.NUMBER) or hides(Category.NETWORK):
        # Both ends are in the message that carries this one; who else got it nobody has to know.
        return None if is_copy else b"<" + ANONYMOUS.uri + b">"
    if not hides(Category.NAME):
        return value
    found = _ADDRESS.fullmatch(value)
    return b"<" + found[1] + b">" if found else None
