"""The shelf: where the supervisor lays a configuration for its workers, those too that are only to be forked.

Two places in memory that all have in common. What is laid down does not count before it is committed, and then what
counted before stays where it was until the next: whoever reads, reads one whole configuration. It holds keys, so it is
memory and no file.
"""

from __future__ import annotations

import mmap
import os
import pickle
from pathlib import Path
from typing import NamedTuple

from config.keyring import decode, encode
from config.settings import Settings, Trunk
from config.subscribers import Subscribers
from config.tls_files import TlsFiles
from filters.catalogue import PACKAGED, load_catalogue
from filters.engine import Engine
from tap.candidate import Candidate
from tap.signing import Packed, pack, signer_of, unpack, verifier_of

_NOTHING = 255


class Laid(NamedTuple):
    """A candidate as bytes can hold it."""

    settings: Settings
    ring: bytes
    retired: tuple[Trunk, ...]
    catalogue: tuple[bytes, ...]
    """What the operator's catalogue files say."""
    digest: str
    credentials: Packed
    tls: dict[str, TlsFiles]


class Shelf:
    """Made by the supervisor before the first fork."""

    def __init__(self) -> None:
        """Begin empty."""
        self._places = [os.memfd_create("sipveil-configuration") for _ in range(2)]
        self._counts = mmap.mmap(-1, 1)
        self._counts[0] = _NOTHING

    def lay(self, candidate: Candidate) -> None:
        """Lay a candidate beside what counts."""
        laid = Laid(
            candidate.settings, encode(candidate.ring), candidate.retired, candidate.catalogue, candidate.digest,
            pack(candidate.credentials), dict(candidate.tls),
        )  # fmt: skip
        data = pickle.dumps(laid)
        place = self._places[self._spare]
        os.ftruncate(place, 0)
        os.pwrite(place, data, 0)

    def commit(self) -> None:
        """Let what was laid down last count."""
        self._counts[0] = self._spare

    def spare(self, subscribers: Subscribers) -> Candidate:
        """Return what was laid down last."""
        return _candidate(self._places[self._spare], subscribers)

    def current(self, subscribers: Subscribers) -> Candidate | None:
        """Return what counts; None where nothing was ever committed: what the start has read does."""
        counts = self._counts[0]
        return None if counts == _NOTHING else _candidate(self._places[counts], subscribers)

    def close(self) -> None:
        """Let go of the memory; safe to call twice."""
        for place in self._places:
            os.close(place)
        self._places.clear()

    @property
    def _spare(self) -> int:
        return 0 if self._counts[0] else 1


def _candidate(place: int, subscribers: Subscribers) -> Candidate:
    """Make a candidate of what lies in a place: the supervisor has checked and tried it."""
    data = os.pread(place, os.fstat(place).st_size, 0)
    laid: Laid = pickle.loads(data)  # noqa: S301 -- written by our own supervisor, in memory that nobody else has
    files = [_file(text) for text in laid.catalogue]
    try:
        catalogue = load_catalogue(PACKAGED, *(Path(f"/proc/self/fd/{file}") for file in files))
    finally:
        for file in files:
            os.close(file)
    credentials = unpack(laid.credentials)
    signer, verifier = signer_of(laid.settings, credentials), verifier_of(credentials)
    privacy = Engine(laid.settings, catalogue, subscribers, signer, verifier, credentials.recorders)
    ring = decode(laid.ring)
    return Candidate(laid.settings, ring, privacy, laid.retired, laid.catalogue, laid.digest, (), credentials, laid.tls)


def _file(text: bytes) -> int:
    """Return a file in memory: what is on disk may be another one by now."""
    descriptor = os.memfd_create("sipveil-catalogue")
    os.pwrite(descriptor, text, 0)
    return descriptor
