"""Binary as text: base64url where case is kept, base32 where it may not be (dialogs.md "Opening", 1)."""

from __future__ import annotations

import re
from base64 import b32decode
from typing import Final, Literal

from proxy import letters
from proxy.letters import to_base32, to_base64

Alphabet = Literal["base64url", "base32"]
"""How binary is written where a trunk's devices decide; base32 is for those that lose case."""

# base32 = 1*( ALPHA / %x32-37 ) (RFC 4648 §6); the decoder is slow to find out.
_BASE32 = re.compile(rb"[A-Za-z2-7]+")
BYTES: Final = tuple(bytes((number,)) for number in range(256))
"""Each byte alone; replaces making it."""
MAX_TOKEN = 2048
"""Longest text that is looked at as a token."""


def to_text(token: bytes, alphabet: Alphabet) -> bytes:
    """Encode in the alphabet that a side takes."""
    return to_base32(token) if alphabet == "base32" else to_base64(token)


def from_base64(text: bytes) -> bytes:
    """Decode what `to_base64` made; b"" for anything else, other spellings of the same bits included."""
    return letters.from_base64(text) if len(text) <= MAX_TOKEN else b""


def from_base32(text: bytes) -> bytes:
    """Decode what `to_base32` made, in any case; b"" for anything else."""
    if len(text) > MAX_TOKEN or not _BASE32.fullmatch(text):
        return b""
    try:
        token = b32decode(text.upper() + b"=" * (-len(text) % 8))
    except ValueError:
        return b""
    return token if to_base32(token) == text.lower() else b""
