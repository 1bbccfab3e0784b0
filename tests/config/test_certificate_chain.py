"""Chains of certificates against trust anchors."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtensionOID

from config.certificate_chain import MAX_CHAIN, ChainError, check
from tests.authorities import Authority

WALL = 1_790_000_000
ROOT = Authority(WALL)
OTHER = Authority(WALL, "other")
BETWEEN = Authority(WALL, "between", ROOT)
KEY = ec.generate_private_key(ec.SECP256R1()).public_key()
LEAF = BETWEEN.certificate(KEY)


def wrong(chain: list[x509.Certificate], *anchors: x509.Certificate) -> str:
    with pytest.raises(ChainError) as caught:
        check(chain, anchors or (ROOT.own,))
    return str(caught.value)


def test_good_chains() -> None:
    """With and without the anchor itself at the end, and directly below it; the anchor may be in the middle."""
    anchors = (OTHER.own, ROOT.own)
    assert check([LEAF, BETWEEN.own], anchors) == ROOT.own
    assert check([LEAF, BETWEEN.own, ROOT.own], anchors) == ROOT.own
    assert check([ROOT.certificate(KEY)], anchors) == ROOT.own
    assert check([LEAF], (BETWEEN.own,)) == BETWEEN.own
    assert check([ROOT.certificate(KEY, usage=False)], anchors) == ROOT.own


def test_chains_to_nowhere() -> None:
    assert wrong([LEAF, BETWEEN.own], OTHER.own) == "leads to no trust anchor"
    assert wrong([LEAF]) == "leads to no trust anchor"
    assert wrong([LEAF, ROOT.own]).startswith("is not in order")
    assert wrong([]).startswith("has no certificate")
    assert wrong([LEAF] * (MAX_CHAIN + 1)).startswith("has no certificate")
    same_name = Authority(WALL)
    assert wrong([same_name.certificate(KEY)]) == "leads to no trust anchor", "a name proves nothing"


def test_an_anchor_signs_no_calls_itself() -> None:
    certificate = ROOT.certificate(KEY)
    assert wrong([certificate], certificate) == "leads to no trust anchor"


def test_who_may_issue() -> None:
    """A subscriber's certificate issues nothing (the classic mistake), nor does an authority beyond its path length."""
    subscriber = Authority(WALL, "subscriber", ROOT, ca=False)
    assert wrong([subscriber.certificate(KEY), subscriber.own]) == "has an issuer that is no authority"
    short = Authority(WALL, "short", length=0)
    below = Authority(WALL, "below", short)
    assert check([short.certificate(KEY)], (short.own,)) == short.own
    assert wrong([below.certificate(KEY), below.own], short.own) == "is longer than an issuer allows"
    assert wrong([below.certificate(KEY), below.own, short.own], short.own) == "is longer than an issuer allows"


def test_keys_and_their_use() -> None:
    for key in (ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()):
        assert wrong([ROOT.certificate(key.public_key())]) == "is of a key that is not on P-256"
    authority = ROOT.certificate(KEY, ca=True)
    assert wrong([authority]) == "is of a key that may not sign"


def made(*extensions: tuple[x509.ExtensionType, bool]) -> Authority:
    """An authority of its own whose certificate has these extensions."""
    authority = Authority(WALL, "odd")
    own = authority.own
    builder = (
        x509.CertificateBuilder()
        .subject_name(own.subject).issuer_name(own.subject).public_key(authority.key.public_key())
        .serial_number(1).not_valid_before(own.not_valid_before_utc).not_valid_after(own.not_valid_after_utc)
    )  # fmt: skip
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    authority.own = builder.sign(authority.key, hashes.SHA256())
    return authority


CA = (x509.BasicConstraints(ca=True, path_length=None), True)
USAGE = x509.KeyUsage(
    digital_signature=True, key_cert_sign=False, crl_sign=False, content_commitment=False, key_encipherment=False,
    data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("authority", "why"),
    [
        (made(), "has an issuer that is no authority"),
        (made(CA, (USAGE, True)), "has an issuer that may not issue"),
        (made(CA, (x509.OCSPNoCheck(), True)), "has a critical extension that is not understood"),
        (
            made(CA, (x509.NameConstraints([x509.DNSName("a")], None), True)),
            "has a critical extension that is not understood",
        ),
    ],
)
def test_odd_authorities(authority: Authority, why: str) -> None:
    assert wrong([authority.certificate(KEY)], authority.own) == why


def test_extensions_that_cannot_be_read() -> None:
    authority = made(CA, (x509.UnrecognizedExtension(ExtensionOID.KEY_USAGE, b"junk"), True))
    assert wrong([authority.certificate(KEY)], authority.own) == "has a certificate that cannot be read in full"
