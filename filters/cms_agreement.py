"""Key agreement with EC keys: KeyAgreeRecipientInfo, ephemeral-static ECDH (RFC 5753 §3.1, RFC 8591 §4.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, HashAlgorithm
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from filters import cms_algorithms as known
from filters.ber import CmsError, Element, Reader
from filters.cms_algorithms import AlgorithmIdentifier, algorithm, read_algorithm
from filters.cms_identity import Identity, read_agreement_name
from filters.der import (
    BIT_STRING,
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    bits,
    explicit,
    integer,
    octets,
    sequence,
    value,
)

MAX_MATERIAL = 1024
"""Octets of user keying material (ukm); senders write none, or a nonce."""
MAX_RECIPIENTS = 32
"""Recipients of one key agreement."""

_CANNOT = "CMS has a key agreement that cannot be read here"


class KeyAgreeRecipient(NamedTuple):
    """Whom the key goes to, and how."""

    named: Identity
    originator: Element
    material: Element | None
    """ukm, or None."""
    algorithm: AlgorithmIdentifier
    encrypted_key: bytes


def make(identity: Identity, key: EllipticCurvePublicKey, content_key: bytes) -> bytes:
    """Return the RecipientInfo that brings a content key to the owner of an EC key, by a sender's key made for it."""
    ephemeral = generate_private_key(key.curve)
    p256 = isinstance(key.curve, SECP256R1)
    wrap = algorithm(known.WRAPS[len(content_key)])
    digest: HashAlgorithm = SHA256() if p256 else SHA384()
    kek = _derive(ephemeral, key, digest, wrap, len(content_key), None)
    point = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    # RFC 5753 §3.1.1: originator is an originatorKey; its curve is the recipient's, and the parameters may be absent
    originator = value(explicit(1), algorithm(known.EC_PUBLIC_KEY), bits(point))
    return value(
        explicit(1),
        integer(3),
        value(explicit(0), originator),
        algorithm(known.SHA256_SCHEME if p256 else known.SHA384_SCHEME, wrap),
        sequence(sequence(identity.issuer_and_serial, octets(aes_key_wrap(kek, content_key)))),
    )


def read(fields: Reader) -> Iterator[KeyAgreeRecipient]:
    """Read what is in a RecipientInfo of this kind: one key agreement, with one or several recipients.

    Raises:
        CmsError: it is none.
    """
    fields.take(INTEGER)
    wrapped = fields.into(explicit(0))
    originator = wrapped.any()
    wrapped.end()
    material = None
    if fields.is_next(explicit(1)):
        ukm = fields.into(explicit(1))
        material = ukm.take(OCTET_STRING)
        ukm.end()
    how = read_algorithm(fields)
    keys = fields.into(SEQUENCE)
    fields.end()
    count = 0
    while keys.more():
        count += 1
        if count > MAX_RECIPIENTS:
            raise CmsError("CMS has too many recipients")
        each = keys.into(SEQUENCE)
        named = read_agreement_name(each)
        encrypted = each.take(OCTET_STRING).content
        each.end()
        yield KeyAgreeRecipient(named, originator, material, how, encrypted)


def recover(recipient: KeyAgreeRecipient, key: EllipticCurvePrivateKey) -> bytes | None:
    """Return the content key, or None where it is for another key.

    Raises:
        CmsError: the algorithm is none of ours.
    """
    scheme = known.AGREEMENTS.get(recipient.algorithm.oid)
    parameters, material = recipient.algorithm.parameters, recipient.material
    if scheme is None or parameters is None:
        raise CmsError(_CANNOT)
    if material is not None and len(material.content) > MAX_MATERIAL:
        raise CmsError("CMS has more keying material than anybody needs")
    size = known.WRAP_SIZES.get(read_algorithm(Reader(parameters.raw)).oid)
    if size is None:
        raise CmsError(_CANNOT)
    sender = _sender(recipient.originator, key)
    if sender is None:
        return None
    kek = _derive(key, sender, scheme(), parameters.raw, size, material)
    try:
        return aes_key_unwrap(kek, recipient.encrypted_key)
    except (InvalidUnwrap, ValueError):
        return None


def _sender(originator: Element, key: EllipticCurvePrivateKey) -> EllipticCurvePublicKey | None:
    """Return the sender's key, None where it is not on our curve.

    Raises:
        CmsError: it is no EC key, or the sender's certificate is only pointed to.
    """
    if originator.tag != explicit(1):
        raise CmsError(_CANNOT)
    fields = Reader(originator.content)
    how = read_algorithm(fields)
    point = fields.take(BIT_STRING).content
    fields.end()
    curve = key.curve
    stated = how.parameters.raw if how.parameters else b""
    if how.oid != known.EC_PUBLIC_KEY or point[:1] != b"\x00":  # a BIT STRING of whole octets
        raise CmsError(_CANNOT)
    # RFC 5753 §3.1.1: absent, NULL, or the curve's name
    if stated not in known.ABSENT_OR_NULL and stated != known.CURVES.get(curve.name):
        return None
    try:
        return EllipticCurvePublicKey.from_encoded_point(curve, point[1:])  # refuses points off the curve
    except ValueError:
        return None


def _derive(
    ours: EllipticCurvePrivateKey, theirs: EllipticCurvePublicKey, digest: HashAlgorithm, wrap: bytes, size: int,
    material: Element | None,
) -> bytes:  # fmt: skip
    """Return the key that wraps the content key.

    RFC 5753 §7.2: ECC-CMS-SharedInfo ::= SEQUENCE { keyInfo, entityUInfo [0] EXPLICIT OPTIONAL,
    suppPubInfo [2] EXPLICIT }, the last being the key's length in bits.
    """
    about = sequence(
        wrap,
        b"" if material is None else value(explicit(0), octets(material.content)),
        value(explicit(2), octets((size * 8).to_bytes(4, "big"))),
    )
    return X963KDF(digest, size, about).derive(ours.exchange(ECDH(), theirs))
