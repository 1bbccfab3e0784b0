"""What proves a password, for both ends: the hashes of RFC 8760 §2.1 and the response of RFC 7616 §3.4.1.

Those with `-sess` are left out: nobody in SIP asks for them, and what a session is where nonces are reused RFC 7616
§3.4.2 leaves open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

Hash = Callable[[bytes], bytes]
"""Any bytes → their hash as hexadecimal text."""


def _named(name: str) -> Hash:
    def digest(data: bytes) -> bytes:
        return hashlib.new(name, data, usedforsecurity=False).hexdigest().encode()

    return digest


HASHES: dict[bytes, Hash] = {
    b"MD5": _named("md5"), b"SHA-256": _named("sha256"), b"SHA-512-256": _named("sha512_256")
}  # fmt: skip
"""By the names of the algorithms."""


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
    digest = HASHES[algorithm]
    ha2 = digest(b":".join(asked))
    between = (*counted, b"auth") if counted is not None else ()
    return digest(b":".join((ha1, nonce, *between, ha2)))
