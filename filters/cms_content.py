"""Encrypted content: AES-GCM (RFC 5084) and AES-CBC (RFC 3565)."""

from __future__ import annotations

import secrets
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher as Keyed
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, GCM
from cryptography.hazmat.primitives.padding import PKCS7

from filters.ber import CmsError, Element, Reader
from filters.cms_algorithms import CIPHER_OF, CIPHERS, AlgorithmIdentifier, Cipher, algorithm
from filters.der import INTEGER, OCTET_STRING, SEQUENCE, integer, octets, sequence

NONCE_SIZE = 12
"""Octets (RFC 5084 §3.2: what implementations have to have; others make GCM weaker)."""
TAG_SIZE = 16
"""Octets that we write; said explicitly, for the default is 12."""
_LEAST_TAG = 12
_BLOCK = 16


class Encrypted(NamedTuple):
    """Encrypted content."""

    algorithm: bytes
    """AlgorithmIdentifier, DER."""
    content: bytes
    tag: bytes
    """Empty where the cipher has none."""


class How(NamedTuple):
    """What an AlgorithmIdentifier says of encrypted content."""

    cipher: Cipher
    nonce: bytes
    tag_size: int
    """0 where the cipher has no tag."""


def encrypt(cipher: Cipher, key: bytes, content: bytes) -> Encrypted:
    """Encrypt content under a key that nothing else was or will be encrypted under."""
    identifier = CIPHERS[cipher].oid
    if CIPHERS[cipher].authenticated:
        nonce = secrets.token_bytes(NONCE_SIZE)
        sealed = AESGCM(key).encrypt(nonce, content, None)
        parameters = sequence(octets(nonce), integer(TAG_SIZE))
        return Encrypted(algorithm(identifier, parameters), sealed[:-TAG_SIZE], sealed[-TAG_SIZE:])
    start = secrets.token_bytes(_BLOCK)
    padder, encryptor = PKCS7(8 * _BLOCK).padder(), Keyed(AES(key), CBC(start)).encryptor()
    padded = padder.update(content) + padder.finalize()
    return Encrypted(algorithm(identifier, octets(start)), encryptor.update(padded) + encryptor.finalize(), b"")


def read(found: AlgorithmIdentifier) -> How:
    """Return how content is encrypted.

    Raises:
        CmsError: in a way that is none of ours.
    """
    cipher = CIPHER_OF.get(found.oid)
    if cipher is None:
        raise CmsError("CMS has a cipher that is not taken: AES with GCM or CBC and 128 or 256 bits is")
    if found.parameters is None:
        raise CmsError("CMS lacks something that it must have")
    if not CIPHERS[cipher].authenticated:
        return How(cipher, _sized(found.parameters, _BLOCK), 0)
    if found.parameters.tag != SEQUENCE:
        raise CmsError("CMS lacks something that it must have")
    fields = Reader(found.parameters.content)
    nonce = _sized(fields.take(OCTET_STRING), NONCE_SIZE)
    size = fields.maybe(INTEGER)
    fields.end()
    # An INTEGER of 12 to 16 has one octet (X.690 §8.3.2).
    tag_size = _LEAST_TAG if size is None else int.from_bytes(size.content, "big") if len(size.content) == 1 else 0
    if not _LEAST_TAG <= tag_size <= TAG_SIZE:
        raise CmsError("CMS has an authentication tag of a length that there is not")
    return How(cipher, nonce, tag_size)


def decrypt(how: How, key: bytes, content: bytes, tag: bytes, associated: bytes) -> bytes | None:
    """Return the content, None where the key is another or anything was changed: which of it is told to nobody."""
    if how.tag_size:
        return _decrypt_gcm(how, key, content, tag, associated)
    if not content or len(content) % _BLOCK:
        return None
    decryptor, unpadder = Keyed(AES(key), CBC(how.nonce)).decryptor(), PKCS7(8 * _BLOCK).unpadder()
    padded = decryptor.update(content) + decryptor.finalize()
    try:
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        return None


def _decrypt_gcm(how: How, key: bytes, content: bytes, tag: bytes, associated: bytes) -> bytes | None:
    if len(tag) != how.tag_size:
        return None
    decryptor = Keyed(AES(key), GCM(how.nonce, tag, _LEAST_TAG)).decryptor()
    decryptor.authenticate_additional_data(associated)
    try:
        return decryptor.update(content) + decryptor.finalize()
    except InvalidTag:
        return None


def _sized(element: Element, size: int) -> bytes:
    if element.tag != OCTET_STRING or len(element.content) != size:
        raise CmsError("CMS has a nonce of a length that is not taken")
    return element.content
