"""What is wrong with a configuration file, where, and what would be right."""

from __future__ import annotations

import re
from typing import NamedTuple

from config.lines import Path

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


class Mistake(NamedTuple):
    """A mistake before its place in a file is known: the path of the key it is at.

    `also` is the other key that a contradiction is with; its name and line are added to `wrong`.
    """

    path: Path
    wrong: str
    right: str
    also: Path | None = None


class Problem(NamedTuple):
    """A mistake as the operator reads it. Line 0 stands for the file as a whole."""

    file: str
    line: int
    key: str
    wrong: str
    right: str

    def __str__(self) -> str:
        """Return `file:line: key: what is wrong; what would be right`."""
        file = f"{self.file}:{self.line}" if self.line else self.file
        place = ": ".join(part for part in (file, self.key) if part)
        return f"{place}: {self.wrong}; {self.right}"


class ConfigError(Exception):
    """A configuration that cannot be used, with everything that is wrong with it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Keep all problems, in the order of the file."""
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        """Return one problem a line."""
        return "\n".join(map(str, self.problems))


def key_text(path: Path) -> str:
    """Write a path the way an operator would: `trunks[0].hosts[1]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{_key_part(part)}" if text else _key_part(part)
    return text


def shown(value: object) -> str:
    """Show a value of the file in a message: short, on one line, in TOML's notation."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            text = f'"{value}"' if len(value) <= 60 else f'"{value[:57]}..."'
            return text.replace("\n", "\\n")
        case list() | tuple():
            return "an array"
        case dict():
            return "a table"
    return str(value)


def _key_part(key: str) -> str:
    """Quote a key where TOML would need it."""
    return key if _BARE_KEY.fullmatch(key) else f'"{key}"'
