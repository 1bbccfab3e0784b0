"""Key transport to RSA keys."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from filters import cms_algorithms as known
from filters.ber import CmsError, Reader
from filters.cms_algorithms import KeyTransport, algorithm
from filters.cms_identity import Identity
from filters.cms_transport import make, read, recover
from filters.der import NULL, SEQUENCE, explicit, integer, octets, sequence, value
from tests.recorders import recorder

KEY = recorder("rsa").key
assert isinstance(KEY, RSAPrivateKey)
PUBLIC = KEY.public_key()
CONTENT_KEY = bytes(range(16))
NAME = Identity(sequence(sequence(), integer(1)), b"")
SHA1 = algorithm(known.SHA1_OID)
SHA256 = algorithm(known.SHA256_OID, value(NULL))


def info(how: bytes, encrypted: bytes) -> bytes:
    return sequence(integer(0), NAME.issuer_and_serial, how, octets(encrypted))


def recovered(raw: bytes, key: RSAPrivateKey = KEY) -> bytes | None:
    return recover(read(Reader(raw).into(SEQUENCE)), key)


@pytest.mark.parametrize("transport", KeyTransport)
def test_there_and_back(transport: KeyTransport) -> None:
    """Named as it was made, and opened by the key alone."""
    raw = make(NAME, PUBLIC, CONTENT_KEY, transport)
    assert read(Reader(raw).into(SEQUENCE)).named == NAME
    assert recovered(raw) == CONTENT_KEY
    other = recorder("rsa", 1).key
    assert isinstance(other, RSAPrivateKey)
    assert recovered(raw, other) != CONTENT_KEY


def test_parameters_of_oaep_are_explicit() -> None:
    """RFC 4055 §4.1: SHA-256, and MGF1 with it."""
    raw = make(NAME, PUBLIC, CONTENT_KEY, KeyTransport.OAEP)
    mask = algorithm(known.MGF1, SHA256)
    assert sequence(known.RSA_OAEP, sequence(value(explicit(0), SHA256), value(explicit(1), mask))) in raw


@pytest.mark.parametrize(
    ("parameters", "digest", "mask"),
    [
        (sequence(), hashes.SHA1(), hashes.SHA1()),
        (sequence(value(explicit(0), SHA256)), hashes.SHA256(), hashes.SHA1()),
        (sequence(value(explicit(1), algorithm(known.MGF1, SHA256))), hashes.SHA1(), hashes.SHA256()),
        (sequence(value(explicit(0), SHA1), value(explicit(2), algorithm(known.P_SPECIFIED, octets(b"")))),
         hashes.SHA1(), hashes.SHA1()),
    ],
)  # fmt: skip
def test_what_others_leave_out(parameters: bytes, digest: hashes.HashAlgorithm, mask: hashes.HashAlgorithm) -> None:
    """What is not said is SHA-1, for each of both."""
    encrypted = PUBLIC.encrypt(CONTENT_KEY, OAEP(MGF1(mask), digest, None))
    assert recovered(info(algorithm(known.RSA_OAEP, parameters), encrypted)) == CONTENT_KEY


@pytest.mark.parametrize(
    "how",
    [
        algorithm(known.RSA_OAEP),  # RFC 3560 §3: parameters must be there
        algorithm(known.RSA_OAEP, value(NULL)),
        algorithm(known.RSA_OAEP, sequence(value(explicit(0), algorithm(known.DATA)))),
        algorithm(known.RSA_OAEP, sequence(value(explicit(1), algorithm(known.DATA, SHA1)))),
        algorithm(known.RSA_OAEP, sequence(value(explicit(1), algorithm(known.MGF1)))),
        algorithm(known.RSA_OAEP, sequence(value(explicit(2), algorithm(known.P_SPECIFIED, octets(b"label"))))),
        algorithm(known.RSA_OAEP, sequence(value(explicit(3)))),
        algorithm(known.RSA_PKCS1, sequence()),
        algorithm(known.DATA),
    ],
)
def test_algorithms_that_are_none_of_ours(how: bytes) -> None:
    """They are told apart from failures: everybody can see them."""
    with pytest.raises(CmsError):
        recovered(info(how, bytes(256)))


@pytest.mark.parametrize("encrypted", [b"", bytes(256), bytes(255), b"\xff" * 256, bytes(5000)])
def test_what_is_no_ciphertext(encrypted: bytes) -> None:
    """No key, or with PKCS #1 v1.5 perhaps another, and never an error (RFC 3218)."""
    assert recovered(info(algorithm(known.RSA_OAEP, sequence()), encrypted)) is None
    assert recovered(info(algorithm(known.RSA_PKCS1, value(NULL)), encrypted)) != CONTENT_KEY
