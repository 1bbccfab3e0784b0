"""Key transport to RSA keys: KeyTransRecipientInfo, by OAEP (RFC 3560, RFC 4055 §4.1) or PKCS #1 v1.5 (RFC 3370)."""

from __future__ import annotations

from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from filters import cms_algorithms as known
from filters.ber import CmsError, Element, Reader
from filters.cms_algorithms import AlgorithmIdentifier, KeyTransport, algorithm, read_algorithm
from filters.cms_identity import Identity, read_transport_name
from filters.der import INTEGER, NULL, OCTET_STRING, SEQUENCE, explicit, integer, octets, sequence, value

_SHA256 = algorithm(known.SHA256_OID, value(NULL))
_OAEP_SHA256 = algorithm(  # RFC 4055 §4.1; the empty label is the default and stays out
    known.RSA_OAEP,
    sequence(value(explicit(0), _SHA256), value(explicit(1), algorithm(known.MGF1, _SHA256))),
)
_EMPTY_LABEL = octets(b"")


class KeyTransRecipient(NamedTuple):
    """Whom the key goes to, and how."""

    named: Identity
    algorithm: AlgorithmIdentifier
    encrypted_key: bytes


def make(identity: Identity, key: RSAPublicKey, content_key: bytes, transport: KeyTransport) -> bytes:
    """Return the RecipientInfo that brings a content key to the owner of an RSA key."""
    oaep = transport is KeyTransport.OAEP
    padding: AsymmetricPadding = OAEP(MGF1(SHA256()), SHA256(), None) if oaep else PKCS1v15()
    return sequence(
        integer(0),  # RFC 5652 §6.2.1: by issuer and serial number
        identity.issuer_and_serial,
        _OAEP_SHA256 if oaep else algorithm(known.RSA_PKCS1, value(NULL)),
        octets(key.encrypt(content_key, padding)),
    )


def read(fields: Reader) -> KeyTransRecipient:
    """Read what is in a RecipientInfo of this kind.

    Raises:
        CmsError: it is none.
    """
    fields.take(INTEGER)
    named = read_transport_name(fields)
    found = KeyTransRecipient(named, read_algorithm(fields), fields.take(OCTET_STRING).content)
    fields.end()
    return found


def recover(recipient: KeyTransRecipient, key: RSAPrivateKey) -> bytes | None:
    """Return the content key, or None, or with PKCS #1 v1.5 some other octets, where it is for another key.

    Raises:
        CmsError: the algorithm is none of ours.
    """
    padding = _padding(recipient.algorithm)
    try:
        return key.decrypt(recipient.encrypted_key, padding)
    except ValueError:
        return None
    except UnsupportedAlgorithm:
        raise CmsError("CMS has a key transport that cannot be read here") from None


def _padding(found: AlgorithmIdentifier) -> AsymmetricPadding:
    if found.oid == known.RSA_PKCS1:
        known.require_no_parameters(found)
        return PKCS1v15()
    if found.oid != known.RSA_OAEP or found.parameters is None:
        raise CmsError("CMS has a key transport that cannot be read here")
    return _oaep(found.parameters)


def _oaep(parameters: Element) -> OAEP:
    """Return the padding that RSAES-OAEP-params ask for; what they leave out is SHA-1 (RFC 4055 §4.1)."""
    if parameters.tag != SEQUENCE:
        raise CmsError("CMS has a key transport that cannot be read here")
    fields = Reader(parameters.content)
    digest: HashAlgorithm = SHA1()  # noqa: S303 -- OAEP asks for no resistance against collisions
    mask: HashAlgorithm = SHA1()  # noqa: S303 -- nor does MGF1
    if fields.is_next(explicit(0)):
        digest = _hash(_only_algorithm(fields.into(explicit(0))))
    if fields.is_next(explicit(1)):
        mask = _mask(_only_algorithm(fields.into(explicit(1))))
    if fields.is_next(explicit(2)):
        label = _only_algorithm(fields.into(explicit(2)))
        if label.oid != known.P_SPECIFIED or label.parameters is None or label.parameters.raw != _EMPTY_LABEL:
            raise CmsError("CMS has a key transport with a label")
    fields.end()
    return OAEP(MGF1(mask), digest, None)


def _only_algorithm(fields: Reader) -> AlgorithmIdentifier:
    found = read_algorithm(fields)
    fields.end()
    return found


def _mask(found: AlgorithmIdentifier) -> HashAlgorithm:
    if found.oid != known.MGF1 or found.parameters is None:
        raise CmsError("CMS has a key transport that cannot be read here")
    return _hash(_only_algorithm(Reader(found.parameters.raw)))


def _hash(found: AlgorithmIdentifier) -> HashAlgorithm:
    known.require_no_parameters(found)
    made = known.HASHES.get(found.oid)
    if made is None:
        raise CmsError("CMS has a key transport that cannot be read here")
    return made()
