"""Recorders for tests: keys of each kind, certificates of them, and an openssl to hold ours against."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from config.encryption_certificate import DecryptionKey, EncryptionCertificate
from config.validity import validity
from filters.cms_make import Recipient, recipient
from filters.cms_open import Opener, opener

WALL = 1_790_000_000
"""Unix seconds at which test certificates hold."""
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
KINDS = ("p256", "p384", "rsa")
METADATA = b'<?xml version="1.0"?>\r\n<recording xmlns="urn:ietf:params:xml:ns:recording:1"/>\r\n'
openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl: apt-get install openssl")

_ISSUER = ec.generate_private_key(ec.SECP256R1())


def key(kind: str) -> Key:
    """Make a key."""
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP384R1() if kind == "p384" else ec.SECP256R1())


def usage(**granted: bool) -> x509.KeyUsage:
    """Return a keyUsage that grants what is named."""
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
    return x509.KeyUsage(**{name: granted.get(name, False) for name in names})


def certificate(
    public: CertificatePublicKeyTypes, *extensions: x509.ExtensionType, wall: float = WALL, start: float = -1,
    days: float = 90, critical: bool = False, name: str = "recorder", issuer: str = "Recorders & Söhne",
) -> x509.Certificate:  # fmt: skip
    """Certify a key, with extensions, for some days from wall."""
    now = datetime.fromtimestamp(wall, UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .serial_number(x509.random_serial_number()).public_key(public)
        .not_valid_before(now + timedelta(days=start)).not_valid_after(now + timedelta(days=days))
    )  # fmt: skip
    for extension in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(_ISSUER, hashes.SHA256())


class Recorder(NamedTuple):
    """A recorder's key and certificate."""

    key: Key
    certificate: x509.Certificate

    @property
    def checked(self) -> EncryptionCertificate:
        """Return the certificate as one that was read and found good."""
        return EncryptionCertificate(self.certificate, self.key.public_key(), validity(self.certificate))

    @property
    def recipient(self) -> Recipient:
        """Return it as one to encrypt to."""
        return recipient(self.checked)

    @property
    def decryption(self) -> DecryptionKey:
        """Return the key as it was read."""
        return DecryptionKey(self.certificate, self.key)

    @property
    def opener(self) -> Opener:
        """Return it as one that opens."""
        return opener(self.decryption)

    def write(self, folder: Path, name: str = "recorder") -> tuple[Path, Path]:
        """Write certificate and key; return where."""
        paths = folder / f"{name}.pem", folder / f"{name}.key"
        paths[0].write_bytes(self.certificate.public_bytes(Encoding.PEM))
        paths[1].touch(mode=0o600)
        paths[1].write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return paths


def recorder(kind: str, which: int = 0) -> Recorder:
    """Return a recorder with a key of a kind; each `which` is another, and always the same."""
    return _recorder(kind, which)


@cache
def _recorder(kind: str, which: int) -> Recorder:
    made = key(kind)
    identifier = x509.SubjectKeyIdentifier.from_public_key(made.public_key())
    return Recorder(made, certificate(made.public_key(), identifier))


def run_openssl(folder: Path, data: bytes, *arguments: str) -> bytes:
    """Run openssl in a folder; return what it writes."""
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
