"""Whose certificate a connection with a recorder shows: an authority of its own, and keys that are pinned.

Both are for the connection; what metadata are encrypted to is another certificate (`recorder_keys`).
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.serialization import Encoding

from config.address import NetworkValue
from config.pem_files import read_certificates
from config.recorder_trunk import RecorderTrunk
from config.recorders_section import Recorder
from config.settings import Settings, Trunk
from config.statefile import StateFileError


class RecorderTrustError(StateFileError):
    """A file of authorities that cannot be used; says which and why, and what would be right."""


class RecorderTrust(NamedTuple):
    """Where one recorder is, by which names its certificate tells it, and who may vouch for it."""

    hosts: frozenset[tuple[str, int]]
    """Addresses and ports of its hops, as far as they are addresses."""
    networks: tuple[NetworkValue, ...]
    names: frozenset[str]
    """Lower case, without a dot at the end."""
    pins: frozenset[bytes]
    """SHA-256 of the DER of SubjectPublicKeyInfo (RFC 7469 §2.4), one of which is its certificate's; empty: any."""
    ca: tuple[bytes, ...] | None
    """DER; None: those of the listener. Empty: nobody, for the file is gone."""
    retired: bool = False
    """Whether it is configured no more, and only has sessions."""


def load(settings: Settings, retired: Iterable[Trunk] = ()) -> tuple[RecorderTrust, ...]:
    """Return all recorders, those too that are configured no more and have sessions; `state_dir` is absolute.

    A recorder that is configured no more, and whose file of authorities has gone, is reached no longer.

    Raises:
        RecorderTrustError: the authorities of one that is configured cannot be used.
    """
    folder = Path(settings.state_dir)
    found = [_trust(each, read(each, folder)) for each in settings.recorders]
    for trunk in retired:
        if isinstance(trunk, RecorderTrunk):
            found.append(_trust(trunk.recorder, _read_retired(trunk.recorder, folder))._replace(retired=True))
    return tuple(found)


def read(recorder: Recorder, folder: Path) -> tuple[bytes, ...] | None:
    """Return the authorities of a recorder, whose file is relative to folder; None where it has none of its own.

    Raises:
        RecorderTrustError: the file cannot be used.
    """
    if recorder.ca is None:
        return None
    right = "put the authorities' certificates there, in PEM"
    found = read_certificates(folder / recorder.ca, RecorderTrustError, right)
    return tuple([each.public_bytes(Encoding.DER) for each in found])


def _read_retired(recorder: Recorder, folder: Path) -> tuple[bytes, ...] | None:
    try:
        return read(recorder, folder)
    except RecorderTrustError:
        return ()


def _trust(recorder: Recorder, ca: tuple[bytes, ...] | None) -> RecorderTrust:
    names = [hop.host for hop in recorder.hosts if not hop.is_ip] + ([recorder.tls_name] if recorder.tls_name else [])
    return RecorderTrust(
        frozenset([(hop.host, hop.port) for hop in recorder.hosts if hop.is_ip]),
        recorder.networks,
        frozenset([name.lower().removesuffix(".") for name in names]),
        frozenset(map(b64decode, recorder.pins)),
        ca,
    )
