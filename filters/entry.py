"""What the catalogue says of one field, and the table that finds it by the field's name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import translate
from types import MappingProxyType
from typing import Generic, NamedTuple, Protocol, TypeVar

from config.vocabulary import Action, Category
from filters.forms import Form
from filters.zones import Towards

MAX_CACHED = 1024
"""Names outside the catalogue that are remembered; a flood of invented names then starts over."""


class Actions(Protocol):
    """What is done with each category: any mapping from Category, or a sequence in the order of Category."""

    def __getitem__(self, category: Category, /) -> Action:
        """Return the action for category; a missing one raises, when a filter is compiled."""


class HeaderEntry(NamedTuple):
    """What is known of a header, parameter, SDP line or attribute.

    category: None for a function, which discloses nothing as long as its value passes form.
    core: edited elsewhere, by code that knows the field. form: None unless the category is None.
    zones: towards these it is removed, whatever is decided. fixed: and that is where it goes now.
    besides: of a function, the categories of what its form cuts out, where that is more than unknown.
    """

    category: Category | None
    core: bool
    form: Form | None
    zones: frozenset[Towards] = frozenset()
    fixed: bool = False
    besides: frozenset[Category] = frozenset()


class BodyEntry(NamedTuple):
    """What is known of a media type: the categories that it discloses, and how what may pass of it is cleaned.

    categories: it is removed where one of them is hidden; none for a function.
    handling: empty, or the name of a function of filters/bodies.py. zones, fixed: as of a header.
    """

    categories: tuple[Category, ...]
    handling: str
    zones: frozenset[Towards] = frozenset()
    fixed: bool = False


UNKNOWN = HeaderEntry(Category.UNKNOWN, False, None)
UNKNOWN_BODY = BodyEntry((Category.UNKNOWN,), "")

E = TypeVar("E")


class Table(Generic[E]):
    """Entries by name: exact names first, then globs in order, then the default. Immutable but for its cache."""

    __slots__ = ("_cache", "_default", "_globs", "_tests", "exact")

    def __init__(self, exact: Mapping[bytes, E], globs: Sequence[tuple[str, E]], default: E) -> None:
        """Keep exact names and (glob, entry) pairs, the first that fits first."""
        self.exact = MappingProxyType(dict(exact))
        self._globs = tuple(globs)
        self._tests = tuple((re.compile(translate(glob)).fullmatch, entry) for glob, entry in globs)
        self._default = default
        self._cache = dict(exact)

    @property
    def globs(self) -> Sequence[tuple[str, E]]:
        """The globs, the first that fits first."""
        return self._globs

    def find(self, name: bytes) -> E:
        """Return the entry for name, which is written as in the catalogue (headers: canonical, lower case)."""
        entry = self._cache.get(name)
        return entry if entry is not None else self._search(name)

    def _search(self, name: bytes) -> E:
        text = name.decode("latin-1")
        entry = next((entry for fits, entry in self._tests if fits(text)), self._default)
        if len(self._cache) >= len(self.exact) + MAX_CACHED:
            # A new dict, so that another thread never sees one without the exact names.
            self._cache = dict(self.exact)
        self._cache[name] = entry
        return entry


def header_towards(table: Table[HeaderEntry], zone: Towards) -> Table[HeaderEntry]:
    """Return the table as it holds towards a zone: entries that never go there are fixed."""
    exact = {name: entry._replace(fixed=zone in entry.zones) for name, entry in table.exact.items()}
    globs = [(name, entry._replace(fixed=zone in entry.zones)) for name, entry in table.globs]
    return Table(exact, globs, UNKNOWN)


def body_towards(table: Table[BodyEntry], zone: Towards) -> Table[BodyEntry]:
    """Return the same of bodies."""
    exact = {name: entry._replace(fixed=zone in entry.zones) for name, entry in table.exact.items()}
    globs = [(name, entry._replace(fixed=zone in entry.zones)) for name, entry in table.globs]
    return Table(exact, globs, UNKNOWN_BODY)
