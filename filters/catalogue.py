"""The catalogue: which data category each field of a message belongs to, read from config/catalogue.toml.

Files merge in order (`catalogue_file`): entries of a later file replace those of the same name, its globs are tried
first, its lists grow the earlier ones. Then each entry is read (`catalogue_entry`), and an operator's are held
against ours (`catalogue_own`). The file format is described at the head of config/catalogue.toml. What no entry
names is `Category.UNKNOWN`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import config
from config.problem import ConfigError, Problem
from config.vocabulary import Category
from filters.catalogue_entry import HANDLINGS, Reader
from filters.catalogue_file import FIELDS, Sections, Written, merge
from filters.catalogue_own import judge
from filters.entry import (
    MAX_CACHED,
    UNKNOWN,
    UNKNOWN_BODY,
    Actions,
    BodyEntry,
    HeaderEntry,
    Table,
    body_towards,
    header_towards,
)
from filters.zones import Towards

__all__ = [
    "HANDLINGS", "MAX_CACHED", "PACKAGED", "UNKNOWN", "UNKNOWN_BODY", "Actions", "BodyEntry", "Catalogue",
    "CatalogueError", "HeaderEntry", "Table", "load_catalogue",
]  # fmt: skip

PACKAGED = Path(config.__file__).with_name("catalogue.toml")
"""The catalogue that Sipveil comes with."""

_METADATA = b"application/rs-metadata"
E = TypeVar("E")


class CatalogueError(ConfigError):
    """Catalogue files that cannot be used, with everything that is wrong with them."""


class Catalogue:
    """All tables; immutable."""

    __slots__ = (
        "_sources",
        "_tables",
        "_towards",
        "bodies",
        "compact",
        "contact_params",
        "entry",
        "fixed",
        "headers",
        "patterns",
        "sdp_attributes",
        "sdp_lines",
        "searches",
        "uri_params",
        "warnings",
    )  # fmt: skip

    entry: Callable[[bytes], HeaderEntry]
    """Canonical lower-case header name to its entry; `headers.find` under its common name."""
    fixed: frozenset[str]
    """Sections with entries that are removed towards the zone that this is the catalogue for; without one, empty."""
    warnings: tuple[Problem, ...]
    """What an operator's files open of ours."""

    def __init__(
        self, tables: Mapping[str, Table[HeaderEntry]], bodies: Table[BodyEntry], compact: Mapping[bytes, bytes],
        patterns: Mapping[str, Category], sources: Mapping[str, Table[str]], warnings: tuple[Problem, ...] = (),
        searches: Mapping[str, re.Pattern[bytes]] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        """Keep the tables of the sections, the compact forms of header names, patterns' categories and sources.

        searches are what an operator's own patterns look for, by name.
        """
        self._tables = tables
        self.headers = tables["headers"]
        self.contact_params = tables["contact-params"]
        self.uri_params = tables["uri-params"]
        self.sdp_lines = tables["sdp.lines"]
        self.sdp_attributes = tables["sdp.attributes"]
        self.bodies = bodies
        self.compact = MappingProxyType(dict(compact))
        self.patterns = MappingProxyType(dict(patterns))
        self.searches = MappingProxyType(dict(searches))
        self.entry = self.headers.find
        self.warnings = warnings
        self.fixed = frozenset(name for name, table in tables.items() if _any_fixed(table))
        if any(entry.fixed for entry in (*bodies.exact.values(), *(entry for _, entry in bodies.globs))):
            self.fixed |= {"bodies"}
        self._sources = sources
        self._towards: dict[Towards, Catalogue] = {}

    def towards(self, zone: Towards) -> Catalogue:
        """Return the catalogue as it holds towards a zone: its entries say whether they are removed there."""
        known = self._towards.get(zone)
        if known is None:
            tables = {section: header_towards(table, zone) for section, table in self._tables.items()}
            bodies = body_towards(self.bodies, zone)
            known = Catalogue(tables, bodies, self.compact, self.patterns, self._sources, self.warnings, self.searches)
            self._towards[zone] = known
        return known

    def with_metadata(self) -> Catalogue:
        """Return the catalogue in which metadata of recordings tell of nothing but recording: towards recorders.

        Names and numbers in them are edited for each participant before a plan sees them. In makers' headers of that
        kind (agents, extensions, call ids) nobody edits them, and nobody can encrypt a header: they go with the number.
        """

        def named_too(entry: HeaderEntry) -> HeaderEntry:
            return entry._replace(category=Category.NUMBER) if entry.category is Category.RECORDING else entry

        def only(entry: BodyEntry) -> BodyEntry:
            return entry._replace(categories=(Category.RECORDING,)) if Category.RECORDING in entry.categories else entry

        named = {key: only(one) for key, one in self.bodies.exact.items() if key.startswith(_METADATA)}
        globs = [(key, only(one) if key.encode().startswith(_METADATA) else one) for key, one in self.bodies.globs]
        bodies = Table({**self.bodies.exact, **named}, globs, UNKNOWN_BODY)
        exact = {name: named_too(entry) for name, entry in self.headers.exact.items()}
        headers = Table(exact, [(name, named_too(entry)) for name, entry in self.headers.globs], UNKNOWN)
        return Catalogue(
            {**self._tables, "headers": headers}, bodies, self.compact, self.patterns, self._sources, self.warnings,
            self.searches,
        )  # fmt: skip

    def source(self, section: str, name: bytes) -> str:
        """Return where a field is defined, such as `RFC 3325 §9.1`; empty where that is not known.

        Args:
            section: `headers`, `contact-params`, `uri-params`, `sdp.lines`, `sdp.attributes`, `bodies`, `patterns`.
            name: as the entry would be written: canonical, and lower case where case does not count.
        """
        table = self._sources.get(section)
        return table.find(name) if table is not None else ""


def load_catalogue(*paths: Path) -> Catalogue:
    """Read and merge catalogue files, a later one over an earlier; the first is ours, and without paths the only one.

    Raises:
        CatalogueError: with every mistake in all files.
    """
    merged = merge(paths or (PACKAGED,))
    verdict = judge(merged)
    reader = Reader(merged.sections)
    catalogue = _read(merged.sections, reader, verdict.warnings)
    problems = (*merged.problems, *reader.problems, *verdict.problems)
    if problems:
        raise CatalogueError(_in_order(problems, paths or (PACKAGED,)))
    return catalogue


def _read(sections: Sections, reader: Reader, warnings: tuple[Problem, ...]) -> Catalogue:
    reader.lists()
    tables = {section: _table(sections[section].values(), reader.header, UNKNOWN) for section in FIELDS}
    bodies = _table(sections["bodies"].values(), reader.body, UNKNOWN_BODY)
    compact = {key.encode(): reader.compact(entry).encode() for key, entry in sections["compact"].items()}
    patterns = {
        key: category for key, entry in sections["patterns"].items() if (category := reader.pattern(entry)) is not None
    }
    sources = {section: _table(sections[section].values(), _source, "") for section in (*FIELDS, "bodies", "patterns")}
    return Catalogue(tables, bodies, compact, patterns, sources, warnings, reader.searches)


def _table(entries: Iterable[Written], read: Callable[[Written], E | None], default: E) -> Table[E]:
    """Return what can be read of entries; what cannot is among the reader's problems."""
    exact: dict[bytes, E] = {}
    globs: list[tuple[str, E]] = []
    for entry in entries:
        value = read(entry)
        if value is None:
            continue
        if entry.is_glob:
            globs.append((entry.key, value))
        else:
            exact[entry.key.encode()] = value
    return Table(exact, globs, default)


def _source(entry: Written) -> str:
    source = entry.raw.get("source") if isinstance(entry.raw, dict) else None
    return source if isinstance(source, str) else ""


def _any_fixed(table: Table[HeaderEntry]) -> bool:
    return any(entry.fixed for entry in (*table.exact.values(), *(entry for _, entry in table.globs)))


def _in_order(problems: Iterable[Problem], paths: Iterable[Path]) -> tuple[Problem, ...]:
    """Sort problems as the files stand: file by file, line by line."""
    order = [str(path) for path in paths]
    return tuple(sorted(problems, key=lambda each: (order.index(each.file), each.line)))
