"""From a TOML file to Settings, or to the list of everything that is wrong with it.

text -> `tomllib` -> schema (`settings`, worded by `wording`) and cross-checks (`check_names`,
`check_networks`) side by side -> each mistake gets its line from `lines`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from config import lines
from config.advice import advice
from config.check_names import name_mistakes
from config.check_networks import network_mistakes
from config.draft import Draft
from config.problem import ConfigError, Mistake, Problem, key_text
from config.settings import Settings
from config.wording import mistake

__all__ = ["ConfigError", "Problem", "load", "warnings"]

_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")


def load(path: Path) -> Settings:
    """Read the configuration file at path; `state_dir` comes back as an absolute path.

    Raises:
        ConfigError: with every mistake in the file, in the order of its lines.
    """
    text = _read(path)
    draft = _parse(path, text)
    settings, mistakes = _validated(draft)
    mistakes = [*mistakes, *name_mistakes(draft), *network_mistakes(draft)]
    if settings is None or mistakes:
        raise ConfigError(_placed(str(path), lines.key_lines(text), mistakes))
    return settings.model_copy(update={"state_dir": str((path.parent / settings.state_dir).resolve())})


def warnings(settings: Settings, path: Path | None = None) -> tuple[Problem, ...]:
    """Return what is legal and yet hardly meant; with the path that settings came from, also where."""
    found = advice(settings)
    if path is None:
        return tuple(Problem("configuration", 0, key_text(each.path), each.wrong, each.right) for each in found)
    return _placed(str(path), lines.key_lines(_read(path)), found)


def _read(path: Path) -> str:
    """Return the file's text; a file that cannot be read is a problem like any other."""
    try:
        data = path.read_bytes()
        return data.decode()
    except OSError as error:
        wrong, line = f"cannot be read: {error.strerror}", 0
        right = "give the path of a configuration file (config/example.toml is one)"
    except UnicodeDecodeError as error:
        wrong, line = "is not UTF-8", data.count(b"\n", 0, error.start) + 1
        right = "save it as UTF-8, which TOML requires"
    raise ConfigError((Problem(str(path), line, "", wrong, right),))


def _parse(path: Path, text: str) -> Draft:
    """Read TOML; where its syntax is broken nothing else can be told."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
    place = _TOML_PLACE.search(message)
    line = int(place[1]) if place and place[1] else text.count("\n") + 1
    wrong = _TOML_PLACE.sub("", message)
    raise ConfigError((Problem(str(path), line, "", f"is not TOML: {wrong}", "see https://toml.io/en/v1.0.0"),))


def _validated(draft: Draft) -> tuple[Settings | None, list[Mistake]]:
    """Hold the file against the schema, without conversions: "5060" is no port and "yes" no truth."""
    try:
        return Settings.model_validate(_frozen(draft), strict=True), []
    except ValidationError as error:
        found = [mistake(details) for details in error.errors(include_url=False)]
    return None, [each for each in found if not _follows(each, found)]


def _frozen(value: object) -> object:
    """Turn lists into the tuples that Settings are made of."""
    if isinstance(value, dict):
        return {key: _frozen(inner) for key, inner in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _follows(each: Mistake, found: list[Mistake]) -> bool:
    """Tell whether a mistake is but the shadow of another: pydantic calls an array empty when all in it is wrong."""
    depth = len(each.path)
    return any(other.path[:depth] == each.path and len(other.path) > depth for other in found)


def _placed(file: str, where: Mapping[lines.Path, int], mistakes: Iterable[Mistake]) -> tuple[Problem, ...]:
    """Give mistakes their lines, and sort them by these."""

    def line(path: lines.Path) -> int:
        return lines.line_of(where, path)

    def problem(each: Mistake) -> Problem:
        other = f" {key_text(each.also)} (line {line(each.also)})" if each.also is not None else ""
        return Problem(file, line(each.path), key_text(each.path), each.wrong + other, each.right)

    return tuple(sorted(map(problem, mistakes), key=lambda each: each.line))
