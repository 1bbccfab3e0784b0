"""Passwords at trunks, each in a file of its own, and what is wrong with such a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from config.settings import Settings
from config.statefile import StateFile, StateFileError

MAX_PASSWORD = 512
"""Bytes; beyond that it is another kind of file."""
_MAKE_FILE = "write the password into it, and nothing else, and chmod 600 it"


class PasswordFileError(StateFileError):
    """A password file that cannot be used; says which and why, what would be right, never what is in it."""


class Password:
    """A password that no text shows by accident."""

    __slots__ = ("value",)

    def __init__(self, value: bytes) -> None:
        """Hold it."""
        self.value = value

    def __repr__(self) -> str:
        """Return nothing of it."""
        return "Password(...)"

    def __eq__(self, other: object) -> bool:
        """Tell whether both are the same."""
        return isinstance(other, Password) and self.value == other.value

    def __hash__(self) -> int:
        """Return a hash of nothing: a table of passwords has no use for one."""
        return hash(Password)


def load(settings: Settings) -> Mapping[str, Password]:
    """Return the password at each trunk that asks for one, by the trunk's name; `state_dir` is absolute.

    Raises:
        PasswordFileError: a file is missing, not private, empty, or holds more than a password.
    """
    folder = Path(settings.state_dir)
    return {
        trunk.name: read(folder / trunk.credentials.password_file)
        for trunk in settings.trunks
        if trunk.credentials is not None
    }


def read(path: Path) -> Password:
    """Read one file: all of it but the end of its only line.

    Raises:
        PasswordFileError: as `load`.
    """
    content = StateFile(path, PasswordFileError).read()
    if content is None:
        raise PasswordFileError(f"{path}: there is no password file; {_MAKE_FILE}")
    password = content.removesuffix(b"\n").removesuffix(b"\r")
    if not password:
        raise PasswordFileError(f"{path}: is empty; {_MAKE_FILE}")
    if len(password) > MAX_PASSWORD or any(byte < 0x20 or byte == 0x7F for byte in password):
        raise PasswordFileError(f"{path}: holds more than the one line of a password; {_MAKE_FILE}")
    return Password(password)
