"""Certificates that are encrypted to: what each may lack, and that all of it is said."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from config.encryption_certificate import EncryptionCertificateError, faults, read_certificate, read_decryption_key
from tests.recorders import KINDS, WALL, Recorder, certificate, openssl, recorder, usage

EMAIL = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
ANY = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
SERVER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
EC, RSA = recorder("p256").key.public_key(), recorder("rsa").key.public_key()
ODD = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")


@pytest.mark.parametrize("kind", KINDS)
def test_good(kind: str, tmp_path: Path) -> None:
    """P-256, P-384 and RSA, without a word about what they are for."""
    path, key = recorder(kind).write(tmp_path)
    found = read_certificate(path)
    assert (found.certificate, found.key) == (recorder(kind).certificate, recorder(kind).key.public_key())
    own = read_decryption_key(path, key)
    assert (own.certificate, own.key.private_numbers()) == (
        recorder(kind).certificate,
        recorder(kind).key.private_numbers(),
    )


def test_when_it_holds() -> None:
    """To the second, both ends included."""
    found = Recorder(recorder("p256").key, certificate(EC, start=0, days=1)).checked
    assert [found.validity.holds(WALL + after) for after in (-1, 0, 86_400, 86_401)] == [False, True, True, False]
    assert found.validity.days() == "2026-09-21 to 2026-09-22"


@pytest.mark.parametrize(
    ("key", "extensions", "wrong"),
    [
        (EC, [usage(key_agreement=True), EMAIL], []),
        (EC, [usage(key_agreement=True, digital_signature=True), ANY], []),
        (RSA, [usage(key_encipherment=True), EMAIL, SERVER][:2], []),
        (EC, [usage(digital_signature=True)], ["keyUsage is without keyAgreement"]),
        (EC, [usage(key_encipherment=True)], ["keyUsage is without keyAgreement"]),
        (RSA, [usage(key_agreement=True)], ["keyUsage is without keyEncipherment"]),
        (RSA, [SERVER], ["extKeyUsage is without emailProtection"]),
        (EC, [usage(digital_signature=True), SERVER], ["without keyAgreement", "without emailProtection"]),
    ],
)
def test_what_it_is_for(key: ec.EllipticCurvePublicKey, extensions: list[x509.ExtensionType], wrong: list[str]) -> None:
    """keyUsage and extKeyUsage, where they are there."""
    found = list(faults(certificate(key, *extensions)))
    assert len(found) == len(wrong)
    assert all(text in one for text, one in zip(wrong, found, strict=True))


def test_a_critical_extension() -> None:
    """RFC 5280 §4.2: what is not understood is not passed over."""
    assert list(faults(certificate(EC, ODD))) == []
    (wrong,) = faults(certificate(EC, ODD, critical=True))
    assert "critical extension" in wrong
    assert list(faults(certificate(EC, usage(key_agreement=True), EMAIL, critical=True))) == []


def test_keys_of_other_kinds() -> None:
    """Too short, too long, other curves, and keys that only sign."""
    short = rsa.generate_private_key(65537, 1024).public_key()
    assert list(faults(certificate(short))) == ["the certificate is of an RSA key of 1024 bits"]
    for odd in (ec.generate_private_key(ec.SECP521R1()), ed25519.Ed25519PrivateKey.generate()):
        (wrong,) = faults(certificate(odd.public_key()))
        assert wrong.endswith("neither on P-256 or P-384 nor RSA")


@openssl
def test_an_rsa_key_for_signatures(tmp_path: Path) -> None:
    """Its algorithm is id-RSASSA-PSS (RFC 4055 §1.2)."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa-pss", "-nodes", "-keyout", "k", "-subj", "/CN=x", "-out", "c"]
    subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
    with pytest.raises(EncryptionCertificateError, match="only for signatures"):
        read_certificate(tmp_path / "c")


def test_all_that_is_wrong_is_said(tmp_path: Path) -> None:
    """With the file and what would be right, and not whose it is."""
    path = tmp_path / "c.pem"
    bad = certificate(EC, usage(digital_signature=True), SERVER, name="Alice's recorder")
    path.write_bytes(bad.public_bytes(Encoding.PEM))
    with pytest.raises(EncryptionCertificateError) as raised:
        read_certificate(path)
    text = str(raised.value)
    assert text.startswith(f"{path}: the certificate's keyUsage")
    assert "extKeyUsage" in text
    assert "; put the recorder's certificate there" in text
    assert "Alice" not in text


def test_keys_that_do_not_fit(tmp_path: Path) -> None:
    """Another's, or one that opens nothing."""
    path, _ = recorder("p256").write(tmp_path)
    _, other = recorder("p256", 1).write(tmp_path, "other")
    with pytest.raises(EncryptionCertificateError, match="is not of the key in"):
        read_decryption_key(path, other)
    made = ed25519.Ed25519PrivateKey.generate()
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    signing = tmp_path / "ed.key"
    signing.touch(mode=0o600)
    signing.write_bytes(pem)
    with pytest.raises(EncryptionCertificateError, match="nothing is encrypted to"):
        read_decryption_key(path, signing)
    odd = ec.generate_private_key(ec.SECP521R1())
    path.write_bytes(certificate(odd.public_key()).public_bytes(Encoding.PEM))
    signing.write_bytes(odd.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(EncryptionCertificateError, match="on a curve that nothing is encrypted to; openssl"):
        read_decryption_key(path, signing)
