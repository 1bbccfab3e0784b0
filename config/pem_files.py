"""Certificates and private keys in PEM, read from their files; what is wrong is raised as the caller's own error."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from config.statefile import StateFile, StateFileError


def read_certificates(path: Path, error: type[StateFileError], right: str) -> list[x509.Certificate]:
    """Return the certificates in a file, at least one; right: what would be right to put there.

    Raises:
        StateFileError: of the class given: there are none, or one has a key that nobody can read.
    """
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
        for each in found:
            each.public_key()
    except OSError as problem:
        raise error(f"{path}: cannot be read: {problem.strerror}; {right}") from problem
    except (ValueError, UnsupportedAlgorithm):
        raise error(f"{path}: no certificates in PEM; {right}") from None
    return found


def read_private_key(
    path: Path, error: type[StateFileError], missing: str, wrong: str
) -> tuple[PrivateKeyTypes, bytes]:
    """Return the private key in a file that nobody else may read, and the file's content.

    Args:
        path: of the file.
        error: class of what is raised.
        missing: what there is not, and what would be right.
        wrong: what would be right where the file holds no such key.

    Raises:
        StateFileError: of the class given: it is missing, not private, or no key without a passphrase.
    """
    content = StateFile(path, error).read()
    if content is None:
        raise error(f"{path}: {missing}")
    try:
        return load_pem_private_key(content, None), content
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise error(f"{path}: no private key in PEM without a passphrase; {wrong}") from None
