"""A TOML file that was read, with the lines of its keys; what keeps it from being read is a problem like any other."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

from config import lines
from config.draft import Draft
from config.problem import ConfigError, Mistake, Problem, key_text

_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")


class TomlFile:
    """Path and content of a file, and where in it each key stands."""

    def __init__(self, path: Path, text: str, data: Draft) -> None:
        """Keep what was read; lines are looked for when the first of them is asked for."""
        self.path = path
        self.data = data
        self._text = text
        self._lines: dict[lines.Path, int] | None = None

    def line(self, key: lines.Path) -> int:
        """Return the line of a key, or of the table that it is missing from."""
        return lines.line_of(self._known(), key)

    def written(self, key: lines.Path) -> int | None:
        """Return the line of a key; None where it is not in the file."""
        return self._known().get(key)

    def _known(self) -> dict[lines.Path, int]:
        if self._lines is None:
            self._lines = lines.key_lines(self._text)
        return self._lines

    def problem(self, mistake: Mistake) -> Problem:
        """Give a mistake its place."""
        other = f" {key_text(mistake.also)} (line {self.line(mistake.also)})" if mistake.also is not None else ""
        return Problem(
            str(self.path), self.line(mistake.path), key_text(mistake.path), mistake.wrong + other, mistake.right
        )

    def placed(self, mistakes: Iterable[Mistake]) -> tuple[Problem, ...]:
        """Give mistakes their lines, and sort them by these."""
        return tuple(sorted(map(self.problem, mistakes), key=lambda each: each.line))


def read(path: Path, right: str) -> TomlFile:
    """Read a file; right says which one should be there.

    Raises:
        ConfigError: if it cannot be read or is not TOML; where its syntax is broken nothing else can be told.
    """
    text = _text(path, right)
    try:
        return TomlFile(path, text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        message = str(error)
    place = _TOML_PLACE.search(message)
    line = int(place[1]) if place and place[1] else text.count("\n") + 1
    wrong = _TOML_PLACE.sub("", message)
    raise ConfigError((Problem(str(path), line, "", f"is not TOML: {wrong}", "see https://toml.io/en/v1.0.0"),))


def _text(path: Path, right: str) -> str:
    try:
        data = path.read_bytes()
        return data.decode()
    except OSError as error:
        wrong, line = f"cannot be read: {error.strerror}", 0
    except UnicodeDecodeError as error:
        wrong, line = "is not UTF-8", data.count(b"\n", 0, error.start) + 1
        right = "save it as UTF-8, which TOML requires"
    raise ConfigError((Problem(str(path), line, "", wrong, right),))
