"""Key agreement with EC keys."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from filters import cms_algorithms as known
from filters.ber import CmsError, Reader
from filters.cms_agreement import MAX_MATERIAL, MAX_RECIPIENTS, make, read, recover
from filters.cms_algorithms import algorithm
from filters.cms_identity import Identity
from filters.der import BIT_STRING, NULL, bits, explicit, integer, octets, sequence, value
from tests.recorders import recorder

NAME = Identity(sequence(sequence(), integer(1)), b"")
CURVES = ("p256", "p384")


def key_of(kind: str, which: int = 0) -> ec.EllipticCurvePrivateKey:
    key = recorder(kind, which).key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


KEY = key_of("p256")
POINT = bits(b"\x04" + KEY.public_key().public_numbers().x.to_bytes(32, "big") +
             KEY.public_key().public_numbers().y.to_bytes(32, "big"))  # fmt: skip
SCHEME = algorithm(known.SHA256_SCHEME, algorithm(known.WRAPS[16]))


def recovered(raw: bytes, key: ec.EllipticCurvePrivateKey = KEY) -> bytes | None:
    (found,) = read(Reader(raw).into(explicit(1)))
    assert found.named == NAME
    return recover(found, key)


def info(
    originator: bytes = value(explicit(1), algorithm(known.EC_PUBLIC_KEY), POINT), how: bytes = SCHEME,
    encrypted: bytes = bytes(24), material: bytes = b"", recipients: int = 1,
) -> bytes:  # fmt: skip
    keys = sequence(*[sequence(NAME.issuer_and_serial, octets(encrypted))] * recipients)
    return value(explicit(1), integer(3), value(explicit(0), originator), material, how, keys)


@pytest.mark.parametrize("kind", CURVES)
@pytest.mark.parametrize("size", [16, 32])
def test_there_and_back(kind: str, size: int) -> None:
    """By the key alone, and each time otherwise."""
    key, content_key = key_of(kind), bytes(range(size))
    raw = make(NAME, key.public_key(), content_key)
    assert recovered(raw, key) == content_key
    assert recovered(raw, key_of(kind, 1)) is None
    assert make(NAME, key.public_key(), content_key) != raw


def test_the_profile_of_rfc_8591() -> None:
    """§4.2: dhSinglePass-stdDH-sha256kdf-scheme and AES-128 key wrap on P-256."""
    raw = make(NAME, KEY.public_key(), bytes(16))
    assert sequence(known.SHA256_SCHEME, sequence(known.WRAPS[16])) in raw
    p384 = make(NAME, key_of("p384").public_key(), bytes(32))
    assert sequence(known.SHA384_SCHEME, sequence(known.WRAPS[32])) in p384


def test_another_curve() -> None:
    """A point that is on the sender's curve and not on ours."""
    assert recovered(make(NAME, key_of("p384").public_key(), bytes(16)), KEY) is None


@pytest.mark.parametrize(
    "point",
    [POINT, bits(b""), bits(b"\x00"), bits(bytes(65)), bits(b"\x04" + b"\x01" * 64)],
    ids=["another", "empty", "infinity", "zeros", "off"],
)
@pytest.mark.parametrize("parameters", [b"", value(NULL), known.CURVES["secp256r1"], known.CURVES["secp384r1"]])
def test_points(point: bytes, parameters: bytes) -> None:
    """Not on the curve (an invalid-curve attack), infinity, of another curve: no key, no error."""
    assert recovered(info(value(explicit(1), algorithm(known.EC_PUBLIC_KEY, parameters), point))) is None


@pytest.mark.parametrize("encrypted", [b"", bytes(7), bytes(16), bytes(24), bytes(25), bytes(1000)])
def test_wrapped_keys_of_any_size(encrypted: bytes) -> None:
    """What does not unwrap is no key, and no error."""
    assert recovered(info(encrypted=encrypted)) is None


@pytest.mark.parametrize(
    "raw",
    [
        info(how=algorithm(known.DATA, algorithm(known.WRAPS[16]))),
        info(how=algorithm(known.SHA256_SCHEME)),
        info(how=algorithm(known.SHA256_SCHEME, algorithm(known.DATA))),
        info(how=algorithm(known.SHA256_SCHEME, value(NULL))),
        info(originator=NAME.issuer_and_serial),  # static-static, with a certificate that we have not
        info(originator=value(explicit(1), algorithm(known.RSA_PKCS1), POINT)),
        info(originator=value(explicit(1), algorithm(known.EC_PUBLIC_KEY), value(BIT_STRING, b""))),
        info(originator=value(explicit(1), algorithm(known.EC_PUBLIC_KEY), value(BIT_STRING, b"\x01\x04"))),
        info(material=value(explicit(1), octets(bytes(MAX_MATERIAL + 1)))),
        info(recipients=MAX_RECIPIENTS + 1),
        info()[:-1],
    ],
)
def test_what_is_refused(raw: bytes) -> None:
    """Algorithms that are none of ours, and too much of anything."""
    with pytest.raises(CmsError):
        _ = [recover(found, KEY) for found in read(Reader(raw).into(explicit(1)))]


def test_several_recipients_of_one_agreement() -> None:
    """RFC 5652 §6.2.2: RecipientEncryptedKeys."""
    assert len(list(read(Reader(info(recipients=3)).into(explicit(1))))) == 3


def test_keying_material() -> None:
    """RFC 5753 §7.2: entityUInfo is the ukm, and stands between the wrap's identifier and the key's length."""
    about = sequence(
        sequence(known.WRAPS[16]), value(explicit(0), octets(b"nonce")), value(explicit(2), octets(b"\x00\x00\x00\x80"))
    )
    sender = ec.generate_private_key(ec.SECP256R1())
    kek = X963KDF(SHA256(), 16, about).derive(sender.exchange(ec.ECDH(), KEY.public_key()))
    point = bits(sender.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint))
    raw = info(
        value(explicit(1), algorithm(known.EC_PUBLIC_KEY, known.CURVES["secp256r1"]), point),
        encrypted=aes_key_wrap(kek, bytes(16)), material=value(explicit(1), octets(b"nonce")),
    )  # fmt: skip
    assert recovered(raw) == bytes(16)
    assert recovered(raw.replace(b"nonce", b"other")) is None
