"""What proves a password, for both ends: the hashes of RFC 8760 §2.1 and the response of RFC 7616 §3.4.1.

Those with `-sess` are left out: nobody in SIP asks for them, and what a session is where nonces are reused RFC 7616
§3.4.2 leaves open.
"""

from __future__ import annotations

from hashlib import new, sha256
from typing import Final

HASHES: Final = {b"MD5": "md5", b"SHA-256": "sha256", b"SHA-512-256": "sha512_256"}
"""The algorithms, as messages name them, to how Python's library does."""


def hashed(algorithm: bytes, data: bytes) -> bytes:
    """Return the hash of any bytes under a key of HASHES, as hexadecimal text."""
    # By its name a hash takes a third longer; of MD5 the library has to be told that it is to secure nothing.
    made = sha256(data) if algorithm == b"SHA-256" else new(HASHES[algorithm], data, usedforsecurity=False)
    return made.hexdigest().encode()


def response(
    algorithm: bytes, ha1: bytes, nonce: bytes, asked: tuple[bytes, bytes], counted: tuple[bytes, bytes] | None
) -> bytes:
    """Return the response of who knows HA1, as hexadecimal text.

    Args:
        algorithm: a key of HASHES.
        ha1: H(username ":" realm ":" password), as hexadecimal text.
        nonce: the challenge's.
        asked: method, and URI as it stands in the credentials.
        counted: nc and cnonce of `qop=auth`; None for the form without qop (RFC 2069).
    """
    ha2 = hashed(algorithm, b":".join(asked))
    if counted is None:
        return hashed(algorithm, b":".join((ha1, nonce, ha2)))
    nc, cnonce = counted
    return hashed(algorithm, b":".join((ha1, nonce, nc, cnonce, b"auth", ha2)))
