"""What is encrypted to recorders, and what opens what came for one: read at the start and with each reload."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from config.encryption_certificate import (
    DecryptionKey,
    EncryptionCertificate,
    EncryptionCertificateError,
    read_certificate,
    read_decryption_key,
)
from config.recorder_trunk import RecorderTrunk
from config.recorders_section import Recorder
from config.settings import Settings, Trunk


class RecorderKeys(NamedTuple):
    """Of one recorder: a certificate to encrypt to, or a key that opens."""

    certificate: EncryptionCertificate | None
    key: DecryptionKey | None


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
            with suppress(EncryptionCertificateError):
                found[trunk.name] = read(trunk.recorder, Path(settings.state_dir))
    return found


def read(recorder: Recorder, folder: Path) -> RecorderKeys:
    """Return the keys of a recorder, whose files are relative to folder; raises as `load`."""
    certificate = folder / (recorder.certificate or "")
    if recorder.role == "recorder-edge":
        return RecorderKeys(None, read_decryption_key(certificate, folder / (recorder.key or "")))
    return RecorderKeys(read_certificate(certificate), None)
