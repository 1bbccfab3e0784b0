"""Sealed tokens: AES-SIV under keys derived for each purpose from the key ring (dialogs.md "Opening").

A token's first byte, in clear, tells purpose (three bits) and key id (five bits); the rest is AES-SIV
(RFC 5297) over the payload, with that byte, the format version and a context as associated data: one string of
it, since both bytes in front have a fixed size and each further string costs a quarter of the whole. It is
deterministic, so a retransmission, a re-INVITE and another node make the same bytes. Only the
authentication tag answers "is this ours?"; nothing is ever decoded otherwise.

With at most six purposes the first character is a letter in base64url and in base32 alike.
"""

from __future__ import annotations

import hmac
from enum import IntEnum
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from config.keys import KeyRing
from proxy.encoding import BYTES, Alphabet, from_base32, from_base64, to_text
from proxy.letters import to_base32, to_base64, with_lengths
from proxy.memo import Recent
from proxy.record import Record, decode

VERSION = b"\x01"
"""Version of every payload format; part of the associated data, so versions cannot be confused."""
SIV_SIZE = 16
"""Bytes of the synthetic IV, which is the authentication tag too (RFC 5297 §2.6)."""

MIN_TEXT = 24
"""Characters that any token has at least, in either alphabet: what a phone calls its user is mostly shorter."""

_DATA = tuple(head + VERSION for head in BYTES)
"""Associated data of each first byte, less the context."""
_ALONE = tuple([data] for data in _DATA)
"""The same where there is no context."""


class Purpose(IntEnum):
    """What a token is for. The numbers stand in messages: never reorder, six at most."""

    ROUTE = 0
    CONTACT = 1
    CALL_ID = 2
    TAG = 3
    TRANSFER = 4
    PHONE = 5
    """What leads to a registered phone: which kind, the context says."""


_PURPOSES = tuple(Purpose)
_COUNT = len(_PURPOSES)


class Opened:
    """What an authentic token held."""

    __slots__ = ("_record", "key_id", "payload", "purpose")

    def __init__(self, purpose: Purpose, key_id: int, payload: bytes, record: Record | None = None) -> None:
        """Hold a payload; `record` is what it decodes to, where somebody knows."""
        self.purpose = purpose
        self.key_id = key_id
        self.payload = payload
        self._record = record

    @property
    def record(self) -> Record:
        """The record in the payload of a route or Contact token, decoded once.

        Raises:
            Malformed: as `decode`.
        """
        if self._record is None:
            self._record = decode(self.payload)
        return self._record


class Tokens:
    """Seals and opens under the keys of one key ring."""

    def __init__(self, ring: KeyRing) -> None:
        """Use the keys of ring."""
        self.current = ring.current.id
        """Id of the key that new dialogs begin with."""
        self.ring = ring
        self._opened: Recent[bytes, Opened] = Recent()
        # At most 256 first bytes, and some six labels under 32 keys.
        self._ciphers: dict[int, AESSIV] = {}
        self._hashes: dict[tuple[int, bytes, int], blake2b] = {}

    def seal(self, purpose: Purpose, payload: bytes, key_id: int, context: bytes = b"") -> bytes:
        """Return the binary token for payload; context must be given again to open it."""
        first = purpose << 5 | key_id
        cipher = self._ciphers.get(first) or self._make_cipher(first)
        return BYTES[first] + cipher.encrypt(payload, [_DATA[first] + context])

    def open(self, token: bytes, context: bytes = b"") -> Opened | None:
        """Return what a binary token holds; None when it is not authentic in this context."""
        if len(token) <= SIV_SIZE + 1:
            return None
        first = token[0]
        purpose, key_id = first >> 5, first & 31
        if purpose >= _COUNT or self.ring.get(key_id) is None:
            return None
        cipher = self._ciphers.get(first) or self._make_cipher(first)
        try:
            payload = cipher.decrypt(token[1:], [_DATA[first] + context])
        except InvalidTag:
            return None
        return Opened(_PURPOSES[purpose], key_id, payload)

    def seal_text(
        self, purpose: Purpose, payload: bytes, key_id: int, alphabet: Alphabet, context: bytes = b""
    ) -> bytes:
        """Return the token for payload as text."""
        return to_text(self.seal(purpose, payload, key_id, context), alphabet)

    def seal_record(
        self, purpose: Purpose, payload: bytes, record: Record | None, key_id: int, alphabet: Alphabet
    ) -> bytes:
        """Return the token of a dialog record as text.

        What it holds is remembered, so that the ACK or BYE that brings it back costs one look-up: replaces
        decoding, authenticating and reading it again.

        Args:
            purpose: route or Contact.
            payload: the encoded record.
            record: what payload decodes to, None where it shall be decoded when it comes back.
            key_id: the dialog's key.
            alphabet: what the side that gets it takes.
        """
        first = purpose << 5 | key_id  # `seal` and `to_text`, inlined: this runs twice for most messages of a set-up
        cipher = self._ciphers.get(first) or self._make_cipher(first)
        token = BYTES[first] + cipher.encrypt(payload, _ALONE[first])
        text = to_base32(token) if alphabet == "base32" else to_base64(token)
        self._opened.put(text, Opened(purpose, key_id, payload, record))
        return text

    def open_text(self, text: bytes, context: bytes = b"") -> Opened | None:
        """Return what a token holds that is written in either alphabet; None when it is not authentic.

        Tokens without a context are remembered under their text: the same bytes open to the same under the same
        keys, and these never change.
        """
        if len(text) < MIN_TEXT:
            return None
        if context:
            return self._open_text(text, context)
        opened = self._opened.get(text)
        if opened is None:
            opened = self._open_text(text, b"")
            if opened is not None:
                self._opened.put(text, opened)
        return opened

    def _open_text(self, text: bytes, context: bytes) -> Opened | None:
        return self.open(from_base64(text), context) or self.open(from_base32(text), context)

    def mac(self, key_id: int, label: bytes, *parts: bytes, size: int = 8) -> bytes:
        """Return a keyed hash over parts, which cannot run together: the length of each stands before it."""
        keyed = self._hashes.get((key_id, label, size))
        digest = (keyed or self._make_hash(key_id, label, size)).copy()
        digest.update(with_lengths(parts))
        return digest.digest()

    def _make_cipher(self, first: int) -> AESSIV:
        purpose, key_id = Purpose(first >> 5), first & 31
        cipher = self._ciphers[first] = AESSIV(self._derive(key_id, b"seal " + purpose.name.encode(), 64))
        return cipher

    def _make_hash(self, key_id: int, label: bytes, size: int) -> blake2b:
        """Return a hash that has taken in its key: copying it replaces the parsing of keyword arguments."""
        key = self._derive(key_id, b"hash " + label, 32)
        keyed = self._hashes[key_id, label, size] = blake2b(key=key, digest_size=size)
        return keyed

    def _derive(self, key_id: int, info: bytes, size: int) -> bytes:
        key = self.ring.get(key_id)
        if key is None:
            raise KeyError("no such key")
        return HKDF(SHA256(), size, salt=None, info=b"sipveil " + info).derive(key.secret)


def same(one: bytes, other: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one, other)
