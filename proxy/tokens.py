"""Sealed tokens: AES-SIV under keys derived for each purpose from the key ring (dialogs.md "Opening").

A token's first byte, in clear, tells purpose (three bits) and key id (five bits); the rest is AES-SIV
(RFC 5297) over the payload, with that byte, the format version and a context as associated data. It is
deterministic, so a retransmission, a re-INVITE and another node make the same bytes. Only the
authentication tag answers "is this ours?"; nothing is ever decoded otherwise.

With at most six purposes the first character is a letter in base64url and in base32 alike.
"""

from __future__ import annotations

import hmac
from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from config.keys import KeyRing
from proxy.encoding import Alphabet, from_base32, from_base64, to_text
from proxy.memo import Recent

VERSION = b"\x01"
"""Version of every payload format; part of the associated data, so versions cannot be confused."""
SIV_SIZE = 16
"""Bytes of the synthetic IV, which is the authentication tag too (RFC 5297 §2.6)."""

MIN_TEXT = 24
"""Characters that any token has at least, in either alphabet: what a phone calls its user is mostly shorter."""

_HEADS = tuple(bytes((first,)) for first in range(256))


class Purpose(IntEnum):
    """What a token is for. The numbers stand in messages: never reorder, six at most."""

    ROUTE = 0
    CONTACT = 1
    CALL_ID = 2
    TAG = 3
    TRANSFER = 4


class Opened(NamedTuple):
    """What an authentic token held."""

    purpose: Purpose
    key_id: int
    payload: bytes


class Tokens:
    """Seals and opens under the keys of one key ring."""

    def __init__(self, ring: KeyRing) -> None:
        """Use the keys of ring."""
        self.current = ring.current.id
        """Id of the key that new dialogs begin with."""
        self._ring = ring
        self._opened: Recent[tuple[bytes, bytes], Opened] = Recent()
        self._cipher = lru_cache(maxsize=256)(self._make_cipher)
        self._hash_key = lru_cache(maxsize=256)(self._make_hash_key)

    def seal(self, purpose: Purpose, payload: bytes, key_id: int, context: bytes = b"") -> bytes:
        """Return the binary token for payload; context must be given again to open it."""
        head = _HEADS[purpose << 5 | key_id]
        return head + self._cipher(purpose, key_id).encrypt(payload, [head, VERSION, context])

    def open(self, token: bytes, context: bytes = b"") -> Opened | None:
        """Return what a binary token holds; None when it is not authentic in this context."""
        if len(token) <= SIV_SIZE + 1 or token[0] >> 5 >= len(Purpose):
            return None
        purpose, key_id = Purpose(token[0] >> 5), token[0] & 31
        if self._ring.get(key_id) is None:
            return None
        try:
            payload = self._cipher(purpose, key_id).decrypt(token[1:], [token[:1], VERSION, context])
        except InvalidTag:
            return None
        return Opened(purpose, key_id, payload)

    def seal_text(
        self, purpose: Purpose, payload: bytes, key_id: int, alphabet: Alphabet, context: bytes = b""
    ) -> bytes:
        """Return the token for payload as text. What it holds is remembered: it soon comes back in an ACK or BYE."""
        text = to_text(self.seal(purpose, payload, key_id, context), alphabet)
        self._opened.put((text, context), Opened(purpose, key_id, payload))
        return text

    def open_text(self, text: bytes, context: bytes = b"") -> Opened | None:
        """Return what a token holds that is written in either alphabet; None when it is not authentic."""
        if len(text) < MIN_TEXT:
            return None
        opened = self._opened.get((text, context))
        if opened is None:
            opened = self.open(from_base64(text), context) or self.open(from_base32(text), context)
            if opened is not None:
                self._opened.put((text, context), opened)
        return opened

    def mac(self, key_id: int, label: bytes, *parts: bytes, size: int = 8) -> bytes:
        """Return a keyed hash over parts, which cannot run together: no two tuples have the same `repr`."""
        return blake2b(repr(parts).encode(), key=self._hash_key(key_id, label), digest_size=size).digest()

    def _make_cipher(self, purpose: Purpose, key_id: int) -> AESSIV:
        return AESSIV(self._derive(key_id, b"seal " + purpose.name.encode(), 64))

    def _make_hash_key(self, key_id: int, label: bytes) -> bytes:
        return self._derive(key_id, b"hash " + label, 32)

    def _derive(self, key_id: int, info: bytes, size: int) -> bytes:
        key = self._ring.get(key_id)
        if key is None:
            raise KeyError("no such key")
        return HKDF(SHA256(), size, salt=None, info=b"sipveil " + info).derive(key.secret)


def same(one: bytes, other: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one, other)
