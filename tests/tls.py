"""Certificates for TLS tests: an authority of one's own, and whatever it certifies."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from config.tls_files import OwnCertificate, TlsFiles, read_authorities, read_pair

SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH


def subject(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class TlsAuthority:
    """Issues certificates into a folder."""

    def __init__(self, folder: Path, name: str = "Test authority") -> None:
        self.folder = folder
        self._name = subject(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._now = datetime.now(UTC)
        self.wall = self._now.timestamp()
        """Unix seconds now, as long as a test takes."""
        own = self._builder(self._name, self._key.public_key(), -1, 3650)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.file = folder / f"{name.replace(' ', '-')}.pem"
        self.file.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def issue(
        self, file: str, *, common: str = "x", dns: Sequence[str] = (), uris: Sequence[str] = (),
        ips: Sequence[str] = (), start: float = -1, days: float = 90, usage: Sequence[x509.ObjectIdentifier] = (),
    ) -> tuple[Path, Path]:  # fmt: skip
        """Write a certificate and its key; return their paths. No names: no subjectAltName."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(subject(common), key.public_key(), start, days)
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri) for uri in uris]
        names += [x509.DNSName(name) for name in dns]
        names += [x509.IPAddress(ipaddress.ip_address(ip)) for ip in ips]
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        chain_file, key_file = self.folder / f"{file}.pem", self.folder / f"{file}.key"
        chain_file.write_bytes(certificate.public_bytes(Encoding.PEM))
        key_file.touch(mode=0o600)
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return chain_file, key_file

    def own(self, file: str, **what: object) -> OwnCertificate:
        """Issue a certificate and read it as one of ours."""
        return read_pair(*self.issue(file, **what))  # type: ignore[arg-type]

    def files(self, *own: OwnCertificate, clients: bool = False, require: bool = False) -> TlsFiles:
        """Return what a listener has that believes this authority alone."""
        authorities = read_authorities(self.file)
        return TlsFiles(own, authorities, authorities if clients else None, require)

    def _builder(
        self, name: x509.Name, key: ec.EllipticCurvePublicKey, start: float, days: float
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name).issuer_name(self._name).public_key(key).serial_number(x509.random_serial_number())
            .not_valid_before(self._now + timedelta(days=start)).not_valid_after(self._now + timedelta(days=days))
        )  # fmt: skip
