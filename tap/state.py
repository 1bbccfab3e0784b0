"""Where the files of the state folder are."""

from __future__ import annotations

from pathlib import Path

from config.settings import Settings


def key_ring_path(settings: Settings) -> Path:
    """Return the file of the key ring."""
    return Path(settings.state_dir) / "keys.json"


def retired_trunks_path(settings: Settings) -> Path:
    """Return the file that remembers trunks whose dialogs outlive their configuration."""
    return Path(settings.state_dir) / "trunks.json"
