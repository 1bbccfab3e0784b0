"""What is wrong with the password files that trunks name: found before a start needs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from config.draft import EACH, Draft, texts
from config.password_file import PasswordFileError, read
from config.problem import Mistake
from config.settings import Settings


def credential_mistakes(draft: Draft, folder: Path) -> Iterator[Mistake]:
    """Yield every password file that cannot be used; folder is where the configuration is."""
    named = draft.get("state_dir", Settings.model_fields["state_dir"].default)
    state = folder / named if isinstance(named, str) else folder
    for path, name in texts(draft, "trunks", EACH, "credentials", "password_file"):
        try:
            read(state / name)
        except PasswordFileError as error:
            wrong, _, right = str(error).partition("; ")
            yield Mistake(path, wrong, right or "see what the file should be in docs/configuration.md")
