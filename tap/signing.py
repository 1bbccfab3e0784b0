"""From configured keys, certificates and passwords to what signs, verifies and logs in, here and in workers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)
from cryptography.x509 import load_der_x509_certificate

from config import password_file, recorder_keys, signing_key, trust_store
from config.encryption_certificate import DecryptionKey, EncryptionCertificate
from config.password_file import Password
from config.recorder_keys import RecorderKeys
from config.settings import Settings, Trunk
from config.signing_key import SigningKey
from config.trust_store import Signatory
from config.validity import Validity, validity
from config.vocabulary import Zone
from filters.credential import Credential
from filters.engine import NO_KEYS
from filters.signer import Signer
from filters.verifier import Verifier
from proxy.digest_client import Account
from tap.log import logger

NO_PASSWORDS: Mapping[str, Password] = MappingProxyType({})
"""Of who is asked for none."""


class Credentials(NamedTuple):
    """What was read of keys, certificates and passwords."""

    key: SigningKey | None
    """None where nothing is to be signed."""
    signatories: Mapping[str, Signatory] | None
    """None where nothing is to be verified."""
    passwords: Mapping[str, Password] = NO_PASSWORDS
    """Those at trunks that ask for one, by the trunks' names."""
    recorders: Mapping[str, RecorderKeys] = NO_KEYS
    """What is encrypted to recorders, and what opens, by the recorders' names."""


NO_CREDENTIALS = Credentials(None, None)
"""Of who neither signs nor verifies."""


class Packed(NamedTuple):
    """The same as workers get it: bytes and numbers. It holds the private key, so it is for memory alone."""

    key: tuple[bytes, float, float] | None
    signatories: dict[str, tuple[bytes, float, float]] | None
    passwords: dict[str, Password]
    recorders: dict[str, tuple[tuple[bytes, bytes | None], ...]]
    """Certificates, and for those that we stand in front of their keys."""


def read(settings: Settings, wall: float, retired: Iterable[Trunk] = ()) -> Credentials:
    """Read what the configuration names; says what is soon at its end, or of no use.

    Args:
        settings: the configuration.
        wall: Unix seconds.
        retired: trunks and recorders that are configured no more; what they still need.

    Raises:
        SigningKeyError: if key or chain cannot be used.
        TrustStoreError: if there are no trust anchors.
        PasswordFileError: if the password for a trunk cannot be used.
        EncryptionCertificateError: if certificate or key of a recorder cannot be used.
    """
    passwords, configured = password_file.load(settings), recorder_keys.load(settings)
    recorders = {**recorder_keys.load_retired(settings, retired), **configured}
    for name, keys in configured.items():
        if not keys.validity.holds(wall):
            logger("recording").warn(
                "the certificate of recorder {name} holds from {days}: nothing is recorded there until it is renewed",
                name=name, days=keys.validity.days(),
            )  # fmt: skip
    folder = Path(settings.state_dir)
    key = signing_key.load(settings.signing, folder) if settings.signing is not None else None
    if key is not None:
        _tell_of(key, wall)
    if settings.verification is None:
        return Credentials(key, None, passwords, recorders)
    store = trust_store.load(settings.verification, folder)
    for problem in store.problems:
        logger("verification").warn("{problem}; calls signed with it are not verified", problem=problem)
    return Credentials(key, store.signatories, passwords, recorders)


def _tell_of(key: SigningKey, wall: float) -> None:
    if not key.validity.holds(wall):
        logger("signing").warn(
            "the certificate that calls are signed with holds from {days}: calls go on unsigned until it is renewed",
            days=key.validity.days(),
        )
    elif key.validity.ends_within(signing_key.EXPIRY_WARNING, wall):
        day = key.validity.last_day()
        logger("signing").warn("the certificate that calls are signed with ends on {day}; renew it", day=day)


def signer_of(settings: Settings, credentials: Credentials) -> Signer | None:
    """Return what signs calls; None where nothing is to be signed."""
    signing, key = settings.signing, credentials.key
    if signing is None or key is None:
        return None

    def tell() -> None:
        logger("signing").error(
            "the certificate that calls are signed with does not hold now, but from {days}: calls go on unsigned",
            days=key.validity.days(),
        )

    attest = {
        Zone.ACCESS: signing.attest_access, Zone.CORE: signing.attest_core, Zone.TRUNK: signing.attest_trunk
    }  # fmt: skip
    numbers = [number.removeprefix("+") for number in signing.numbers]
    return Signer(Credential(key.key, signing.x5u, numbers, *key.validity, tell), attest)


def passwords_of(settings: Settings, credentials: Credentials) -> dict[str, Account]:
    """Return what trunks are answered with that ask for a password, by their names."""
    found: dict[str, Account] = {}
    for trunk in settings.trunks:
        section, password = trunk.credentials, credentials.passwords.get(trunk.name)
        if section is not None and password is not None:
            realm = None if section.realm is None else section.realm.encode()
            algorithms = [name.encode() for name in section.algorithms]
            found[trunk.name] = Account(section.user.encode(), password.value, realm, algorithms)
    return found


def verifier_of(credentials: Credentials) -> Verifier | None:
    """Return what verifies calls; None where nothing is to be verified."""
    return None if credentials.signatories is None else Verifier(credentials.signatories)


def pack(credentials: Credentials) -> Packed:
    """Write credentials as a worker can take them: a reload reads each file once, for all."""
    key, signatories, named, recorders = credentials
    passwords, sealed = dict(named), {name: _packed(keys) for name, keys in recorders.items()}
    packed = None if key is None else (_private(key.key), *key.validity)
    if signatories is None:
        return Packed(packed, None, passwords, sealed)
    public = {url: (_public(one.key), *one.validity) for url, one in signatories.items()}
    return Packed(packed, public, passwords, sealed)


def unpack(packed: Packed) -> Credentials:
    """Return what `pack` wrote."""
    key = None
    if packed.key is not None:
        private = load_der_private_key(packed.key[0], None)
        assert isinstance(private, EllipticCurvePrivateKey)  # noqa: S101 -- `pack` wrote it
        key = SigningKey(private, Validity(*packed.key[1:]))
    recorders = {name: _recorder(one) for name, one in packed.recorders.items()}
    if packed.signatories is None:
        return Credentials(key, None, packed.passwords, recorders)
    signatories = {url: _signatory(*one) for url, one in packed.signatories.items()}
    return Credentials(key, signatories, packed.passwords, recorders)


def _packed(keys: RecorderKeys) -> tuple[tuple[bytes, bytes | None], ...]:
    if keys.certificate is not None:
        return ((keys.certificate.certificate.public_bytes(Encoding.DER), None),)
    return tuple([(each.certificate.public_bytes(Encoding.DER), _private(each.key)) for each in keys.keys])


def _recorder(packed: tuple[tuple[bytes, bytes | None], ...]) -> RecorderKeys:
    keys = []
    for data, private in packed:
        certificate = load_der_x509_certificate(data)
        if private is None:
            public = certificate.public_key()
            assert isinstance(public, EllipticCurvePublicKey | RSAPublicKey)  # noqa: S101 -- `pack` wrote it
            return RecorderKeys(EncryptionCertificate(certificate, public, validity(certificate)))
        key = load_der_private_key(private, None)
        assert isinstance(key, EllipticCurvePrivateKey | RSAPrivateKey)  # noqa: S101 -- `pack` wrote it
        keys.append(DecryptionKey(certificate, key))
    return RecorderKeys(None, tuple(keys))


def _signatory(data: bytes, begins: float, ends: float) -> Signatory:
    key = load_der_public_key(data)
    assert isinstance(key, EllipticCurvePublicKey)  # noqa: S101 -- `pack` wrote it
    return Signatory(key, Validity(begins, ends))


def _private(key: EllipticCurvePrivateKey | RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _public(key: EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
