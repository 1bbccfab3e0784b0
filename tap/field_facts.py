"""What the catalogue knows of a line of a message: its category, and the RFC that defines it."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any, NamedTuple

from config.vocabulary import Category
from filters.catalogue import PACKAGED, UNKNOWN, Catalogue, HeaderEntry


class Facts(NamedTuple):
    """Of one field."""

    categories: tuple[Category, ...]
    """What it discloses; empty for a function."""
    rfc: str
    """Where it is defined; empty where the catalogue does not name the field."""


def facts(field: str, catalogue: Catalogue) -> Facts:
    """Return what is known of a field; field: as `tap.compare` names it, `start`, `via`, `o=`, `a=candidate`."""
    if field == "start":
        return Facts((Category.NUMBER,), "RFC 3261 §8.1.1.1")
    if field == "from":
        return Facts((Category.NAME, Category.NUMBER), _source("headers", "from"))
    kind, equals, attribute = field.partition("=")
    if not equals:
        name = field.encode()
        name = catalogue.compact.get(name, name)
        return _facts("headers", [(name, catalogue.headers.find(name))])
    if kind == "a":
        name = attribute.encode()
        return _facts("sdp.attributes", [(name, catalogue.sdp_attributes.find(name))])
    names = (b"o-user", b"o-address") if kind == "o" else (kind.encode(),)
    return _facts("sdp.lines", [(name, catalogue.sdp_lines.find(name)) for name in names])


def _facts(section: str, entries: list[tuple[bytes, HeaderEntry]]) -> Facts:
    found = [entry.category for _, entry in entries if entry.category is not None]
    unknown = all(entry is UNKNOWN for _, entry in entries)
    return Facts(tuple(found), "" if unknown else _source(section, entries[0][0].decode("latin-1")))


def _source(section: str, name: str) -> str:
    """Return the `source` of an entry of the packaged catalogue."""
    table: Any = _packaged()
    for part in section.split("."):
        table = table[part]
    entry = table.get(name)
    return str(entry.get("source", "")) if isinstance(entry, dict) else ""


@cache
def _packaged() -> dict[str, Any]:
    return tomllib.loads(PACKAGED.read_text(encoding="utf-8"))
