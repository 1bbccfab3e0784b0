"""Every usual way to write bytes as text, undone: percent, quoted-printable, hex, base64 and base32, twice over."""

from __future__ import annotations

import quopri
import re
from base64 import b32decode, b64decode
from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes

CLEAR = "in clear"
PERCENT, PRINTABLE = "percent", "quoted-printable"
LEAST_TOKEN = 16
"""Letters of base64 from which on a run may hold a masked value: four groups, twelve bytes."""

_HEX = re.compile(rb"[0-9A-Fa-f]{8,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}")
_BASE32 = re.compile(rb"[A-Za-z2-7]{8,}")
_URLSAFE = bytes.maketrans(b"-_", b"+/")
_QUOTED = re.compile(rb"=[0-9A-Fa-f]{2}|=\r?\n")
_WRAPPED = re.compile(rb"(?<=[A-Za-z0-9+/_=-]{16})\r?\n[ \t]*(?=[A-Za-z0-9+/_-]{4})")
"""A line end within base64 of a body (RFC 2045 §6.8)."""


def labelled(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield (form, text) for data and what it decodes to, once and twice.

    All that one way of decoding makes of it is one text, its pieces NUL apart.
    """
    yield CLEAR, data
    whole = _WRAPPED.sub(b"", data)
    once = [(form, b"\0".join(decode(whole))) for form, decode in _WAYS]
    once = [(form, text) for form, text in once if text and text != data]
    yield from once
    for form, text in once:
        for within, again in _WAYS:
            inner = b"\0".join(again(text))
            if inner and inner != text:
                yield f"{within} in {form}", inner


def _percent(data: bytes) -> Iterator[bytes]:
    if b"%" in data:
        yield unquote_to_bytes(data)


def _quoted_printable(data: bytes) -> Iterator[bytes]:
    if _QUOTED.search(data):
        yield quopri.decodestring(data)


def _hex(data: bytes) -> Iterator[bytes]:
    for run in _HEX.findall(data):
        for start in (0, 1):
            piece = run[start : start + (len(run) - start) // 2 * 2]
            yield bytes.fromhex(piece.decode())


def _base64(data: bytes) -> Iterator[bytes]:
    for run in _BASE64.findall(data):
        letters = run.translate(_URLSAFE)
        for start in range(4):
            yield b64decode(_padded(letters[start:], 4, (2, 3)))


def _base32(data: bytes) -> Iterator[bytes]:
    for run in _BASE32.findall(data.upper()):
        for start in range(8):
            yield b32decode(_padded(run[start:], 8, (2, 4, 5, 7)))


_WAYS: tuple[tuple[str, Callable[[bytes], Iterator[bytes]]], ...] = (
    (PERCENT, _percent),
    (PRINTABLE, _quoted_printable),
    ("hex", _hex),
    ("base64", _base64),
    ("base32", _base32),
)


def _padded(letters: bytes, group: int, tails: tuple[int, ...]) -> bytes:
    """Return letters with the padding that decoders want; a last group that cannot be one loses a letter."""
    while len(letters) % group and len(letters) % group not in tails:
        letters = letters[:-1]
    return letters + b"=" * (-len(letters) % group)


def decodings(data: bytes) -> Iterator[bytes]:
    """Yield data and everything that it decodes to in one step, piece by piece."""
    yield data
    for _, decode in _WAYS:
        yield from decode(data)


def tokens(data: bytes) -> list[bytes]:
    """Return the binary behind every long run of base64 or hex: what could be a sealed or masked value."""
    found = []
    for run in _BASE64.findall(data):
        if len(run) >= LEAST_TOKEN:
            letters = run.translate(_URLSAFE)
            # From the first letter, and from behind a prefix such as `sr-`; other shifts are no token's.
            starts = {0, *(place + 1 for place in range(min(8, len(run))) if run[place] in b"-_")}
            found += [b64decode(_padded(letters[start:], 4, (2, 3))) for start in sorted(starts)]
    for run in _HEX.findall(data):
        if len(run) >= 2 * LEAST_TOKEN:
            found.append(bytes.fromhex(run[: len(run) // 2 * 2].decode()))
    return found
