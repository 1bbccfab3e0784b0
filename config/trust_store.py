"""The certificates that signed calls are verified with: trust anchors, and chains by where their signers point.

Nothing is fetched: a chain is used when the operator has put it into the folder. Each file there begins with a line
that is its URL, as it stands in `x5u`; then the certificates in PEM, the signer's first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from config.certificate_chain import ChainError, check
from config.signing_section import Verification
from config.statefile import StateFileError
from config.validity import Validity, validity

_PUT_ANCHORS = "put the certificates there of those whom you trust to issue others"
_URL = re.compile(rb"https://[\x21-\x7e]+")


class TrustStoreError(StateFileError):
    """Trust anchors that cannot be used."""


class Signatory(NamedTuple):
    """A key whose chain leads to a trust anchor."""

    key: EllipticCurvePublicKey
    validity: Validity
    """When every certificate of the chain holds."""


class TrustStore(NamedTuple):
    """What was found."""

    signatories: Mapping[str, Signatory]
    """By URL."""
    problems: tuple[str, ...]
    """What is wrong with files that are left out: one bad file makes no others useless."""


def load(verification: Verification, folder: Path) -> TrustStore:
    """Read anchors and chains; relative paths are in folder.

    Raises:
        TrustStoreError: if there are no anchors, or the folder cannot be read.
    """
    anchors = read_anchors(folder / verification.anchors)
    signatories: dict[str, Signatory] = {}
    problems = []
    for path in files_in(folder / verification.certificates):
        try:
            url, signatory = _read(path, anchors)
        except OSError as error:
            problems.append(f"{path}: cannot be read: {error.strerror}")
        except ValueError:
            problems.append(f"{path}: no line with its https URL and then certificates in PEM")
        except ChainError as error:
            problems.append(f"{path}: {error}")
        else:
            signatories[url] = signatory
    return TrustStore(signatories, tuple(problems))


def read_anchors(path: Path) -> Sequence[x509.Certificate]:
    """Read the trust anchors.

    Raises:
        TrustStoreError: there are none.
    """
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise TrustStoreError(f"{path}: cannot be read: {error.strerror}; {_PUT_ANCHORS}") from error
    except ValueError:
        raise TrustStoreError(f"{path}: no certificates in PEM; {_PUT_ANCHORS}") from None


def files_in(folder: Path) -> Sequence[Path]:
    """Return the files of chains.

    Raises:
        TrustStoreError: the folder cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".pem")
    except OSError as error:
        raise TrustStoreError(f"{folder}: cannot be read: {error.strerror}; make the folder") from error


def _read(path: Path, anchors: Sequence[x509.Certificate]) -> tuple[str, Signatory]:
    """Return a file's URL and key.

    Raises:
        OSError, ValueError, ChainError: if there is none.
    """
    content = path.read_bytes()
    url = content.partition(b"\n")[0].strip()
    if not _URL.fullmatch(url):
        raise ValueError("no URL")
    chain = x509.load_pem_x509_certificates(content)
    anchor = check(chain, anchors)
    key = chain[0].public_key()
    assert isinstance(key, EllipticCurvePublicKey)  # noqa: S101 -- `check` has seen to it
    return url.decode(), Signatory(key, validity(*chain, anchor))
