"""Compact, reversible binary forms of what goes into records: lengths, URIs, addresses, Call-IDs.

Every packer tries its short forms and keeps the first that unpacks to exactly the same bytes; what
fits none is stored as it stands. Nothing is ever joined by delimiters (dialogs.md).
"""

from __future__ import annotations

import re
import socket
from binascii import a2b_base64, b2a_base64

from proxy.encoding import from_base64, to_base64
from proxy.errors import Malformed
from proxy.headers import NameAddr
from proxy.memo import remembered, remembered_by_all
from proxy.uri import SipUri, parse_sip_uri

DERIVED = NameAddr(b"", b"", b"")
"""Stands in a record for an outward address that follows from the original, the decision and the side."""
ANONYMOUS = NameAddr(b'"Anonymous"', b"sip:anonymous@anonymous.invalid", b"")
"""The exact form of RFC 3323 §4.1.1.3."""


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
_SHORT, _DIGITS, _PLUS_DIGITS, _SQUEEZED, _LONG = 250, 251, 252, 253, 255
_NUMBER = re.compile(rb"\+?[0-9]{6,40}")
#: What addresses are full of, each written as one byte above ASCII. Stands in records: only append.
_WORDS = (
    b";transport=udp", b";transport=tcp", b";transport=tls", b";user=phone", b";lr", b";ob", b"sip.", b"sip", b".com",
    b".net", b".org", b".example", b"proxy", b"phone", b"trunk", b"voip", b"gateway", b"carrier", b"pbx", b"sbc",
    b".co.uk", b".de", b".fr", b".it", b".nl", b".eu", b".us", b"edge", b"telecom", b"192.168.", b"10.", b"localhost",
)  # fmt: skip
_CODES = tuple((word, bytes((128 + code,))) for code, word in enumerate(_WORDS))


def pack_text(text: bytes) -> bytes:
    """Write a string: as digits, with common words squeezed, or as it stands after its length."""
    if _NUMBER.fullmatch(text):
        return _pack_digits(text)
    if len(text) > 5 and text.isascii():
        squeezed = _squeeze(text)
        if len(squeezed) + 1 < len(text) and len(squeezed) < 256:
            return bytes((_SQUEEZED, len(squeezed))) + squeezed
    if len(text) < _SHORT:
        return bytes((len(text),)) + text
    if len(text) > 65535:
        raise Malformed("Value too long", 513)
    return bytes((_LONG,)) + len(text).to_bytes(2, "big") + text


def _squeeze(text: bytes) -> bytes:
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
_SIP, _SIPS, _USER, _IP4, _IP6, _PORT, _PARAMS, _TOKEN = 1, 2, 4, 8, 16, 32, 64, 128
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
    address = pack_ip(parsed.host.decode("ascii", "replace"))
    bits = _SIP | (parsed.scheme == b"sips" and _SIPS) | ((parsed.user and _USER) or 0)
    bits |= {4: _IP4, 16: _IP6}.get(len(address), 0) | (parsed.port and _PORT) | ((parsed.params and _PARAMS) or 0)
    token = from_base64(parsed.user) if len(parsed.user) >= _MIN_TOKEN else b""
    out = bytes((bits | ((token and _TOKEN) or 0),))
    out += pack_text(token or parsed.user) if parsed.user else b""
    out += address or pack_text(parsed.host)
    out += parsed.port.to_bytes(2, "big") if parsed.port else b""
    return out + (pack_text(parsed.params) if parsed.params else b"")


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
    if address[:2] == ANONYMOUS[:2]:
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
_HEX_LETTERS = b"0123456789abcdef-"
_HOST_PORT = re.compile(rb"([0-9.]{7,15}|[0-9a-f:]{2,39})(?::(\d{2,5}))?")
_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-."
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_BASE64 = bytes.maketrans(_ALPHABET, _BASE64)
_FROM_BASE64 = bytes.maketrans(_BASE64, _ALPHABET)


def pack_call_id(call_id: bytes) -> bytes:
    """Write a Call-ID in as few bytes as its shape allows: UUIDs, hex, addresses and six-bit letters are packed."""
    left, at, right = call_id.partition(b"@")
    head_form, head = _pack_left(left)
    tail_form, tail = _pack_right(at, right)
    shortest = bytes((2 + head_form * 4 + tail_form,)) + head + tail
    # Four bits for each letter of hex beat six, but for a single byte of it.
    sixths = b"" if at or (head_form > 1 and len(left) > 2) else _pack_sixths(call_id)
    if sixths and len(sixths) < len(shortest):
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


def _pack_left(text: bytes) -> tuple[int, bytes]:
    """Return form and bytes of the left part: 0 text, 1 six-bit letters, 2 and 3 a UUID, 4 and 5 hex."""
    lower = text.lower()
    if lower.translate(None, _HEX_LETTERS):
        return _pack_word(text)
    upper = 1 if text != lower and text == text.upper() else 0
    if not upper and text != lower:
        return _pack_word(text)
    if len(lower) == 36 and _UUID.fullmatch(lower):
        return 2 + upper, bytes.fromhex(lower.replace(b"-", b"").decode())
    if len(lower) % 2 == 0 and _HEX.fullmatch(lower):
        return 4 + upper, bytes((len(text) // 2,)) + bytes.fromhex(lower.decode())
    return _pack_word(text)


def _pack_word(text: bytes) -> tuple[int, bytes]:
    sixths = _pack_sixths(text)
    return (1, pack_text(sixths)) if sixths else (0, pack_text(text))


def _unpack_left(reader: Reader, form: int) -> bytes:
    if form == 0:
        return reader.text()
    if form == 1:
        return _unpack_sixths(reader.text())
    raw = reader.take(16 if form < 4 else reader.number(1)).hex()
    text = f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}" if form < 4 else raw
    return (text.upper() if form & 1 else text).encode()


@remembered_by_all
def _pack_right(at: bytes, text: bytes) -> tuple[int, bytes]:
    """Return the form of what follows the left part: 0 nothing, 1 an address, 2 address and port, 3 text."""
    if not at:
        return 0, b""
    match = _HOST_PORT.fullmatch(text)
    if match is not None:
        address = pack_ip(match[1].decode())
        if address and match[2] is None:
            return 1, bytes((len(address),)) + address
        if len(address) == 4 and 0 < int(match[2]) < 65536 and not match[2].startswith(b"0"):
            return 2, address + int(match[2]).to_bytes(2, "big")
    return 3, _pack_sixths(text, prefix=b"\1") or b"\0" + text


def _unpack_right(reader: Reader, form: int) -> bytes:
    if form == 0:
        return b""
    if form == 1:
        return b"@" + unpack_ip(reader.take(reader.number(1))).encode()
    if form == 2:
        return b"@" + unpack_ip(reader.take(4)).encode() + b":%d" % reader.number(2)
    sixths = reader.number(1)
    return b"@" + (_unpack_sixths(reader.rest()) if sixths else reader.rest())


def _pack_sixths(text: bytes, prefix: bytes = b"") -> bytes:
    """Write letters, digits, `-` and `.` in six bits each; b"" where another letter occurs.

    They are the digits of a number whose leading one keeps leading zeros. Base64 does the arithmetic: its letters
    are the same digits, and A is zero.
    """
    if text.translate(None, _ALPHABET):
        return b""
    digits = b"B" + text.translate(_TO_BASE64)
    return prefix + a2b_base64(b"A" * (-len(digits) % 4) + digits).lstrip(b"\0")


def _unpack_sixths(packed: bytes) -> bytes:
    digits = b2a_base64(b"\0" * (-len(packed) % 3) + packed, newline=False).lstrip(b"A")
    return digits[1:].translate(_FROM_BASE64)
