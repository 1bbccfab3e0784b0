"""What a reload would put to work: read, checked, tried and complete, or the list of everything against it.

    files ─> read_all ─> fixed ─> key ring ─> policy ─> self-test ─> trunks.json ─> Candidate

All of it may run in a thread: it touches nothing that runs. The state folder is written last, when nothing else can
go wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from config import keys, retired, tomlfile
from config.keyring import KeyRing
from config.load import ConfigError
from config.settings import Settings, Trunk
from config.statefile import StateFileError
from config.subscribers import Subscribers
from filters.engine import Engine
from proxy.policy import Privacy
from tap import configuration
from tap.fixed import fixed_changes
from tap.selftest import self_test
from tap.state import key_ring_path, retired_trunks_path


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
    digest: str
    warnings: tuple[str, ...]


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
        found = configuration.read_all(path)
        settings = found.settings
        fixed = fixed_changes(running, settings)
        if fixed:
            raise ConfigError(tomlfile.read(path, "").placed(fixed))
        ring = keys.load(key_ring_path(settings))
        privacy = Engine(settings, found.catalogue, subscribers)
        failed = self_test(settings, privacy)
        if failed:
            raise ReloadRefused([failed])
        former = retired.remember(retired_trunks_path(settings), settings, wall, settings.limits.max_dialog_age)
    except ConfigError as error:
        raise ReloadRefused([str(problem) for problem in error.problems]) from error
    except StateFileError as error:
        raise ReloadRefused([str(error)]) from error
    return Candidate(settings, ring, privacy, former, digest(settings), tuple(map(str, found.warnings)))


def digest(settings: Settings) -> str:
    """Return a short hash of the effective configuration, by which two nodes or two moments are compared."""
    hashed = sha256(settings.model_dump_json().encode())
    for name in settings.catalogue:
        try:
            hashed.update(Path(name).read_bytes())
        except OSError:  # it was there a moment ago; then the hash just says that something is different
            hashed.update(b"?")
    return hashed.hexdigest()[:12]
