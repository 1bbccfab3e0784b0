"""Certificates that something is encrypted to, and the keys that open it: read, and held against what they may do.

A recorder's certificate is trusted because the operator named its file; no chain is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, PublicKeyAlgorithmOID

from config.pem_files import read_certificates, read_private_key
from config.statefile import StateFileError
from config.validity import Validity, validity

E = TypeVar("E", bound=x509.ExtensionType)

LEAST_RSA = 2048
"""Bits (RFC 8551 §2.3)."""
MOST_RSA = 8192
"""Bits; a longer key costs more time for each message than any recorder is worth."""

_EMAIL = frozenset((ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE))
_UNDERSTOOD = frozenset((
    ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME, ExtensionOID.CERTIFICATE_POLICIES,
))  # fmt: skip
"""Critical extensions that are looked at, or that say nothing about encryption (RFC 5280 §4.2)."""
_PUT_CERTIFICATE = "put the recorder's certificate there, of a key on P-256 or RSA of 2048 bits"
_MAKE_KEY = "openssl ecparam -name prime256v1 -genkey -noout makes one"


class EncryptionCertificateError(StateFileError):
    """A certificate or key that cannot be used; says which and why, what would be right, never whose it is."""


class EncryptionCertificate(NamedTuple):
    """A certificate that something may be encrypted to, while it holds."""

    certificate: x509.Certificate
    key: EllipticCurvePublicKey | RSAPublicKey
    validity: Validity


class DecryptionKey(NamedTuple):
    """What opens what was encrypted to a certificate."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey | RSAPrivateKey


def read_certificate(path: Path) -> EncryptionCertificate:
    """Read the first certificate of a file; whether it holds today is for whoever uses it to ask.

    Raises:
        EncryptionCertificateError: there is none, or it must not be encrypted to: all that is wrong with it.
    """
    certificate = read_certificates(path, EncryptionCertificateError, _PUT_CERTIFICATE)[0]
    wrong = tuple(faults(certificate))
    key = certificate.public_key()
    if wrong or not isinstance(key, EllipticCurvePublicKey | RSAPublicKey):
        raise EncryptionCertificateError(f"{path}: {', '.join(wrong)}; {_PUT_CERTIFICATE}")
    return EncryptionCertificate(certificate, key, validity(certificate))


def read_decryption_key(certificate: Path, key: Path) -> DecryptionKey:
    """Read what opens; what its certificate says that it is for, and whether it holds today, is not looked at.

    Raises:
        EncryptionCertificateError: a file cannot be used, or they do not fit each other.
    """
    right = "put the certificate there that was encrypted to"
    leaf = read_certificates(certificate, EncryptionCertificateError, right)[0]
    missing = "there is no such file; put the certificate's private key there"
    secret, _ = read_private_key(key, EncryptionCertificateError, missing, _MAKE_KEY)
    if not isinstance(secret, EllipticCurvePrivateKey | RSAPrivateKey):
        raise EncryptionCertificateError(f"{key}: a key that nothing is encrypted to; {_MAKE_KEY}")
    if isinstance(secret, EllipticCurvePrivateKey) and not isinstance(secret.curve, SECP256R1 | SECP384R1):
        raise EncryptionCertificateError(f"{key}: a key on a curve that nothing is encrypted to; {_MAKE_KEY}")
    if leaf.public_key() != secret.public_key():
        raise EncryptionCertificateError(f"{certificate}: is not of the key in {key}; put the key's own first")
    return DecryptionKey(leaf, secret)


def faults(certificate: x509.Certificate) -> Iterator[str]:
    """Yield why a certificate must not be encrypted to, all of it; that it does not hold now is not among it."""
    yield from _faults_of_key(certificate)
    try:
        extensions = certificate.extensions
        yield from _faults_of_usage(certificate, extensions)
    except (ValueError, UnsupportedAlgorithm):
        yield "the certificate has an extension that cannot be read"


def _faults_of_key(certificate: x509.Certificate) -> Iterator[str]:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        yield "the certificate is of a key that cannot be read"
        return
    if isinstance(key, RSAPublicKey):
        if certificate.public_key_algorithm_oid != PublicKeyAlgorithmOID.RSAES_PKCS1_v1_5:
            yield "the certificate is of an RSA key that is only for signatures"
        if not LEAST_RSA <= key.key_size <= MOST_RSA:
            yield f"the certificate is of an RSA key of {key.key_size} bits"
    elif not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1 | SECP384R1):
        yield "the certificate is of a key that is neither on P-256 or P-384 nor RSA"


def _faults_of_usage(certificate: x509.Certificate, extensions: x509.Extensions) -> Iterator[str]:
    if any(each.critical and each.oid not in _UNDERSTOOD for each in extensions):
        yield "the certificate has a critical extension that is not understood"
    usage = _extension(extensions, x509.KeyUsage)
    if usage is not None:
        # RFC 5753 §3.1.1 (EC) and RFC 8551 §4.4.2: who says what a key is for must say this
        rsa = certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSAES_PKCS1_v1_5
        if rsa and not usage.key_encipherment:
            yield "the certificate's keyUsage is without keyEncipherment"
        if not rsa and not usage.key_agreement:
            yield "the certificate's keyUsage is without keyAgreement"
    purposes = _extension(extensions, x509.ExtendedKeyUsage)
    if purposes is not None and _EMAIL.isdisjoint(purposes):
        yield "the certificate's extKeyUsage is without emailProtection"  # RFC 8551 §4.4.4


def _extension(extensions: x509.Extensions, kind: type[E]) -> E | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
