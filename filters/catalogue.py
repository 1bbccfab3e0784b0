"""The catalogue: which data category each field of a message belongs to, read from config/catalogue.toml.

Files merge in order: entries of a later file replace those of the same name, its globs are tried
first, its lists and grammars add to the earlier ones. The file format is described at the head of
config/catalogue.toml. What no entry names is `Category.UNKNOWN`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import translate
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, NoReturn, Protocol, TypeVar

import config
from config.vocabulary import Action, Category
from filters.forms import Form, make_form
from filters.patterns import PATTERNS

PACKAGED = Path(config.__file__).with_name("catalogue.toml")
"""The catalogue that Sipveil comes with."""
MAX_CACHED = 1024
"""Names outside the catalogue that are remembered; a flood of invented names then starts over."""


class CatalogueError(Exception):
    """A mistake in a catalogue file, with file and entry."""


class Actions(Protocol):
    """What is done with each category: any mapping from Category, or a sequence in the order of Category."""

    def __getitem__(self, category: Category, /) -> Action:
        """Return the action for category; a missing one raises, when a filter is compiled."""


class HeaderEntry(NamedTuple):
    """What is known of a header, parameter, SDP line or attribute.

    category: None for a function, which discloses nothing as long as its value passes form.
    core: edited elsewhere, by code that knows the field. form: None unless the category is None.
    """

    category: Category | None
    core: bool
    form: Form | None


class BodyEntry(NamedTuple):
    """What is known of a media type: the categories that it discloses, or how its function passes.

    handling: empty, or the name of a function of filters/bodies.py, and then categories are empty.
    """

    categories: tuple[Category, ...]
    handling: str


UNKNOWN = HeaderEntry(Category.UNKNOWN, False, None)
UNKNOWN_BODY = BodyEntry((Category.UNKNOWN,), "")
HANDLINGS = frozenset(
    {"sdp", "sdpfrag", "multipart", "sipfrag", "dtmf-relay", "dtmf", "message-summary", "media-control"}
)
"""The words that `handling` of a body may have."""

E = TypeVar("E")


class Table(Generic[E]):
    """Entries by name: exact names first, then globs in order, then the default. Immutable but for its cache."""

    __slots__ = ("_cache", "_default", "_globs", "exact")

    def __init__(self, exact: Mapping[bytes, E], globs: Sequence[tuple[str, E]], default: E) -> None:
        """Keep exact names and (glob, entry) pairs, the first that fits first."""
        self.exact = MappingProxyType(dict(exact))
        self._globs = tuple((re.compile(translate(glob)).fullmatch, entry) for glob, entry in globs)
        self._default = default
        self._cache = dict(exact)

    def find(self, name: bytes) -> E:
        """Return the entry for name, which is written as in the catalogue (headers: canonical, lower case)."""
        entry = self._cache.get(name)
        return entry if entry is not None else self._search(name)

    def _search(self, name: bytes) -> E:
        text = name.decode("latin-1")
        entry = next((entry for fits, entry in self._globs if fits(text)), self._default)
        if len(self._cache) >= len(self.exact) + MAX_CACHED:
            # A new dict, so that another thread never sees one without the exact names.
            self._cache = dict(self.exact)
        self._cache[name] = entry
        return entry


class Catalogue:
    """All tables; immutable."""

    __slots__ = (
        "bodies", "compact", "contact_params", "entry", "headers", "patterns", "sdp_attributes", "sdp_lines",
        "uri_params",
    )  # fmt: skip

    entry: Callable[[bytes], HeaderEntry]
    """Canonical lower-case header name to its entry; `headers.find` under its common name."""

    def __init__(
        self, tables: Mapping[str, Table[HeaderEntry]], bodies: Table[BodyEntry], compact: Mapping[bytes, bytes],
        patterns: Mapping[str, Category],
    ) -> None:  # fmt: skip
        """Keep the tables of the sections, the compact forms of header names, and the patterns' categories."""
        self.headers = tables["headers"]
        self.contact_params = tables["contact-params"]
        self.uri_params = tables["uri-params"]
        self.sdp_lines = tables["sdp.lines"]
        self.sdp_attributes = tables["sdp.attributes"]
        self.bodies = bodies
        self.compact = MappingProxyType(dict(compact))
        self.patterns = MappingProxyType(dict(patterns))
        self.entry = self.headers.find


def load_catalogue(*paths: Path) -> Catalogue:
    """Read and merge catalogue files, a later one over an earlier; without paths, the packaged one.

    Raise CatalogueError for the first mistake: an unreadable file, an unknown key, category, form,
    list or grammar.
    """
    return _Loader(paths or (PACKAGED,)).catalogue()


HEADER_SECTIONS = ("headers", "contact-params", "uri-params", "sdp.lines", "sdp.attributes")
CASELESS = frozenset({"headers", "contact-params", "uri-params", "bodies"})
FUNCTION = "function"
_CATEGORIES = {category.name.lower(): category for category in Category}
_PLACEHOLDER = re.compile(r"\{([a-z][a-z-]*)\}")


class _Source(NamedTuple):
    """An entry as it was written, and where."""

    path: Path
    section: str
    name: str
    raw: Any

    def fail(self, problem: object) -> NoReturn:
        raise CatalogueError(f"{self.path}: [{self.section}] {self.name}: {problem}")


class _Loader:
    """The merged files, and the reading of entries that refer to lists and grammars."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.sections: dict[str, dict[str, _Source]] = {
            section: {} for section in (*HEADER_SECTIONS, "compact", "lists", "grammars", "bodies", "patterns")
        }
        for path in paths:
            self._merge(path, _read(path))

    def catalogue(self) -> Catalogue:
        tables = {section: self._table(section) for section in HEADER_SECTIONS}
        exact, globs = _divide({name: _body(source) for name, source in self.sections["bodies"].items()})
        return Catalogue(tables, Table(exact, globs, UNKNOWN_BODY), dict(self._compact()), dict(self._patterns()))

    def _merge(self, path: Path, data: dict[str, Any]) -> None:
        for section, name, raw in _entries(path, data):
            source = _Source(path, section, name, raw)
            if section not in self.sections:
                source.fail(f"there is no such section; write one of {', '.join(sorted(self.sections))}")
            key = name.lower() if section in CASELESS else name
            entries = self.sections[section]
            if section == "lists" and key in entries:
                source = source._replace(raw=[*_words(entries[key]), *_words(source)])
            # The latest file's entries first: its globs are tried before the others.
            entries.pop(key, None)
            self.sections[section] = {key: source, **entries} if "*" in key else {**entries, key: source}

    def _table(self, section: str) -> Table[HeaderEntry]:
        entries = {name: self._header(source) for name, source in self.sections[section].items()}
        return Table(*_divide(entries), UNKNOWN)

    def _header(self, source: _Source) -> HeaderEntry:
        raw = _fields(source)
        core, name = raw.pop("core", False), raw.pop("category", None)
        category = None if name == FUNCTION else _category(source, name)
        form = self._form(source, raw) if "form" in raw else None
        if raw and form is None:
            source.fail(f"{min(raw)!r} stands without a form")
        if (form is not None) > (category is None) or (category is None and form is None and core is not True):
            source.fail("a function, and only a function, has a form (or `core = true`)")
        return HeaderEntry(category, bool(core), form)

    def _form(self, source: _Source, raw: dict[str, Any]) -> Form:
        arguments = {key: self._resolve(source, key, value) for key, value in raw.items() if key != "form"}
        try:
            return make_form(str(raw["form"]), **arguments)
        except (TypeError, ValueError, re.error) as error:
            source.fail(error)

    def _resolve(self, source: _Source, key: str, value: Any) -> Any:  # noqa: ANN401 - as TOML has it
        if key == "params" and isinstance(value, dict):
            return {name: self._resolve(source, "param", spec) for name, spec in value.items()}
        if not isinstance(value, str) or key == "separator":
            return value
        if key in {"grammar", "param"} and value in self.sections["grammars"]:
            value = str(self.sections["grammars"][value].raw)
        elif value in self.sections["lists"]:
            return _words(self.sections["lists"][value])
        elif key not in {"grammar", "pattern"}:
            source.fail(f"{value!r} is neither in [lists] nor in [grammars]")
        return _PLACEHOLDER.sub(lambda found: self._alternatives(source, found[1]), value)

    def _alternatives(self, source: _Source, name: str) -> str:
        if name not in self.sections["lists"]:
            source.fail(f"{name!r} is not in [lists]")
        words = sorted(_words(self.sections["lists"][name]), key=len, reverse=True)
        return "|".join(map(re.escape, words))

    def _compact(self) -> Iterator[tuple[bytes, bytes]]:
        for name, source in self.sections["compact"].items():
            if not isinstance(source.raw, str) or len(name) != 1:
                source.fail("expected a letter and the name that it stands for")
            yield name.lower().encode(), source.raw.lower().encode()

    def _patterns(self) -> Iterator[tuple[str, Category]]:
        for name, source in self.sections["patterns"].items():
            if name not in PATTERNS:
                source.fail(f"there is no such pattern; write one of {', '.join(sorted(PATTERNS))}")
            yield name, _category(source, _fields(source).get("category"))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{path}: {error}") from error


def _entries(path: Path, data: dict[str, Any], within: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield (section, name, value) in order, globs last to first: the first of a file ends up at the head."""
    for section, entries in data.items():
        if not isinstance(entries, dict):
            raise CatalogueError(f"{path}: {within}{section}: expected a section")
        if section == "sdp" and not within:
            yield from _entries(path, entries, "sdp.")
            continue
        for name, value in (*entries.items(),)[::-1]:
            yield within + section, name, value


def _divide(entries: Mapping[str, E]) -> tuple[dict[bytes, E], list[tuple[str, E]]]:
    exact = {name.encode("latin-1"): entry for name, entry in entries.items() if "*" not in name}
    return exact, [(name, entry) for name, entry in entries.items() if "*" in name]


def _fields(source: _Source) -> dict[str, Any]:
    if not isinstance(source.raw, dict):
        source.fail('expected a table such as { category = "device" }')
    return {key: value for key, value in source.raw.items() if key != "source"}


def _words(source: _Source) -> list[str]:
    if not isinstance(source.raw, list) or not all(isinstance(word, str) for word in source.raw):
        source.fail("expected a list of words")
    return source.raw


def _category(source: _Source, name: object) -> Category:
    if not isinstance(name, str) or name not in _CATEGORIES:
        source.fail(f"{name!r} is not a category; write one of {', '.join((*_CATEGORIES, FUNCTION))}")
    return _CATEGORIES[name]


def _body(source: _Source) -> BodyEntry:
    raw = _fields(source)
    category, handling = raw.pop("category", None), raw.pop("handling", "")
    if raw:
        source.fail(f"unknown key {min(raw)!r}")
    if category == FUNCTION:
        if handling not in HANDLINGS:
            source.fail(f"handling must be one of {', '.join(sorted(HANDLINGS))}")
        return BodyEntry((), handling)
    names = category if isinstance(category, list) and category else [category]
    return BodyEntry(tuple(_category(source, name) for name in names), "")
