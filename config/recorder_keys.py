"""What is encrypted to recorders, and what opens what came for one: read at the start and with each reload."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cryptography import x509

from config.encryption_certificate import (
    DecryptionKey,
    EncryptionCertificate,
    EncryptionCertificateError,
    read_certificate,
    read_decryption_key,
)
from config.lines import Path as Key
from config.recorder_trunk import RecorderTrunk
from config.recorders_section import Recorder
from config.settings import Settings, Trunk
from config.validity import Validity, validity


class RecorderKeys(NamedTuple):
    """Of one recorder: a certificate to encrypt to, or keys that open."""

    certificate: EncryptionCertificate | None
    keys: Sequence[DecryptionKey] = ()
    """The present one first, and behind it former ones."""

    @property
    def validity(self) -> Validity:
        """When the certificate holds that clients, or we, are to encrypt to."""
        return self.certificate.validity if self.certificate is not None else validity(self.keys[0].certificate)


class KeyFiles(NamedTuple):
    """A certificate and its key, as a recorder's section names them."""

    place: Key
    """Of the table that names them, within the recorder's: empty for its own."""
    certificate: Path
    key: Path


def load(settings: Settings) -> Mapping[str, RecorderKeys]:
    """Return the keys of each recorder by its name; `state_dir` is absolute.

    Raises:
        EncryptionCertificateError: a file cannot be used. That a certificate does not hold today is no reason.
    """
    folder = Path(settings.state_dir)
    return {recorder.name: read(recorder, folder) for recorder in settings.recorders}


def load_retired(settings: Settings, retired: Iterable[Trunk]) -> Mapping[str, RecorderKeys]:
    """Return the keys of recorders that are configured no more, as far as their files are still there.

    One without keys hears the end of its sessions, and no metadata.
    """
    found = {}
    for trunk in retired:
        if isinstance(trunk, RecorderTrunk):
            keys = _read_left(trunk.recorder, Path(settings.state_dir))
            if keys is not None:
                found[trunk.name] = keys
    return found


def read(recorder: Recorder, folder: Path) -> RecorderKeys:
    """Return the keys of a recorder, whose files are relative to folder; raises as `load`."""
    if recorder.role != "recorder-edge":
        return RecorderKeys(read_certificate(folder / (recorder.certificate or "")))
    first: dict[tuple[bytes, int], Path] = {}
    keys = []
    for files in key_files(recorder, folder):
        own = read_decryption_key(files.certificate, files.key)
        other = first.setdefault(name_of(own.certificate), files.certificate)
        if other is not files.certificate:
            raise EncryptionCertificateError(f"{files.certificate}: the same certificate as {other}; take one out")
        keys.append(own)
    return RecorderKeys(None, tuple(keys))


def key_files(recorder: Recorder, folder: Path) -> Sequence[KeyFiles]:
    """Return what a recorder that we stand in front of opens with: its own, and then former ones."""
    own = KeyFiles((), folder / (recorder.certificate or ""), folder / (recorder.key or ""))
    former = [
        KeyFiles(("former_keys", place), folder / each.certificate, folder / each.key)
        for place, each in enumerate(recorder.former_keys)
    ]
    return (own, *former)


def name_of(certificate: x509.Certificate) -> tuple[bytes, int]:
    """Return what tells a certificate from all others: issuer and serial number (RFC 5280 §4.1.2.2)."""
    return certificate.issuer.public_bytes(), certificate.serial_number


def _read_left(recorder: Recorder, folder: Path) -> RecorderKeys | None:
    """Return what of a recorder's keys can still be read; None for nothing."""
    if recorder.role != "recorder-edge":
        with suppress(EncryptionCertificateError):
            return read(recorder, folder)
        return None
    keys = []
    for files in key_files(recorder, folder):
        with suppress(EncryptionCertificateError):
            keys.append(read_decryption_key(files.certificate, files.key))
    return RecorderKeys(None, tuple(keys)) if keys else None
