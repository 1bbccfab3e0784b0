"""Binary as text: base64url where case is kept, base32 where it may not be (dialogs.md "Opening", 1)."""

from __future__ import annotations

import re
from base64 import b32decode, urlsafe_b64decode
from binascii import b2a_base64
from typing import Final, Literal

Alphabet = Literal["base64url", "base32"]
"""How binary is written where a trunk's devices decide; base32 is for those that lose case."""

# base32 = 1*( ALPHA / %x32-37 ) (RFC 4648 §6); the decoder is slow to find out.
_BASE32 = re.compile(rb"[A-Za-z2-7]+")
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
MAX_TOKEN = 2048
"""Longest text that is looked at as a token."""
_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyz234567"
_PAIRS: Final = [bytes((first, second)) for first in _LETTERS for second in _LETTERS]
"""What ten bits become: the library goes through each token in Python."""


def to_text(token: bytes, alphabet: Alphabet) -> bytes:
    """Encode in the alphabet that a side takes."""
    return to_base32(token) if alphabet == "base32" else to_base64(token)


def to_base64(token: bytes) -> bytes:
    """Encode for user parts and Call-IDs, where case is kept: base64url without padding.

    `rstrip` replaces the second argument of `translate`, with which that makes a table of its own each time.
    """
    return b2a_base64(token, newline=False).translate(_URL_SAFE).rstrip(b"=")


def from_base64(text: bytes) -> bytes:
    """Decode what `to_base64` made; b"" for anything else, other spellings of the same bits included."""
    if not text or len(text) > MAX_TOKEN:
        return b""
    try:
        token = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except ValueError:
        return b""
    return token if to_base64(token) == text else b""


def to_base32(token: bytes) -> bytes:
    """Encode for tags, which some compare without case: base32 without padding, lower case."""
    pairs: list[bytes] = []
    for start in range(0, len(token), 5):
        # Five bytes are eight letters (RFC 4648 §6); what is missing of the last five counts as zeros.
        bits = int.from_bytes(token[start : start + 5].ljust(5, b"\0"), "big")
        pairs.append(_PAIRS[bits >> 30])
        pairs.append(_PAIRS[bits >> 20 & 0x3FF])
        pairs.append(_PAIRS[bits >> 10 & 0x3FF])
        pairs.append(_PAIRS[bits & 0x3FF])
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
