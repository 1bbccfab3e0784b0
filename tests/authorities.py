"""A certificate authority for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

TN_AUTH_LIST = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.26")
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """Issues certificates; a root where nobody issued it itself."""

    def __init__(
        self,
        wall: int,
        name: str = "root",
        parent: Authority | None = None,
        *,
        ca: bool = True,
        length: int | None = None,
    ) -> None:
        self._now = datetime.fromtimestamp(wall, UTC)
        self._parent = parent
        self.name = _name(name)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.own = (parent or self).certificate(self.key.public_key(), name=name, ca=ca, length=length)

    def certificate(
        self, key: PublicKey, *, name: str = "SHAKEN 709J", ca: bool = False, length: int | None = None,
        start: int = -1, days: int = 365, usage: bool = True, numbers: bool = False,
    ) -> x509.Certificate:  # fmt: skip
        """Return a certificate for a key, from `start` days from now until `days` days from now.

        With numbers, it is good for those of a service provider: TNAuthList { spc "709J" } (RFC 8226 §9).
        """
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name)).issuer_name(self.name).public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now + timedelta(days=start)).not_valid_after(self._now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=length), critical=True)
        )  # fmt: skip
        if numbers:
            listed = x509.UnrecognizedExtension(TN_AUTH_LIST, b"\x30\x08\xa0\x06\x16\x04709J")
            builder = builder.add_extension(listed, critical=False)
        if usage:
            builder = builder.add_extension(
                x509.KeyUsage(
                    digital_signature=not ca, key_cert_sign=ca, crl_sign=ca, content_commitment=False,
                    key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )  # fmt: skip
        return builder.sign(self.key, hashes.SHA256())
