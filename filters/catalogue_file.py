"""Catalogue files as they are written: sections of entries, each with its place, a later file over an earlier one.

What entries mean is `catalogue_entry`'s business; here they only get their order. Mistakes are collected, not raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from config import tomlfile
from config.lines import Path as Key
from config.problem import ConfigError, Mistake, Problem
from config.tomlfile import TomlFile

FIELDS = ("headers", "contact-params", "uri-params", "sdp.lines", "sdp.attributes")
"""Sections whose entries speak of one field each."""
SECTIONS = (*FIELDS, "bodies", "patterns", "compact", "lists", "grammars")
CASELESS = frozenset({"headers", "contact-params", "uri-params", "bodies", "compact"})
"""Sections in whose names upper and lower case are the same (RFC 3261 §7.3.1); SDP's attributes are not."""
_RIGHT = "give the path of a catalogue file (docs/catalogue.md says what stands in one)"


class Written(NamedTuple):
    """An entry as it was written, and where."""

    file: TomlFile
    section: str
    name: str
    """As written; `key` is what it is found by."""
    raw: Any

    @property
    def key(self) -> str:
        """The name in the case in which it is looked for."""
        return self.name.lower() if self.section in CASELESS else self.name

    @property
    def is_glob(self) -> bool:
        """Whether it speaks of all names of a shape."""
        return "*" in self.name and self.section not in ("compact", "lists", "grammars")

    @property
    def place(self) -> str:
        """File and line, for a problem that lies elsewhere."""
        return f"{self.file.path}:{self.file.line(self.path)}"

    @property
    def path(self) -> Key:
        """The way to it in its file."""
        return (*self.section.split("."), self.name)

    def problem(self, wrong: str, right: str, *within: str | int) -> Problem:
        """Return a problem of the entry, or of a key within it."""
        return self.file.problem(Mistake((*self.path, *within), wrong, right))


Sections = dict[str, dict[str, Written]]
"""Section to key to entry; globs stand in the order in which they are tried."""


class Merged(NamedTuple):
    """All files together, the first of them alone, and what is wrong with how they are written."""

    sections: Sections
    ours: Sections
    """What Sipveil comes with: the first file."""
    problems: tuple[Problem, ...]


def merge(paths: Sequence[Path]) -> Merged:
    """Read all files; those that cannot be read are problems, and the others are still looked at."""
    sections, ours = empty(), empty()
    problems: list[Problem] = []
    for number, path in enumerate(paths):
        try:
            file = tomlfile.read(path, _RIGHT)
        except ConfigError as error:
            problems += error.problems
            continue
        written = list(_entries(file, problems))
        add(sections, written, problems)
        if number == 0:
            add(ours, written, [])
    return Merged(sections, ours, tuple(problems))


def empty() -> Sections:
    """Return sections without entries."""
    return {section: {} for section in SECTIONS}


def add(sections: Sections, entries: Iterable[Written], problems: list[Problem]) -> None:
    """Lay the entries of one file over what is there: its globs go first, its lists grow what they name."""
    globs: dict[str, dict[str, Written]] = {section: {} for section in SECTIONS}
    for entry in entries:
        mine, key = sections[entry.section], entry.key
        if entry.section == "lists":
            entry = entry._replace(raw=[*_words(mine.get(key), []), *_words(entry, problems)])  # noqa: PLW2901
        mine.pop(key, None)
        (globs[entry.section] if entry.is_glob else mine)[key] = entry
    for section, first in globs.items():
        sections[section] = {**first, **sections[section]}


def _words(entry: Written | None, problems: list[Problem]) -> list[str]:
    if entry is None:
        return []
    if not isinstance(entry.raw, list) or not all(isinstance(word, str) for word in entry.raw):
        problems.append(entry.problem("is not a list of words", 'write it in brackets: ["one", "other"]'))
        return []
    return entry.raw


def _entries(file: TomlFile, problems: list[Problem]) -> Iterator[Written]:
    for section, table in _tables(file, problems):
        for name, raw in table.items():
            yield Written(file, section, name, raw)


def _tables(file: TomlFile, problems: list[Problem]) -> Iterator[tuple[str, dict[str, Any]]]:
    sdp = file.data.get("sdp")
    inner = {f"sdp.{name}": table for name, table in sdp.items()} if isinstance(sdp, dict) else {}
    for section, table in {**file.data, **inner}.items():
        if section == "sdp" and isinstance(sdp, dict):
            continue
        path = tuple(section.split(".")) if section in inner else (section,)
        if section not in SECTIONS:
            near = get_close_matches(section, SECTIONS, n=1)
            right = f"did you mean [{near[0]}]?" if near else f"known here: {', '.join(SECTIONS)}"
            problems.append(file.problem(Mistake(path, "is not a section of a catalogue", right)))
        elif not isinstance(table, dict):
            problems.append(file.problem(Mistake(path, "is not a section", f"write [{section}] and its entries below")))
        else:
            yield section, table
