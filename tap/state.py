"""The state folder: where its files are, and what a start takes from them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from config import keys, retired
from config.keyring import KeyRing
from config.settings import Settings, Trunk
from config.subscribers_section import SubscriberStore


class State(NamedTuple):
    """What outlives a process."""

    ring: KeyRing
    retired: tuple[Trunk, ...]
    """Trunks that are configured no more and serve their dialogs."""


def key_ring_path(settings: Settings) -> Path:
    """Return the file of the key ring."""
    return Path(settings.state_dir) / "keys.json"


def retired_trunks_path(settings: Settings) -> Path:
    """Return the file that remembers trunks whose dialogs outlive their configuration."""
    return Path(settings.state_dir) / "trunks.json"


def subscriber_store_path(settings: Settings) -> Path:
    """Return the file of subscribers' settings; without a section for it, where it would be."""
    return Path(settings.state_dir) / (settings.subscribers or SubscriberStore()).store


def recalled(settings: Settings, wall: float) -> tuple[Trunk, ...]:
    """Return trunks and recorders that are configured no more, and write nothing; wall in Unix seconds.

    Raises:
        StateFileError: the file that remembers them is not private or malformed.
    """
    return retired.recall(retired_trunks_path(settings), settings, wall, settings.limits.max_dialog_age)


def prepare(settings: Settings, wall: float) -> State:
    """Read the state folder, make what the first start needs, and note today's trunks; wall in Unix seconds.

    Raises:
        StateFileError: a file is not private, malformed, or cannot be written.
    """
    ring = keys.load_or_create(key_ring_path(settings), wall)
    former = retired.remember(retired_trunks_path(settings), settings, wall, settings.limits.max_dialog_age)
    return State(ring, former)
