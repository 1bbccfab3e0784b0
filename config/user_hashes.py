"""Names by their hashes: what a phone that hides its username sends (RFC 7616 §3.4.4, `userhash=true`).

The hash is H(username:realm) under the algorithm of the answer, so there are three for each account. Twelve bytes of
each are kept, and who is found has the whole compared. That takes some 45 MB for a hundred thousand accounts, so there
is nothing of it unless it is wanted. It is made and followed by the thread that reads the store.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from hashlib import md5, new, sha256

KEPT = 12
"""Bytes of a hash by which a name is found: two of a million accounts meet once in 2^57."""


def user_hash(algorithm: bytes, username: bytes, realm: bytes) -> bytes:
    """Return H(username:realm) in bytes; algorithm: one of SHA-512-256, SHA-256, MD5."""
    text = username + b":" + realm
    if algorithm == b"MD5":
        return md5(text, usedforsecurity=False).digest()
    return sha256(text).digest() if algorithm == b"SHA-256" else new("sha512_256", text).digest()


ALGORITHMS = (b"SHA-512-256", b"SHA-256", b"MD5")


class UserHashes:
    """The names of all accounts by their hashes, once somebody wants them."""

    def __init__(self) -> None:
        """Have none."""
        self.wanted = False
        """Set by who reads credentials."""
        self.are_known = False
        """Whether each account is found."""
        self._names: dict[bytes, dict[bytes, bytes]] = {}
        """Realm → part of a hash → username."""

    def find(self, realm: bytes, algorithm: bytes, hashed: bytes) -> bytes | None:
        """Return the username whose hash (in bytes) this is, None where there is none."""
        names = self._names.get(realm)
        username = None if names is None else names.get(hashed[:KEPT])
        # The same work whether there is one or not.
        whole = user_hash(algorithm, username if username is not None else hashed, realm)
        return username if hmac.compare_digest(whole, hashed) else None

    def make(self, realms: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        """Find all accounts of these realms from now on, or none, as is wanted."""
        if not self.wanted:
            self.are_known = False
            self._names = {}
        elif not self.are_known:
            self._names = {realm: dict(_hashes(realm, names)) for realm, names in realms.items()}
            self.are_known = True

    def add(self, realm: bytes, names: Iterable[bytes]) -> None:
        """Find these accounts too."""
        if self.are_known:
            self._names.setdefault(realm, {}).update(_hashes(realm, names))

    def forget(self) -> None:
        """Have `make` do all anew: somebody was removed. Until then who was known is found as before."""
        self.are_known = False


def _hashes(realm: bytes, names: Iterable[bytes]) -> Iterable[tuple[bytes, bytes]]:
    for username in names:
        for algorithm in ALGORITHMS:
            yield user_hash(algorithm, username, realm)[:KEPT], username
