"""Whom a RecipientInfo is for: the certificate's issuer and serial number, or its key identifier (RFC 5652 §6.2.1)."""

from __future__ import annotations

from typing import NamedTuple

from cryptography import x509

from filters.ber import Reader
from filters.der import INTEGER, OCTET_STRING, SEQUENCE, explicit, implicit, sequence


class Identity(NamedTuple):
    """The names of a certificate, as octets to compare; of what a RecipientInfo says, one of them is empty."""

    issuer_and_serial: bytes
    """IssuerAndSerialNumber, DER; issuer and number as they stand in the certificate."""
    key_identifier: bytes
    """The content of subjectKeyIdentifier."""

    def is_meant(self, named: Identity) -> bool:
        """Tell whether this is the certificate that a RecipientInfo names."""
        if named.key_identifier:
            return named.key_identifier == self.key_identifier
        return bool(named.issuer_and_serial) and named.issuer_and_serial == self.issuer_and_serial


def identity(certificate: x509.Certificate) -> Identity:
    """Return the names of a certificate."""
    return Identity(_issuer_and_serial(certificate), _key_identifier(certificate))


def read_transport_name(fields: Reader) -> Identity:
    """Read the RecipientIdentifier of key transport.

    Raises:
        CmsError: it is none.
    """
    found = fields.maybe(implicit(0))
    return Identity(b"", found.content) if found else _read_issuer_and_serial(fields)


def read_agreement_name(fields: Reader) -> Identity:
    """Read the KeyAgreeRecipientIdentifier of key agreement; date and other keys of its long form do not matter.

    Raises:
        CmsError: it is none.
    """
    if fields.is_next(explicit(0)):
        return Identity(b"", fields.into(explicit(0)).take(OCTET_STRING).content)
    return _read_issuer_and_serial(fields)


def _read_issuer_and_serial(fields: Reader) -> Identity:
    # Where lengths are indefinite these octets are no certificate's, and so nobody's.
    return Identity(fields.take(SEQUENCE).raw, b"")


def _issuer_and_serial(certificate: x509.Certificate) -> bytes:
    # RFC 5280 §4.1: TBSCertificate ::= SEQUENCE { version [0], serialNumber, signature, issuer, … }
    fields = Reader(certificate.tbs_certificate_bytes).into(SEQUENCE)
    fields.maybe(explicit(0))
    serial = fields.take(INTEGER).raw
    fields.take(SEQUENCE)
    return sequence(fields.take(SEQUENCE).raw, serial)


def _key_identifier(certificate: x509.Certificate) -> bytes:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        # What senders make of a certificate without it: method 1 of RFC 5280 §4.2.1.2.
        return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).key_identifier
