"""What a reload would put to work: read, checked, tried and complete, or the list of everything against it.

    files ─> read_all ─> fixed ─> key ring ─> policy ─> self-test ─> trunks.json ─> Candidate

All of it may run in a thread: it touches nothing that runs. The state folder is written last, when nothing else can
go wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from config import keys, retired, tomlfile
from config.keyring import KeyRing
from config.load import ConfigError
from config.settings import Settings, Trunk
from config.statefile import StateFileError
from config.subscribers import Subscribers
from filters.engine import Engine
from proxy.policy import Privacy
from tap import configuration, signing
from tap.connections import Files, read_files
from tap.fixed import fixed_changes
from tap.selftest import self_test
from tap.signing import Credentials, signer_of, verifier_of
from tap.state import key_ring_path, recalled, retired_trunks_path


class ReloadRefused(Exception):  # noqa: N818
    """A configuration that cannot take the running one's place, with everything that is wrong with it."""

    def __init__(self, reasons: Sequence[str]) -> None:
        """Keep the reasons, one a line."""
        super().__init__("\n".join(reasons))
        self.reasons = tuple(reasons)


class Candidate(NamedTuple):
    """The next generation, before it is one."""

    settings: Settings
    """As configured: with the ports of the file, not those that the system chose."""
    ring: KeyRing
    privacy: Privacy
    retired: tuple[Trunk, ...]
    catalogue: tuple[bytes, ...]
    """What the operator's catalogue files say."""
    digest: str
    warnings: tuple[str, ...]
    credentials: Credentials
    """What signs and verifies: the policy has it too, but not in a form that a worker can be given."""
    tls: Files = MappingProxyType({})
    """Certificates of TLS listeners, which a connection to come meets."""


def prepare(path: Path, running: Settings, subscribers: Subscribers, wall: float) -> Candidate:
    """Return what the files at path make.

    Args:
        path: of the configuration.
        running: the settings that were read last, as configured.
        subscribers: what is known of single subscribers; it lives on.
        wall: Unix time in seconds.

    Raises:
        ReloadRefused: with all reasons.
    """
    try:
        found = configuration.read_all(path, wall)
        settings = found.settings
        fixed = fixed_changes(running, settings)
        if fixed:
            raise ConfigError(tomlfile.read(path, "").placed(fixed))
        ring = keys.load(key_ring_path(settings))
        gone = recalled(settings, wall)
        credentials = signing.read(settings, wall, gone)
        signer, verifier = signer_of(settings, credentials), verifier_of(credentials)
        privacy = Engine(settings, found.catalogue, subscribers, signer, verifier, credentials.recorders)
        certificates = read_files(settings, gone)
        failed = self_test(settings, privacy)
        if failed:
            raise ReloadRefused([failed])
        former = retired.remember(retired_trunks_path(settings), settings, wall, settings.limits.max_dialog_age)
    except ConfigError as error:
        raise ReloadRefused([str(problem) for problem in error.problems]) from error
    except StateFileError as error:
        raise ReloadRefused([str(error)]) from error
    files = _files(settings)
    warnings = tuple(map(str, found.warnings))
    hashed = _digest(settings, files)
    return Candidate(settings, ring, privacy, former, files, hashed, warnings, credentials, certificates)


def digest(settings: Settings) -> str:
    """Return a short hash of the effective configuration, by which two moments are compared."""
    return _digest(settings, _files(settings))


def _digest(settings: Settings, files: tuple[bytes, ...]) -> str:
    hashed = sha256(settings.model_dump_json().encode())
    for text in files:
        hashed.update(sha256(text).digest())
    return hashed.hexdigest()[:12]


def _files(settings: Settings) -> tuple[bytes, ...]:
    """Return what the operator's catalogue files say; nothing for one that has gone since it was read."""
    return tuple(Path(name).read_bytes() if Path(name).is_file() else b"" for name in settings.catalogue)
