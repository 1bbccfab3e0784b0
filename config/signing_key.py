"""The key that calls are signed with, and its certificates, read from their files and held against each other."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey

from config.pem_files import read_private_key
from config.signing_section import Signing
from config.statefile import StateFileError
from config.validity import Validity, validity

EXPIRY_WARNING = 30 * 86_400
"""Seconds before the end of the certificate from which on it is warned of: what an authority may take to renew it."""
TN_AUTH_LIST = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.26")
"""The extension that says for which numbers a certificate is good (RFC 8226 §9)."""
_MAKE_KEY = "openssl ecparam -name prime256v1 -genkey -noout makes one"


class SigningKeyError(StateFileError):
    """A key or chain that cannot be used; says which and why, what would be right, never what is in it."""


class SigningKey(NamedTuple):
    """What signs, and when."""

    key: EllipticCurvePrivateKey
    validity: Validity = Validity()
    """Of the certificate; always, where no chain is configured."""


def load(signing: Signing, folder: Path) -> SigningKey:
    """Read key and chain; relative paths are in folder.

    Whether they hold today is for whoever signs to ask: a proxy that was started on the day after goes on without.

    Raises:
        SigningKeyError: a file is missing, not private (the key), malformed, or they do not fit each other.
    """
    key = read_key(folder / signing.key)
    if not signing.chain:
        return SigningKey(key)
    path = folder / signing.chain
    leaf = read_leaf(path)
    if not fits(key, leaf):
        raise SigningKeyError(f"{path}: its first certificate is not the signing key's; put the key's own first")
    return SigningKey(key, validity(leaf))


def read_key(path: Path) -> EllipticCurvePrivateKey:
    """Read the key.

    Raises:
        SigningKeyError: it cannot be used.
    """
    key, _ = read_private_key(path, SigningKeyError, f"there is no signing key; {_MAKE_KEY}", _MAKE_KEY)
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise SigningKeyError(f"{path}: no key on the curve P-256, which ES256 needs (RFC 8225 §8); {_MAKE_KEY}")
    return key


def read_leaf(path: Path) -> x509.Certificate:
    """Read the first certificate of a chain.

    Raises:
        SigningKeyError: there is none.
    """
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())[0]
    except OSError as error:
        wrong = f"{path}: cannot be read: {error.strerror}"
        raise SigningKeyError(f"{wrong}; put the authority's certificates there") from error
    except ValueError:
        raise SigningKeyError(f"{path}: no certificates in PEM; put the authority's certificates there") from None


def fits(key: EllipticCurvePrivateKey, leaf: x509.Certificate) -> bool:
    """Tell whether a certificate is of a key."""
    try:
        return leaf.public_key() == key.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False


def names_numbers(leaf: x509.Certificate) -> bool:
    """Tell whether a certificate says which numbers it is for; SHAKEN verifiers take no other (ATIS-1000080)."""
    try:
        return any(each.oid == TN_AUTH_LIST for each in leaf.extensions)
    except ValueError:
        return False
