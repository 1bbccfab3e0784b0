"""Certificates and keys of TLS listeners, read from their files and held against each other."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from config import recorder_trust
from config.pem_files import read_certificates, read_private_key
from config.recorder_trust import RecorderTrust
from config.settings import Listener, Settings, Trunk
from config.statefile import StateFileError
from config.validity import Validity, validity

EXPIRY_WARNING = 14 * 86_400
"""Seconds before the end from which on a start and a check warn: automatic renewal (ACME) comes 30 days before it."""
LEAST_RSA = 2048
"""Bits (RFC 9325 §4.5)."""


class TlsFileError(StateFileError):
    """A file that cannot be used; says which and why, what would be right, never what is in it."""


class OwnCertificate(NamedTuple):
    """One of our certificates with its key, as TLS takes them."""

    chain: tuple[bytes, ...]
    """DER: ours first."""
    key: bytes
    """PEM, without a passphrase; for memory alone."""
    names: tuple[str, ...]
    """DNS names that it is shown for, lower case; `*.` for any first label."""
    validity: Validity


class TlsFiles(NamedTuple):
    """All that a TLS listener needs."""

    own: tuple[OwnCertificate, ...]
    ca: tuple[bytes, ...] | None
    """DER; None: the system's."""
    client_ca: tuple[bytes, ...] | None
    """DER; None: clients are not asked."""
    require_client: bool
    recorders: tuple[RecorderTrust, ...] = ()
    """All that there are: on whichever listener somebody shows the name of one."""


def load_all(settings: Settings, retired: Iterable[Trunk] = ()) -> dict[str, TlsFiles]:
    """Return what belongs to each TLS listener, by its name; whether certificates hold today is for others to ask.

    Args:
        settings: the configuration.
        retired: recorders among them are configured no more, and have sessions.

    Raises:
        TlsFileError: a file is missing, not private (a key), malformed, or they do not fit each other.
        RecorderTrustError: the authorities of a recorder cannot be used.
    """
    folder = Path(settings.state_dir)
    secure = [each for each in settings.listeners if each.transport in ("tls", "wss")]
    recorders = recorder_trust.load(settings, retired) if secure else ()
    return {each.name: load(each, folder)._replace(recorders=recorders) for each in secure}


def load(listener: Listener, folder: Path) -> TlsFiles:
    """Return what belongs to one listener; relative paths are in folder.

    Raises:
        TlsFileError: as `load_all`.
    """
    pairs = zip(listener.certificates, listener.keys, strict=True)
    return TlsFiles(
        tuple(read_pair(folder / chain, folder / key) for chain, key in pairs),
        None if listener.ca is None else read_authorities(folder / listener.ca),
        None if listener.client_ca is None else read_authorities(folder / listener.client_ca),
        listener.require_client_certificate,
    )


def read_pair(chain: Path, key: Path) -> OwnCertificate:
    """Read a certificate with its chain, and its key.

    Raises:
        TlsFileError: one of them cannot be used, or they do not fit.
    """
    right = "put the certificate there, and behind it those up to its authority"
    certificates = read_certificates(chain, TlsFileError, right)
    secret, pem = _read_key(key)
    leaf = certificates[0]
    if leaf.public_key() != secret.public_key():
        raise TlsFileError(f"{chain}: its first certificate is not of the key in {key}; put the key's own first")
    return OwnCertificate(tuple(map(_der, certificates)), pem, _dns_names(leaf), validity(leaf))


def read_authorities(path: Path) -> tuple[bytes, ...]:
    """Read certificates of authorities, as DER.

    Raises:
        TlsFileError: there are none.
    """
    right = "put the authorities' certificates there, in PEM"
    return tuple(map(_der, read_certificates(path, TlsFileError, right)))


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _read_key(path: Path) -> tuple[EllipticCurvePrivateKey | RSAPrivateKey | Ed25519PrivateKey, bytes]:
    missing = "there is no such file; put the certificate's private key there"
    key, content = read_private_key(path, TlsFileError, missing, "write it so")
    if not isinstance(key, EllipticCurvePrivateKey | RSAPrivateKey | Ed25519PrivateKey):
        raise TlsFileError(f"{path}: a key that TLS has no use for; make one on P-256")
    if isinstance(key, RSAPrivateKey) and key.key_size < LEAST_RSA:
        raise TlsFileError(f"{path}: an RSA key of {key.key_size} bits; make one of {LEAST_RSA} or on P-256")
    return key, content


def _dns_names(leaf: x509.Certificate) -> tuple[str, ...]:
    """Return the names that clients may ask for: those of the SAN, or the common name where there is no SAN."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return tuple(name.lower() for name in names.get_values_for_type(x509.DNSName))
    except (x509.ExtensionNotFound, ValueError):
        common = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return tuple(str(name.value).lower() for name in common)
