"""Finding planted values in bytes that left: in clear, decoded in every usual way, and under XOR.

This is what somebody with a capture and some patience would try (peers.md §4).
"""

from __future__ import annotations

import re
from base64 import b32decode, b64decode
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_to_bytes

_HEX = re.compile(rb"[0-9A-Fa-f]{8,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}")
_BASE32 = re.compile(rb"[A-Za-z2-7]{8,}")
_VISIBLE = re.compile(rb"[^\s<>;,\"]{6,}")
_URLSAFE = bytes.maketrans(b"-_", b"+/")


def decodings(data: bytes) -> Iterator[bytes]:
    """Yield data and everything that it decodes to: percent, hex, base64 and base32 at every alignment."""
    yield data
    yield unquote_to_bytes(data)
    for run in _HEX.findall(data):
        for start in (0, 1):
            piece = run[start : start + (len(run) - start) // 2 * 2]
            yield bytes.fromhex(piece.decode())
    for run in _BASE64.findall(data):
        letters = run.translate(_URLSAFE)
        for start in range(4):
            yield b64decode(_padded(letters[start:], 4, (2, 3)))
    for run in _BASE32.findall(data.upper()):
        for start in range(8):
            yield b32decode(_padded(run[start:], 8, (2, 4, 5, 7)))


def _padded(letters: bytes, group: int, tails: tuple[int, ...]) -> bytes:
    """Return letters with the padding that decoders want; a last group that cannot be one loses a letter."""
    while len(letters) % group and len(letters) % group not in tails:
        letters = letters[:-1]
    return letters + b"=" * (-len(letters) % group)


def tokens(data: bytes) -> list[bytes]:
    """Return the binary behind every long base64 run: what could be a sealed or masked value."""
    found = []
    for run in _BASE64.findall(data):
        if len(run) >= 24:
            letters = run.translate(_URLSAFE)
            found.append(b64decode(letters + b"=" * (-len(letters) % 4)) if len(letters) % 4 != 1 else b"")
    return [token for token in found if token]


def found_in(data: bytes, planted: Iterable[bytes]) -> set[bytes]:
    """Return those planted values that stand in data in any form that needs no key."""
    texts = b"\0".join(text.lower() for text in decodings(data))
    return {value for value in planted if value.lower() in texts}


def found_by_xor(data: bytes, planted: Iterable[bytes]) -> set[bytes]:
    """Return those planted values that a token gives away when XORed with something else that is visible.

    A value v masked as v XOR k shows when k is text of the same message, the mask of another token, or one
    repeated byte. Values under eight bytes are left out: chance would find them.
    """
    masked = tokens(data)
    values = {value for value in planted if len(value) >= 8}
    found = {value for token in masked for value in values if _differences(value) in _differences(token)}
    heads: dict[bytes, list[bytes]] = {}
    for value in values:
        heads.setdefault(value[:_HEAD], []).append(value)
    for text in (data, *masked):
        places: dict[bytes, list[int]] = {}
        for place in range(len(text) - _HEAD + 1):
            places.setdefault(text[place : place + _HEAD], []).append(place)
        for token in masked:
            found |= set(_unmasked(token, text, places, heads))
    return found


_HEAD = 3
"""Bytes by which values and keys are looked up before whole ones are compared."""


def _unmasked(
    token: bytes, text: bytes, places: dict[bytes, list[int]], heads: dict[bytes, list[bytes]]
) -> Iterator[bytes]:
    """Yield the values that some stretch of text unmasks in token."""
    for start in range(len(token) - _HEAD + 1):
        for head, values in heads.items():
            for place in places.get(_xor(token[start : start + _HEAD], head), ()):
                clear = _xor(token[start:], text[place:])
                yield from (value for value in values if clear.startswith(value))


def _xor(one: bytes, other: bytes) -> bytes:
    size = min(len(one), len(other))
    return (int.from_bytes(one[:size], "big") ^ int.from_bytes(other[:size], "big")).to_bytes(size, "big")


def _differences(data: bytes) -> bytes:
    """Return each byte XORed with the next: the same for data under any one repeated byte."""
    return _xor(data, data[1:])
