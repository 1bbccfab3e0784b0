"""What is wrong with the key and certificate files that a configuration names: all of it, before a start needs them.

Like the other checks it looks at what was read from the file, so that one mistake does not hide another. A section that
the schema refuses is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from config import recorder_keys, recorder_trust, signing_key, trust_store
from config.check_files import RENEW, file_mistake, state_folder
from config.draft import EACH, Draft, tables
from config.encryption_certificate import EncryptionCertificateError, read_decryption_key
from config.lines import Path as Key
from config.problem import Mistake
from config.recorder_keys import RecorderKeys
from config.recorders_section import Recorder
from config.section import Section
from config.settings import Settings
from config.signing_key import SigningKeyError
from config.signing_section import Signing, Verification
from config.statefile import StateFileError
from config.validity import Validity, validity

S = TypeVar("S", bound=Section)


def certificate_mistakes(draft: Draft, folder: Path, wall: float) -> Iterator[Mistake]:
    """Yield what keeps calls from being signed or verified.

    Args:
        draft: the configuration.
        folder: where it is, which `state_dir` is relative to.
        wall: Unix time in seconds.
    """
    state = state_folder(draft, folder)
    signing, verification = _section(draft, "signing", Signing), _section(draft, "verification", Verification)
    if signing is not None:
        yield from _of_key(signing, state, wall)
    if verification is not None:
        yield from _of_store(verification, state)
    yield from _of_recorders(draft, state, wall)


def certificate_advice(settings: Settings, wall: float) -> Iterator[Mistake]:
    """Yield what will go wrong soon, and what of the trust store is of no use; for settings without mistakes."""
    state = Path(settings.state_dir)
    if settings.signing is not None and settings.signing.chain is not None:
        leaf = signing_key.read_leaf(state / settings.signing.chain)
        path, held = ("signing", "chain"), validity(leaf)
        if held.ends_within(signing_key.EXPIRY_WARNING, wall):
            yield Mistake(path, f"the certificate holds from {held.days()}", "renew it")
        if not signing_key.names_numbers(leaf):
            wrong = "the certificate does not say for which numbers it is good (TNAuthList, RFC 8226)"
            yield Mistake(path, wrong, "have one issued that does: verifiers refuse others")
    if settings.verification is not None:
        yield from _of_chains(settings.verification, state, wall)
    for place, recorder in enumerate(settings.recorders):
        yield from _at_their_end(("recorders", place), recorder_keys.read(recorder, state), wall)


def _of_recorders(draft: Draft, state: Path, wall: float) -> Iterator[Mistake]:
    """Yield what keeps recorders from being reached, and metadata from being encrypted to them or opened for them."""
    for path, table in tables(draft, "recorders", EACH):
        recorder = _read(table, Recorder)
        if recorder is not None:
            yield from _of_authorities(path, recorder, state)
        if recorder is None or recorder.certificate is None or (recorder.role != "recorder" and recorder.key is None):
            continue  # the schema, or `check_recorders`, says so
        if recorder.role == "recorder-edge":
            yield from _of_keys(path, recorder, state, wall)
            continue
        where = (*path, "certificate")
        try:
            held = recorder_keys.read(recorder, state).validity
        except EncryptionCertificateError as error:
            yield file_mistake(where, error)
            continue
        yield from _of_validity(where, state / recorder.certificate, held, wall)


def _of_keys(path: Key, recorder: Recorder, state: Path, wall: float) -> Iterator[Mistake]:
    """Yield what keeps metadata from being opened: of former keys, that they have ended is no mistake."""
    first: dict[tuple[bytes, int], Key] = {}
    for files in recorder_keys.key_files(recorder, state):
        where = (*path, *files.place, "certificate")
        try:
            certificate = read_decryption_key(files.certificate, files.key).certificate
        except EncryptionCertificateError as error:
            yield file_mistake(where, error)
            continue
        other = first.setdefault(recorder_keys.name_of(certificate), where)
        if other is not where:
            yield Mistake(where, f"{files.certificate}: the same certificate as that of", "take one out", other)
        if not files.place:
            yield from _of_validity(where, files.certificate, validity(certificate), wall)


def _of_validity(where: Key, file: Path, held: Validity, wall: float) -> Iterator[Mistake]:
    if not held.holds(wall):
        yield Mistake(where, f"{file}: the certificate holds from {held.days()}", RENEW)


def _at_their_end(path: Key, keys: RecorderKeys, wall: float) -> Iterator[Mistake]:
    """Yield which of a recorder's certificates have ended, or do so soon."""
    if keys.validity.ends_within(signing_key.EXPIRY_WARNING, wall):
        wrong = f"the certificate holds from {keys.validity.days()}"
        what = "encrypted to" if keys.certificate is not None else "opened for"
        right = f"renew it: nothing is {what} one that has ended, so nothing is recorded"
        yield Mistake((*path, "certificate"), wrong, right)
    for place, former in enumerate(keys.keys[1:]):
        held = validity(former.certificate)
        if held.ends_within(signing_key.EXPIRY_WARNING, wall):
            right = "take it out once no client encrypts to it: nothing is opened for one that has ended"
            where = (*path, "former_keys", place, "certificate")
            yield Mistake(where, f"the certificate holds from {held.days()}", right)


def _of_authorities(path: Key, recorder: Recorder, state: Path) -> Iterator[Mistake]:
    try:
        recorder_trust.read(recorder, state)
    except StateFileError as error:
        yield file_mistake((*path, "ca"), error)


def _of_key(signing: Signing, state: Path, wall: float) -> Iterator[Mistake]:
    """Yield mistakes of both files, and that they do not fit."""
    key = leaf = None
    try:
        key = signing_key.read_key(state / signing.key)
    except SigningKeyError as error:
        yield file_mistake(("signing", "key"), error)
    if signing.chain is None:
        return
    path = state / signing.chain
    try:
        leaf = signing_key.read_leaf(path)
    except SigningKeyError as error:
        yield file_mistake(("signing", "chain"), error)
        return
    if key is not None and not signing_key.fits(key, leaf):
        yield Mistake(
            ("signing", "chain"), f"{path}: its first certificate is not the signing key's", "put the key's own first"
        )
    if not validity(leaf).holds(wall):
        wrong = f"{path}: its first certificate does not hold today"
        yield Mistake(("signing", "chain"), wrong, RENEW)


def _of_store(verification: Verification, state: Path) -> Iterator[Mistake]:
    for key, read, name in (
        ("anchors", trust_store.read_anchors, verification.anchors),
        ("certificates", trust_store.files_in, verification.certificates),
    ):
        try:
            read(state / name)
        except StateFileError as error:
            yield file_mistake(("verification", key), error)


def _of_chains(verification: Verification, state: Path, wall: float) -> Iterator[Mistake]:
    """Yield the files of the trust store that verify nothing."""
    path = ("verification", "certificates")
    store = trust_store.load(verification, state)
    for problem in store.problems:
        yield Mistake(path, problem, "mend it or take it out; calls signed with it are not verified")
    for url, signatory in store.signatories.items():
        if not signatory.validity.holds(wall):
            wrong = f"the chain for {url} does not hold today"
            yield Mistake(path, wrong, "put the renewed one there; calls signed with it fail")
    if not store.signatories and not store.problems:
        yield Mistake(path, f"{state / verification.certificates}: no chains", "put those there that you know")


def _section(draft: Draft, name: str, kind: type[S]) -> S | None:
    found = draft.get(name)
    return _read(found, kind) if isinstance(found, dict) else None


def _read(found: Draft, kind: type[S]) -> S | None:
    try:
        return kind.model_validate({key: tuple(v) if isinstance(v, list) else v for key, v in found.items()})
    except ValidationError:
        return None
