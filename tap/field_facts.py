"""What the catalogue knows of a line of a message: its category, and the RFC that defines it."""

from __future__ import annotations

from typing import NamedTuple

from config.vocabulary import Category
from filters.catalogue import UNKNOWN, Catalogue, HeaderEntry


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
        return Facts((Category.NAME, Category.NUMBER), catalogue.source("headers", b"from"))
    kind, equals, attribute = field.partition("=")
    if not equals:
        name = field.encode()
        name = catalogue.compact.get(name, name)
        return _facts(catalogue, "headers", [(name, catalogue.headers.find(name))])
    if kind == "a":
        name = attribute.encode()
        return _facts(catalogue, "sdp.attributes", [(name, catalogue.sdp_attributes.find(name))])
    names = (b"o-user", b"o-address") if kind == "o" else (kind.encode(),)
    return _facts(catalogue, "sdp.lines", [(name, catalogue.sdp_lines.find(name)) for name in names])


def _facts(catalogue: Catalogue, section: str, entries: list[tuple[bytes, HeaderEntry]]) -> Facts:
    found = [entry.category for _, entry in entries if entry.category is not None]
    unknown = all(entry is UNKNOWN for _, entry in entries)
    return Facts(tuple(found), "" if unknown else catalogue.source(section, entries[0][0]))
