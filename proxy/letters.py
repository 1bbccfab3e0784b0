"""Binary as letters: what tokens, hashes and Call-IDs are written with, several times in each message.

This file says what each function does, and is what runs where nothing is compiled. The compiled core has `letters.c` in
its place (`scripts/native`). Both are held against each other by `tests/proxy/test_letters.py`.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from typing import Final

from proxy.grammar import only

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_PADDING: Final = (b"", b"===", b"==", b"=")
"""What base64 wants behind a text, by what is left of its length divided by four."""
_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyz234567"
_PAIRS: Final = [bytes((first, second)) for first in _LETTERS for second in _LETTERS]
"""What ten bits become in base32: the library goes through each token in Python."""

_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-."
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_BASE64 = only(_ALPHABET, _BASE64)
_LEADING: Final = (b"AAAB", b"AAB", b"AB", b"B")
"""The leading one, and as many zeros before it as four letters want, by how many there are beyond the last four."""


def to_base64(token: bytes) -> bytes:
    """Encode for user parts and Call-IDs, where case is kept: base64url without padding."""
    return b2a_base64(token).translate(_URL_SAFE).rstrip(b"=\n")


def from_base64(text: bytes) -> bytes:
    """Decode what `to_base64` made; b"" for anything else, other spellings of the same bits included."""
    try:
        token = a2b_base64(text.translate(_FROM_URL_SAFE) + _PADDING[len(text) & 3])
    except ValueError:
        return b""
    return token if to_base64(token) == text else b""


def to_base32(token: bytes) -> bytes:
    """Encode for tags, which some compare without case: base32 without padding, lower case."""
    pairs = []
    for start in range(0, len(token), 5):
        # Five bytes are eight letters (RFC 4648 §6); what is missing of the last five counts as zeros.
        bits = int.from_bytes(token[start : start + 5].ljust(5, b"\0"), "big")
        pairs += [_PAIRS[bits >> 30], _PAIRS[bits >> 20 & 0x3FF], _PAIRS[bits >> 10 & 0x3FF], _PAIRS[bits & 0x3FF]]
    return b"".join(pairs)[: (len(token) * 8 + 4) // 5]


def to_sixths(text: bytes) -> bytes:
    """Write letters, digits, `-` and `.` in six bits each; b"" where another letter occurs.

    They are the digits of a number whose leading one keeps leading zeros. Base64 does the arithmetic: its letters
    are the same digits, and A is zero.
    """
    digits = text.translate(_TO_BASE64)
    if not digits.isascii():
        return b""
    return a2b_base64(_LEADING[len(digits) & 3] + digits).lstrip(b"\0")


def with_lengths(parts: tuple[bytes, ...]) -> bytes:
    """Join parts so that they cannot run together: the length of each stands before it, in digits, and a colon."""
    return b"".join([b"%d:%b" % (len(part), part) for part in parts])
