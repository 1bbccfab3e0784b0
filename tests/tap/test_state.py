"""Paths of state."""

from __future__ import annotations

from pathlib import Path

from tap.state import key_ring_path, retired_trunks_path, subscriber_store_path
from tests.tap.fakes import settings_of


def test_files_are_in_the_configured_folder(tmp_path: Path) -> None:
    """`state_dir` counts from the configuration file, not from where the command was started."""
    settings = settings_of(tmp_path)
    assert key_ring_path(settings) == tmp_path / "state" / "keys.json"
    assert retired_trunks_path(settings) == tmp_path / "state" / "trunks.json"
    assert subscriber_store_path(settings) == tmp_path / "state" / "subscribers.db"
