"""The key that calls are signed with, and its certificates, read from their files and held against each other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from config.settings import Signing
from config.statefile import StateFile, StateFileError

EXPIRY_WARNING = 30 * 86_400
"""Seconds before the end of the certificate from which on a start warns: what an authority may take to renew it."""


class SigningKeyError(StateFileError):
    """A key or chain that cannot be used; says which and why, never what is in it."""


class SigningKey(NamedTuple):
    """What signs."""

    key: EllipticCurvePrivateKey
    expires: float | None
    """End of the certificate, Unix seconds; None where no chain is configured."""

    def expires_soon(self, wall: float) -> bool:
        """Tell whether the certificate should be renewed now."""
        return self.expires is not None and self.expires - wall < EXPIRY_WARNING


def load(signing: Signing, folder: Path, wall: float) -> SigningKey:
    """Read key and chain; relative paths are in folder, wall is Unix seconds.

    Raises:
        SigningKeyError: a file is missing, not private (the key), malformed, or they do not fit each other or today.
    """
    key = _key(folder / signing.key)
    return SigningKey(key, _end_of(folder / signing.chain, key, wall) if signing.chain else None)


def _key(path: Path) -> EllipticCurvePrivateKey:
    content = StateFile(path, SigningKeyError).read()
    if content is None:
        raise SigningKeyError(f"{path}: there is no signing key")
    try:
        key = load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SigningKeyError(f"{path}: no private key in PEM without a passphrase") from None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise SigningKeyError(f"{path}: no key on the curve P-256, which ES256 needs (RFC 8225 §8)")
    return key


def _end_of(path: Path, key: EllipticCurvePrivateKey, wall: float) -> float:
    """Return when the first certificate of a chain ends, which has to be the key's and to hold today."""
    try:
        chain = x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise SigningKeyError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError:
        raise SigningKeyError(f"{path}: no certificates in PEM") from None
    leaf = chain[0]
    try:
        fits = leaf.public_key() == key.public_key()
    except (ValueError, UnsupportedAlgorithm):
        fits = False
    if not fits:
        raise SigningKeyError(f"{path}: its first certificate is not the signing key's")
    now = datetime.fromtimestamp(wall, UTC)
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        raise SigningKeyError(f"{path}: its first certificate is not valid today")
    return leaf.not_valid_after_utc.timestamp()
