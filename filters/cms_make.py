"""Makes CMS: AuthEnvelopedData (RFC 5083) where the cipher authenticates, else EnvelopedData (RFC 5652 §6)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from config.encryption_certificate import EncryptionCertificate
from filters import cms_agreement, cms_transport
from filters.ber import CmsError, ValidityError
from filters.cms_algorithms import AUTH_ENVELOPED, CIPHERS, DATA, ENVELOPED, Cipher, KeyTransport
from filters.cms_content import encrypt
from filters.cms_identity import Identity, identity
from filters.der import explicit, implicit, integer, octets, sequence, set_of, value

MAX_CONTENT = 1 << 20
"""Octets that are encrypted: the body of a message is shorter (config.settings.Limits), a file may have it all."""
MAX_RECIPIENTS = 32
"""Recorders of one group."""


class Recipient(NamedTuple):
    """Whom something is encrypted to; made once for each certificate."""

    identity: Identity
    key: EllipticCurvePublicKey | RSAPublicKey
    certificate: EncryptionCertificate


def recipient(certificate: EncryptionCertificate) -> Recipient:
    """Return the owner of a certificate as recipient."""
    return Recipient(identity(certificate.certificate), certificate.key, certificate)


def make(
    content: bytes, recipients: Sequence[Recipient], wall: float, *, cipher: Cipher = Cipher.AES_128_GCM,
    transport: KeyTransport = KeyTransport.OAEP,
) -> bytes:  # fmt: skip
    """Return content, encrypted to all recipients, each of whom can open it: ContentInfo, DER.

    Args:
        content: what is encrypted.
        recipients: to whom: 1 to MAX_RECIPIENTS.
        wall: Unix seconds now: a certificate that does not hold now is nobody's to encrypt to.
        cipher: for the content.
        transport: for recipients with an RSA key.

    Raises:
        ValidityError: a certificate does not hold.
        CmsError: there are no recipients or too many, or too much content.
    """
    if not 0 < len(recipients) <= MAX_RECIPIENTS:
        raise CmsError("CMS would have no recipients, or too many")
    if len(content) > MAX_CONTENT:
        raise CmsError("CMS would be too large")
    if not all(each.certificate.validity.holds(wall) for each in recipients):
        raise ValidityError("CMS would be for a certificate that does not hold now")
    facts = CIPHERS[cipher]
    key = secrets.token_bytes(facts.key_size)
    infos = set_of(*(_info(each, key, transport) for each in recipients))
    encrypted = encrypt(cipher, key, content)
    about = sequence(DATA, encrypted.algorithm, value(implicit(0), encrypted.content))
    if facts.authenticated:  # RFC 5083 §2.1: version 0; no attributes, for the content is data
        return _content_info(AUTH_ENVELOPED, integer(0), infos, about, octets(encrypted.tag))
    agreed = any(isinstance(each.key, EllipticCurvePublicKey) for each in recipients)
    return _content_info(ENVELOPED, integer(2 if agreed else 0), infos, about)  # RFC 5652 §6.1


def _content_info(kind: bytes, *contents: bytes) -> bytes:
    return sequence(kind, value(explicit(0), sequence(*contents)))


def _info(recipient: Recipient, key: bytes, transport: KeyTransport) -> bytes:
    if isinstance(recipient.key, EllipticCurvePublicKey):
        return cms_agreement.make(recipient.identity, recipient.key, key)
    return cms_transport.make(recipient.identity, recipient.key, key, transport)
