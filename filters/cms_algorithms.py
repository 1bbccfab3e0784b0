"""The algorithms of CMS that we write or read, by name and by OBJECT IDENTIFIER.

RFC 8591 §4.2 has AES-128-GCM, AES-128 key wrap and ECDH on P-256 with X9.63's key derivation over SHA-256. The rest is
what recorders have besides. Nothing with Triple DES, RC2 or another 64-bit block: RFC 8551 has done away with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, HashAlgorithm

from filters.ber import CmsError, Element, Reader
from filters.der import NULL, OID, SEQUENCE, oid, sequence

DATA: Final = oid("1.2.840.113549.1.7.1")
ENVELOPED: Final = oid("1.2.840.113549.1.7.3")
AUTH_ENVELOPED: Final = oid("1.2.840.113549.1.9.16.1.23")  # RFC 5083 §2.1
EC_PUBLIC_KEY: Final = oid("1.2.840.10045.2.1")
RSA_PKCS1: Final = oid("1.2.840.113549.1.1.1")
RSA_OAEP: Final = oid("1.2.840.113549.1.1.7")
MGF1: Final = oid("1.2.840.113549.1.1.8")
P_SPECIFIED: Final = oid("1.2.840.113549.1.1.9")


class Cipher(StrEnum):
    """How content is encrypted, in the names that OpenSSL's command has."""

    AES_128_GCM = "aes-128-gcm"
    """What RFC 8591 wants everybody to have."""
    AES_256_GCM = "aes-256-gcm"
    AES_128_CBC = "aes-128-cbc"
    """Without authentication, for recorders that know no AuthEnvelopedData."""
    AES_256_CBC = "aes-256-cbc"


class KeyTransport(StrEnum):
    """How a key goes to an RSA key."""

    OAEP = "oaep"
    """RSAES-OAEP with SHA-256."""
    PKCS1 = "pkcs1"
    """RSAES-PKCS1-v1_5, for recorders that know nothing better."""


class CipherFacts(NamedTuple):
    """What a cipher is."""

    oid: bytes
    key_size: int
    """Octets."""
    authenticated: bool


CIPHERS: Final[Mapping[Cipher, CipherFacts]] = {  # RFC 5084 §3.2, RFC 3565 §4.1
    Cipher.AES_128_GCM: CipherFacts(oid("2.16.840.1.101.3.4.1.6"), 16, True),
    Cipher.AES_256_GCM: CipherFacts(oid("2.16.840.1.101.3.4.1.46"), 32, True),
    Cipher.AES_128_CBC: CipherFacts(oid("2.16.840.1.101.3.4.1.2"), 16, False),
    Cipher.AES_256_CBC: CipherFacts(oid("2.16.840.1.101.3.4.1.42"), 32, False),
}
CIPHER_OF: Final = {facts.oid: cipher for cipher, facts in CIPHERS.items()}

WRAPS: Final[Mapping[int, bytes]] = {  # RFC 3565 §2.3.2
    16: oid("2.16.840.1.101.3.4.1.5"), 24: oid("2.16.840.1.101.3.4.1.25"), 32: oid("2.16.840.1.101.3.4.1.45"),
}  # fmt: skip
"""AES key wrap by the size of its key."""
WRAP_SIZES: Final = {identifier: size for size, identifier in WRAPS.items()}

SHA256_SCHEME: Final = oid("1.3.132.1.11.1")
SHA384_SCHEME: Final = oid("1.3.132.1.11.2")
AGREEMENTS: Final[Mapping[bytes, type[HashAlgorithm]]] = {  # RFC 5753 §7.1.4: dhSinglePass-stdDH-…kdf-scheme
    oid("1.3.133.16.840.63.0.2"): SHA1,
    SHA256_SCHEME: SHA256,
    SHA384_SCHEME: SHA384,
    oid("1.3.132.1.11.3"): SHA512,
}
"""Key agreements by their hash. SHA-1 is OpenSSL's default, and no weakness in a key derivation; we write it never."""

CURVES: Final[Mapping[str, bytes]] = {"secp256r1": oid("1.2.840.10045.3.1.7"), "secp384r1": oid("1.3.132.0.34")}

SHA1_OID: Final = oid("1.3.14.3.2.26")
SHA256_OID: Final = oid("2.16.840.1.101.3.4.2.1")
HASHES: Final[Mapping[bytes, type[HashAlgorithm]]] = {
    SHA1_OID: SHA1,
    SHA256_OID: SHA256,
    oid("2.16.840.1.101.3.4.2.2"): SHA384,
    oid("2.16.840.1.101.3.4.2.3"): SHA512,
}

ABSENT_OR_NULL: Final = frozenset((b"", bytes((NULL, 0))))
"""Parameters that say nothing, in both ways to write that."""


class AlgorithmIdentifier(NamedTuple):
    """An AlgorithmIdentifier (RFC 5280 §4.1.1.2)."""

    oid: bytes
    """DER, with its tag."""
    parameters: Element | None


def algorithm(identifier: bytes, parameters: bytes = b"") -> bytes:
    """Write an AlgorithmIdentifier."""
    return sequence(identifier, parameters)


def read_algorithm(reader: Reader, tag: int = SEQUENCE) -> AlgorithmIdentifier:
    """Read the next value as AlgorithmIdentifier.

    Raises:
        CmsError: it is none.
    """
    inner = reader.into(tag)
    identifier = inner.take(OID).raw
    parameters = inner.any() if inner.more() else None
    inner.end()
    return AlgorithmIdentifier(identifier, parameters)


def require_no_parameters(found: AlgorithmIdentifier) -> None:
    """Raise CmsError where an algorithm that has no parameters has some."""
    if (found.parameters.raw if found.parameters else b"") not in ABSENT_OR_NULL:
        raise CmsError("CMS has parameters for an algorithm that has none")
