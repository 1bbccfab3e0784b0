"""Compact, reversible binary forms of what goes into records: lengths, URIs, addresses, Call-IDs.

Every packer tries its short forms and keeps the first that unpacks to exactly the same bytes; what
fits none is stored as it stands. Nothing is ever joined by delimiters (dialogs.md).
"""

from __future__ import annotations

import re
import socket
from binascii import b2a_base64
from typing import Final

from proxy.encoding import BYTES, from_base64
from proxy.errors import Malformed
from proxy.grammar import only
from proxy.headers import NameAddr
from proxy.letters import to_base64, to_sixths
from proxy.memo import remembered
from proxy.uri import SipUri, parse_sip_uri

DERIVED = NameAddr(b"", b"", b"")
"""Stands in a record for an outward address that follows from the original, the decision and the side."""
ANONYMOUS_NAME: Final = b'"Anonymous"'
ANONYMOUS_URI: Final = b"sip:anonymous@anonymous.invalid"
ANONYMOUS = NameAddr(ANONYMOUS_NAME, ANONYMOUS_URI, b"")
"""The exact form of RFC 3323 §4.1.1.3."""


def is_anonymous(address: NameAddr) -> bool:
    """Tell whether an address is the anonymous one, whatever its header parameters."""
    display, uri, _ = address
    return uri == ANONYMOUS_URI and display == ANONYMOUS_NAME


class Reader:
    """Reads packed values off bytes from front to back.

    Raises:
        Malformed: from every method, when the bytes end too early.
    """

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        """Begin at the front of data."""
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return the next size bytes."""
        end = self._at + size
        if end > len(self._data):
            raise Malformed("Short record", 0)
        piece = self._data[self._at : end]
        self._at = end
        return piece

    def number(self, size: int) -> int:
        """Return the next size bytes as an unsigned number."""
        return int.from_bytes(self.take(size), "big")

    def text(self) -> bytes:
        """Return a string written by `pack_text`."""
        size = self.number(1)
        if size < _SHORT:
            return self.take(size)
        if size in (_DIGITS, _PLUS_DIGITS):
            return _unpack_digits(self, plus=size == _PLUS_DIGITS)
        if size == _SQUEEZED:
            return _stretch(self.take(self.number(1)))
        return self.take(self.number(2))

    def rest(self) -> bytes:
        """Return everything that is left."""
        return self.take(len(self._data) - self._at)


# The first byte of a string: its length, or one of these forms.
_SHORT: Final = 250
_DIGITS: Final = 251
_PLUS_DIGITS: Final = 252
_SQUEEZED: Final = 253
_LONG: Final = 255
_NUMBER = re.compile(rb"\+?[0-9]{6,40}")
#: What addresses are full of, each written as one byte above ASCII. Stands in records: only append.
_WORDS = (
    b";transport=udp", b";transport=tcp", b";transport=tls", b";user=phone", b";lr", b";ob", b"sip.", b"sip", b".com",
    b".net", b".org", b".example", b"proxy", b"phone", b"trunk", b"voip", b"gateway", b"carrier", b"pbx", b"sbc",
    b".co.uk", b".de", b".fr", b".it", b".nl", b".eu", b".us", b"edge", b"telecom", b"192.168.", b"10.", b"localhost",
)  # fmt: skip
_CODES = tuple((word, BYTES[128 + code]) for code, word in enumerate(_WORDS))
_ANY_WORD = re.compile(b"|".join(map(re.escape, _WORDS)))


def pack_text(text: bytes) -> bytes:
    """Write a string: as digits, with common words squeezed, or as it stands after its length."""
    size = len(text)
    if size > 5 and text.isascii():
        if _NUMBER.fullmatch(text):
            return _pack_digits(text)
        squeezed = _squeeze(text)
        if len(squeezed) + 1 < size and len(squeezed) < 256:
            return BYTES[_SQUEEZED] + BYTES[len(squeezed)] + squeezed
    if size < _SHORT:
        return BYTES[size] + text
    if size > 65535:
        raise Malformed("Value too long", 513)
    return BYTES[_LONG] + size.to_bytes(2, "big") + text


def _squeeze(text: bytes) -> bytes:
    if _ANY_WORD.search(text):  # mostly not, and in turn each would be looked for
        for word, code in _CODES:
            text = text.replace(word, code)
    return text


def _stretch(squeezed: bytes) -> bytes:
    return b"".join(_WORDS[byte - 128] if byte > 127 else bytes((byte,)) for byte in squeezed)


def _pack_digits(text: bytes) -> bytes:
    """Write a telephone number: form, how many digits, and two digits a byte."""
    digits = text.lstrip(b"+")
    form = _PLUS_DIGITS if len(digits) < len(text) else _DIGITS
    return bytes((form, len(digits))) + bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())


def _unpack_digits(reader: Reader, *, plus: bool) -> bytes:
    count = reader.number(1)
    return b"+" * plus + reader.take((count + 1) // 2).hex()[:count].encode()


def pack_ip(host: str) -> bytes:
    """Return the 4 or 16 bytes of a literal address; b"" for a name or an unusual spelling."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        packed = socket.inet_pton(family, host)
    except (OSError, ValueError):
        return b""
    return packed if socket.inet_ntop(family, packed) == host else b""


def unpack_ip(packed: bytes) -> str:
    """Return the text of 4 or 16 bytes of address.

    Raises:
        Malformed: for any other size, which only a mistake of ours can cause.
    """
    if len(packed) == 4:
        return socket.inet_ntop(socket.AF_INET, packed)
    if len(packed) == 16:
        return socket.inet_ntop(socket.AF_INET6, packed)
    raise Malformed("Short record", 0)


# A packed URI begins with one byte: 0 for "as it stands", else these bits.
_SIP: Final = 1
_SIPS: Final = 2
_USER: Final = 4
_IP4: Final = 8
_IP6: Final = 16
_PORT: Final = 32
_PARAMS: Final = 64
_TOKEN: Final = 128
_MIN_TOKEN = 24
"""Shortest user part that is worth a look as base64: a token of ours, from a crossing before this one."""


def pack_uri(uri: bytes) -> bytes:
    """Write a URI; `unpack_uri` returns the same bytes."""
    try:
        parsed = parse_sip_uri(uri)
    except Malformed:
        parsed = None
    if parsed is None or bytes(parsed) != uri or parsed.password or parsed.headers:
        return b"\0" + pack_text(uri)
    scheme, user, host, port, params, _, _ = parsed.parts
    token = from_base64(user) if len(user) >= _MIN_TOKEN else b""
    bits, where = _packed_host(host)
    bits |= (_SIPS | _SIP if scheme == b"sips" else _SIP) | (_USER if user else 0) | (_TOKEN if token else 0)
    bits |= (_PORT if port else 0) | (_PARAMS if params else 0)
    return b"".join((
        BYTES[bits], pack_text(token or user) if user else b"", where,
        port.to_bytes(2, "big") if port else b"", _packed_params(params) if params else b"",
    ))  # fmt: skip


@remembered
def _packed_host(host: bytes) -> tuple[int, bytes]:
    """Return the bit that tells which kind of address a host is, 0 of a name, and what is written of it."""
    address = pack_ip(host.decode("ascii", "replace"))
    return (0, pack_text(host)) if not address else (_IP4 if len(address) == 4 else _IP6, address)


_packed_params = remembered(pack_text)
"""Unlike users, parameters are the same few."""


def unpack_uri(reader: Reader) -> bytes:
    """Read what `pack_uri` wrote."""
    bits = reader.number(1)
    if not bits:
        return reader.text()
    user = reader.text() if bits & _USER else b""
    if bits & _TOKEN:
        user = to_base64(user)
    size = 4 if bits & _IP4 else 16 if bits & _IP6 else 0
    host = unpack_ip(reader.take(size)).encode() if size else reader.text()
    port = reader.number(2) if bits & _PORT else 0
    params = reader.text() if bits & _PARAMS else b""
    return bytes(SipUri(b"sips" if bits & _SIPS else b"sip", user, host, port, params, b""))


def pack_address(address: NameAddr) -> bytes:
    """Write display name and URI of a From or To; one byte for the anonymous and the derived one."""
    if is_anonymous(address):
        return b"\1"
    if address == DERIVED:
        return b"\3"
    return (b"\2" + pack_text(address.display) if address.display else b"\0") + pack_uri(address.uri)


def unpack_address(reader: Reader) -> NameAddr:
    """Read what `pack_address` wrote."""
    kind = reader.number(1)
    if kind == 1:
        return ANONYMOUS
    if kind == 3:
        return DERIVED
    display = reader.text() if kind == 2 else b""
    return NameAddr(display, unpack_uri(reader), b"")


# --- Call-IDs: one byte of form, then the left part, then what follows the `@`.

_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX = re.compile(rb"(?:[0-9a-f]{2}){1,255}")
_HEX_ALONE = only(b"0123456789abcdef-")
_HOST_PORT = re.compile(rb"([0-9.]{7,15}|[0-9a-f:]{2,39})(?::(\d{2,5}))?")
_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-."
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_FROM_BASE64 = bytes.maketrans(_BASE64, _ALPHABET)


def pack_call_id(call_id: bytes) -> bytes:
    """Write a Call-ID in as few bytes as its shape allows: UUIDs, hex, addresses and six-bit letters are packed."""
    left, at, right = call_id.partition(b"@")
    head_form, head, sixths = _pack_left(left)
    tail_form, tail = _pack_right(right) if at else (0, b"")
    shortest = BYTES[2 + head_form * 4 + tail_form] + head + tail
    if sixths and not at and len(sixths) < len(shortest):
        shortest = b"\x01" + sixths
    return shortest if len(shortest) <= len(call_id) else b"\0" + call_id


@remembered
def unpack_call_id(packed: bytes) -> bytes:
    """Read what `pack_call_id` wrote.

    Raises:
        Malformed: when it is cut short.
    """
    reader = Reader(packed)
    form = reader.number(1)
    if form == 0:
        return reader.rest()
    if form == 1:
        return _unpack_sixths(reader.rest())
    head_form, tail_form = divmod(form - 2, 4)
    return _unpack_left(reader, head_form) + _unpack_right(reader, tail_form)


def _pack_left(text: bytes) -> tuple[int, bytes, bytes]:
    """Return form and bytes of the left part: 0 text, 1 six-bit letters, 2 and 3 a UUID, 4 and 5 hex.

    Behind them stand the six-bit letters alone, where they may be shorter than that.
    """
    lower = text.lower()
    if lower.translate(_HEX_ALONE).isascii() and (text in (lower, text.upper())):
        upper = 1 if text != lower else 0
        if len(lower) == 36 and _UUID.fullmatch(lower):
            return 2 + upper, bytes.fromhex(lower.replace(b"-", b"").decode()), b""
        if len(lower) % 2 == 0 and _HEX.fullmatch(lower):
            # Four bits for each letter of hex beat six, but for a single byte of it.
            sixths = to_sixths(text) if len(text) == 2 else b""
            return 4 + upper, BYTES[len(text) // 2] + bytes.fromhex(lower.decode()), sixths
    sixths = to_sixths(text)
    return (1, pack_text(sixths), sixths) if sixths else (0, pack_text(text), b"")


def _unpack_left(reader: Reader, form: int) -> bytes:
    if form == 0:
        return reader.text()
    if form == 1:
        return _unpack_sixths(reader.text())
    raw = reader.take(16 if form < 4 else reader.number(1)).hex()
    text = f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}" if form < 4 else raw
    return (text.upper() if form & 1 else text).encode()


@remembered
def _pack_right(text: bytes) -> tuple[int, bytes]:
    """Return the form of what follows the `@`: 1 an address, 2 address and port, 3 text; 0 is for nothing."""
    match = _HOST_PORT.fullmatch(text)
    if match is not None:
        address = pack_ip(match[1].decode())
        if address and match[2] is None:
            return 1, bytes((len(address),)) + address
        if len(address) == 4 and 0 < int(match[2]) < 65536 and not match[2].startswith(b"0"):
            return 2, address + int(match[2]).to_bytes(2, "big")
    sixths = to_sixths(text)
    return 3, b"\1" + sixths if sixths else b"\0" + text


def _unpack_right(reader: Reader, form: int) -> bytes:
    if form == 0:
        return b""
    if form == 1:
        return b"@" + unpack_ip(reader.take(reader.number(1))).encode()
    if form == 2:
        return b"@" + unpack_ip(reader.take(4)).encode() + b":%d" % reader.number(2)
    sixths = reader.number(1)
    return b"@" + (_unpack_sixths(reader.rest()) if sixths else reader.rest())


def _unpack_sixths(packed: bytes) -> bytes:
    digits = b2a_base64(b"\0" * (-len(packed) % 3) + packed, newline=False).lstrip(b"A")
    return digits[1:].translate(_FROM_BASE64)
