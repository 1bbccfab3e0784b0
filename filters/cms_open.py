"""Opens CMS: AuthEnvelopedData (RFC 5083) and, where that is allowed, EnvelopedData (RFC 5652 §6).

Whoever sends may be an attacker who wants to learn from our answers. So a wrong key, changed octets, and padding that
is none have one outcome: where no content key comes out, decryption goes on with a random one (RFC 3218 §2.3.2), and
what fails then says the same as ever. EnvelopedData authenticates nothing, and whether it was taken at all is an answer
too; and AuthEnvelopedData can be turned into it (RFC 9709 §1). Therefore it has to be allowed.

Of several keys the one opens whose certificate the message names. None is tried that it does not name, and of those
that it names the first: whoever sends may not have us compute more. A certificate that does not hold opens nothing.
Both follow from what everybody can read, so neither tells anything of our keys.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from config.encryption_certificate import DecryptionKey
from config.validity import Validity, validity
from filters import cms_agreement, cms_content, cms_transport
from filters.ber import CmsError, Reader, ValidityError
from filters.cms_agreement import KeyAgreeRecipient
from filters.cms_algorithms import AUTH_ENVELOPED, CIPHERS, DATA, ENVELOPED, Cipher, read_algorithm
from filters.cms_identity import Identity, identity
from filters.cms_make import MAX_CONTENT, MAX_RECIPIENTS
from filters.cms_transport import KeyTransRecipient
from filters.der import INTEGER, OCTET_STRING, OID, SEQUENCE, SET, explicit, implicit

MAX_SIZE = MAX_CONTENT + (1 << 16)
"""Octets of CMS: the content, and its recipients."""

NOT_OURS = "CMS is for none of our keys"
ENDED = "CMS is for a certificate of ours that does not hold now"
FAILED = "CMS does not open: it is for another key, or was changed on the way"


class Opener(NamedTuple):
    """A key that opens, with the names of its certificate; made once for each."""

    identity: Identity
    key: EllipticCurvePrivateKey | RSAPrivateKey
    validity: Validity
    """When its certificate holds: at other times it opens nothing."""


class Opened(NamedTuple):
    """What was in CMS, and how it was encrypted."""

    content: bytes
    cipher: Cipher
    place: int
    """Which of our keys opened it, from 0."""


class _Envelope(NamedTuple):
    """CMS as it was read, nothing opened."""

    recipients: Sequence[KeyTransRecipient | KeyAgreeRecipient]
    how: cms_content.How
    content: bytes
    tag: bytes
    associated: bytes


def opener(own: DecryptionKey) -> Opener:
    """Return what opens with a key while its certificate holds."""
    return Opener(identity(own.certificate), own.key, validity(own.certificate))


def open_cms(data: bytes, openers: Sequence[Opener], wall: float, *, unauthenticated: bool = False) -> Opened:
    """Return what CMS holds for one of our keys.

    Args:
        data: ContentInfo, and nothing behind it.
        openers: our keys.
        wall: Unix seconds now: a key whose certificate does not hold now opens nothing.
        unauthenticated: whether EnvelopedData is opened too.

    Raises:
        ValidityError: it is for a key of ours, and for none whose certificate holds.
        CmsError: it cannot be read, is not allowed, is for none of our keys, or does not open.
    """
    envelope = _read(data, unauthenticated=unauthenticated)
    recipient, place = _ours(envelope, openers, wall)
    size = CIPHERS[envelope.how.cipher].key_size
    instead = secrets.token_bytes(size)
    found = _recover(recipient, openers[place].key)
    content_key = found if found is not None and len(found) == size else instead
    how = envelope.how
    content = cms_content.decrypt(how, content_key, envelope.content, envelope.tag, envelope.associated)
    if content is None:
        raise CmsError(FAILED)
    return Opened(content, how.cipher, place)


def _ours(
    envelope: _Envelope, openers: Sequence[Opener], wall: float
) -> tuple[KeyTransRecipient | KeyAgreeRecipient, int]:
    """Return the first recipient that is one of us, of whom the certificate holds, and which of us."""
    is_ours = False
    for recipient in envelope.recipients:
        for place, each in enumerate(openers):
            if each.identity.is_meant(recipient.named):
                if each.validity.holds(wall):
                    return recipient, place
                is_ours = True
    raise ValidityError(ENDED) if is_ours else CmsError(NOT_OURS)


def _recover(
    recipient: KeyTransRecipient | KeyAgreeRecipient, key: EllipticCurvePrivateKey | RSAPrivateKey
) -> bytes | None:
    if isinstance(recipient, KeyTransRecipient):
        return cms_transport.recover(recipient, key) if isinstance(key, RSAPrivateKey) else None
    return cms_agreement.recover(recipient, key) if isinstance(key, EllipticCurvePrivateKey) else None


def _read(data: bytes, *, unauthenticated: bool) -> _Envelope:
    if len(data) > MAX_SIZE:
        raise CmsError("CMS is too large")
    outer = Reader(data)
    info = outer.into(SEQUENCE)
    outer.end()
    kind = info.take(OID).raw
    wrapped = info.into(explicit(0))
    info.end()
    if kind not in (AUTH_ENVELOPED, ENVELOPED):
        raise CmsError("CMS is neither AuthEnvelopedData nor EnvelopedData")
    if kind == ENVELOPED and not unauthenticated:
        raise CmsError("CMS is EnvelopedData, which authenticates nothing, and that is not allowed here")
    fields = wrapped.into(SEQUENCE)
    wrapped.end()
    return _read_envelope(fields, authenticated=kind == AUTH_ENVELOPED)


def _read_envelope(fields: Reader, *, authenticated: bool) -> _Envelope:
    fields.take(INTEGER)
    fields.maybe(explicit(0))  # originatorInfo: certificates and CRLs, which have no use here
    recipients = _read_recipients(fields.into(SET))
    how, content = _read_content(fields.into(SEQUENCE))
    if CIPHERS[how.cipher].authenticated is not authenticated:
        raise CmsError("CMS has a cipher of another kind than it is itself")
    associated = tag = b""
    if authenticated:
        attributes = fields.maybe(explicit(1))
        if attributes is not None:
            # RFC 5083 §2.2: authAttrs are authenticated as the SET OF that they are, DER
            associated = bytes((SET,)) + attributes.raw[1:]
        tag = fields.take(OCTET_STRING).content
        fields.maybe(explicit(2))  # unauthAttrs
    else:
        fields.maybe(explicit(1))  # unprotectedAttrs
    fields.end()
    return _Envelope(recipients, how, content, tag, associated)


def _read_content(fields: Reader) -> tuple[cms_content.How, bytes]:
    """Read EncryptedContentInfo."""
    if fields.take(OID).raw != DATA:
        raise CmsError("CMS holds something that is no data")
    how = cms_content.read(read_algorithm(fields))
    if not fields.more():
        raise CmsError("CMS has its content elsewhere")
    # encryptedContent [0] IMPLICIT OCTET STRING, whole or in pieces
    element = fields.take(explicit(0)) if fields.is_next(explicit(0)) else fields.take(implicit(0))
    fields.end()
    return how, fields.pieces(element)


def _read_recipients(infos: Reader) -> Sequence[KeyTransRecipient | KeyAgreeRecipient]:
    """Read the recipients; those of other kinds (RFC 5652 §6.2.3 to §6.2.5) are not for us."""
    found: list[KeyTransRecipient | KeyAgreeRecipient] = []
    others = 0
    while infos.more():
        info = infos.any()
        if info.tag == SEQUENCE:
            found.append(cms_transport.read(infos.inside(info)))
        elif info.tag == explicit(1):
            found += cms_agreement.read(infos.inside(info))
        else:
            others += 1
        if len(found) + others > MAX_RECIPIENTS:
            raise CmsError("CMS has too many recipients")
    return found
