"""The files that a configuration names: where they are, and how what is wrong with one is told."""

from __future__ import annotations

from pathlib import Path

from config.draft import Draft
from config.lines import Path as Key
from config.problem import Mistake
from config.settings import Settings
from config.statefile import StateFileError

RENEW = "renew it, and look at this machine's clock"
_LOOK = "see what the file should be in docs/configuration.md"


def state_folder(draft: Draft, folder: Path) -> Path:
    """Return the `state_dir` of a draft; folder is where the configuration is, which that is relative to."""
    named = draft.get("state_dir", Settings.model_fields["state_dir"].default)
    return folder / (named if isinstance(named, str) else "")


def file_mistake(key: Key, error: StateFileError) -> Mistake:
    """Return what is wrong with the file that a key names; an error says behind a semicolon what would be right."""
    wrong, _, right = str(error).partition("; ")
    return Mistake(key, wrong, right or _LOOK)
