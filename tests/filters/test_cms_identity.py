"""Whom a RecipientInfo names."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from filters.ber import Reader
from filters.cms_identity import Identity, identity, read_agreement_name, read_transport_name
from filters.der import explicit, implicit, integer, octets, sequence, value
from tests.recorders import certificate, recorder


def test_of_a_certificate() -> None:
    """Issuer and number as they stand in it; the key identifier that it has, or the usual one."""
    key = recorder("p256").key.public_key()
    with_identifier = certificate(key, x509.SubjectKeyIdentifier(b"mine"))
    found = identity(with_identifier)
    assert found.issuer_and_serial == sequence(
        with_identifier.issuer.public_bytes(), integer(with_identifier.serial_number)
    )
    assert found.key_identifier == b"mine"
    usual = x509.SubjectKeyIdentifier.from_public_key(key).digest
    assert identity(certificate(key)).key_identifier == usual
    assert len(usual) == hashes.SHA1.digest_size


def test_who_is_meant() -> None:
    """By either name, never by none."""
    ours = Identity(b"issuer and serial", b"key")
    assert ours.is_meant(Identity(b"issuer and serial", b""))
    assert ours.is_meant(Identity(b"", b"key"))
    for other in (Identity(b"", b""), Identity(b"", b"issuer and serial"), Identity(b"key", b""), Identity(b"x", b"")):
        assert not ours.is_meant(other)
    assert not Identity(b"x", b"").is_meant(Identity(b"", b""))


def test_as_they_are_written() -> None:
    """RFC 5652 §6.2.1 and §6.2.2: the tag [0] is another in each."""
    pair = sequence(sequence(), integer(5))
    assert read_transport_name(Reader(pair)) == read_agreement_name(Reader(pair)) == Identity(pair, b"")
    assert read_transport_name(Reader(value(implicit(0), b"key"))) == Identity(b"", b"key")
    assert read_agreement_name(Reader(value(explicit(0), octets(b"key")))) == Identity(b"", b"key")
    dated = value(explicit(0), octets(b"key"), value(0x18, b"20260101000000Z"))
    assert read_agreement_name(Reader(dated)) == Identity(b"", b"key")
