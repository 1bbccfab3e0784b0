"""What is wrong with the password files that trunks name: found before a start needs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from config.check_files import file_mistake, state_folder
from config.draft import EACH, Draft, texts
from config.password_file import PasswordFileError, read
from config.problem import Mistake


def credential_mistakes(draft: Draft, folder: Path) -> Iterator[Mistake]:
    """Yield every password file that cannot be used; folder is where the configuration is."""
    state = state_folder(draft, folder)
    for path, name in texts(draft, "trunks", EACH, "credentials", "password_file"):
        try:
            read(state / name)
        except PasswordFileError as error:
            yield file_mistake(path, error)
