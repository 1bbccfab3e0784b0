"""Binary as text: base64url where case is kept, base32 where it may not be (dialogs.md "Opening", 1)."""

from __future__ import annotations

import re
from base64 import b32decode
from binascii import a2b_base64, b2a_base64
from typing import Final, Literal

Alphabet = Literal["base64url", "base32"]
"""How binary is written where a trunk's devices decide; base32 is for those that lose case."""

# base32 = 1*( ALPHA / %x32-37 ) (RFC 4648 §6); the decoder is slow to find out.
_BASE32 = re.compile(rb"[A-Za-z2-7]+")
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_PADDING: Final[tuple[bytes, ...]] = (b"", b"===", b"==", b"=")
"""What base64 wants behind a text, by what is left of its length divided by four."""
BYTES: Final = tuple(bytes((number,)) for number in range(256))
"""Each byte alone; replaces making it."""
MAX_TOKEN = 2048
"""Longest text that is looked at as a token."""
_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyz234567"
_PAIRS: Final = [bytes((first, second)) for first in _LETTERS for second in _LETTERS]
"""What ten bits become: the library goes through each token in Python."""
_ZEROS: Final[tuple[bytes, ...]] = (b"", b"\0\0\0\0", b"\0\0\0", b"\0\0", b"\0")
"""What is missing of five bytes, by how many there are beyond the last five."""


def only(letters: bytes, meaning: bytes = b"") -> bytes:
    """Return a table for `translate` that makes one byte beyond ASCII of all but some letters of ASCII.

    `isascii` then tells of a text whether it has no others: `translate` with letters to delete makes a table of its
    own each time. The letters become those of meaning at the same places, or stay as they are.
    """
    table = bytearray(b"\xff" * 256)
    for letter, other in zip(letters, meaning or letters, strict=True):
        table[letter] = other
    return bytes(table)


def to_text(token: bytes, alphabet: Alphabet) -> bytes:
    """Encode in the alphabet that a side takes."""
    return to_base32(token) if alphabet == "base32" else to_base64(token)


def to_base64(token: bytes) -> bytes:
    """Encode for user parts and Call-IDs, where case is kept: base64url without padding.

    `rstrip` replaces the second argument of `translate`, with which that makes a table of its own each time, and the
    argument that would leave out the line end.
    """
    return b2a_base64(token).translate(_URL_SAFE).rstrip(b"=\n")


def from_base64(text: bytes) -> bytes:
    """Decode what `to_base64` made; b"" for anything else, other spellings of the same bits included."""
    if not text or len(text) > MAX_TOKEN:
        return b""
    try:
        token = a2b_base64(text.translate(_FROM_URL_SAFE) + _PADDING[len(text) & 3])
    except ValueError:
        return b""
    return token if to_base64(token) == text else b""


def to_base32(token: bytes) -> bytes:
    """Encode for tags, which some compare without case: base32 without padding, lower case."""
    pairs: list[bytes] = []
    padded = token + _ZEROS[len(token) % 5]
    for at in range(0, len(token), 5):
        # Five bytes are eight letters (RFC 4648 §6); what is missing of the last five counts as zeros.
        second, fourth = padded[at + 1], padded[at + 3]
        pairs.append(_PAIRS[padded[at] << 2 | second >> 6])
        pairs.append(_PAIRS[(second & 0x3F) << 4 | padded[at + 2] >> 4])
        pairs.append(_PAIRS[(padded[at + 2] & 0x0F) << 6 | fourth >> 2])
        pairs.append(_PAIRS[(fourth & 0x03) << 8 | padded[at + 4]])
    return b"".join(pairs)[: (len(token) * 8 + 4) // 5]


def from_base32(text: bytes) -> bytes:
    """Decode what `to_base32` made, in any case; b"" for anything else."""
    if len(text) > MAX_TOKEN or not _BASE32.fullmatch(text):
        return b""
    try:
        token = b32decode(text.upper() + b"=" * (-len(text) % 8))
    except ValueError:
        return b""
    return token if to_base32(token) == text.lower() else b""
