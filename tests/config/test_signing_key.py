"""The signing key and its chain, as files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from config.signing_key import EXPIRY_WARNING, SigningKeyError, load, names_numbers
from config.signing_section import Signing
from tests.authorities import Authority

WALL = 1_790_000_000
KEY = ec.generate_private_key(ec.SECP256R1())
SIGNING = Signing(x5u="https://cert.example.org/p.pem", chain="chain.pem")


def pem(
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, locked: KeySerializationEncryption | None = None
) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked or NoEncryption())


def place(folder: Path, key: bytes = pem(KEY), chain: bytes | None = None, mode: int = 0o600) -> Path:
    (folder / "signing.key").write_bytes(key)
    (folder / "signing.key").chmod(mode)
    if chain is None:
        chain = Authority(WALL).certificate(KEY.public_key()).public_bytes(Encoding.PEM)
    (folder / "chain.pem").write_bytes(chain)
    return folder


def test_key_and_chain(tmp_path: Path) -> None:
    """The key that is in the file."""
    loaded = load(SIGNING, place(tmp_path))
    assert loaded.key.private_numbers() == KEY.private_numbers()


def test_without_chain(tmp_path: Path) -> None:
    """Nobody knows when it ends."""
    loaded = load(Signing(x5u=SIGNING.x5u), place(tmp_path))
    assert loaded.validity.holds(WALL)
    assert not loaded.validity.ends_within(EXPIRY_WARNING, WALL)


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        (b"", "no private key in PEM"),
        (b"junk", "no private key in PEM"),
        (pem(KEY, BestAvailableEncryption(b"secret")), "no private key in PEM"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "no key on the curve P-256"),
        (pem(ed25519.Ed25519PrivateKey.generate()), "no key on the curve P-256"),
    ],
)
def test_keys_that_cannot_be_used(tmp_path: Path, key: bytes, wrong: str) -> None:
    with pytest.raises(SigningKeyError, match=wrong):
        load(SIGNING, place(tmp_path, key))


def test_a_key_that_others_can_read(tmp_path: Path) -> None:
    with pytest.raises(SigningKeyError, match="others may access it"):
        load(SIGNING, place(tmp_path, mode=0o640))
    (tmp_path / "signing.key").unlink()
    with pytest.raises(SigningKeyError, match="there is no signing key"):
        load(SIGNING, tmp_path)


def test_chains_that_do_not_fit(tmp_path: Path) -> None:
    other = Authority(WALL).certificate(ec.generate_private_key(ec.SECP256R1()).public_key())
    odd = Authority(WALL).certificate(ed25519.Ed25519PrivateKey.generate().public_key())
    for certificate in (other, odd):
        with pytest.raises(SigningKeyError, match="not the signing key's"):
            load(SIGNING, place(tmp_path, chain=certificate.public_bytes(Encoding.PEM)))
    with pytest.raises(SigningKeyError, match="no certificates in PEM"):
        load(SIGNING, place(tmp_path, chain=b"junk"))
    (tmp_path / "chain.pem").unlink()
    with pytest.raises(SigningKeyError, match="cannot be read"):
        load(SIGNING, tmp_path)


def test_the_days_between_which_it_holds(tmp_path: Path) -> None:
    """A certificate that does not hold today is read all the same: a start goes on without it."""
    loaded = load(SIGNING, place(tmp_path))
    now = datetime.fromtimestamp(WALL, UTC)
    assert loaded.validity == tuple((now + timedelta(days=each)).timestamp() for each in (-1, 365))


def test_which_numbers_a_certificate_is_for() -> None:
    """RFC 8226 §9: its TNAuthList."""
    authority = Authority(WALL)
    assert not names_numbers(authority.certificate(KEY.public_key()))
    assert names_numbers(authority.certificate(KEY.public_key(), numbers=True))
