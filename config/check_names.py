"""Names in the configuration that must be unique, or must lead somewhere."""

from __future__ import annotations

from collections.abc import Iterator

from config.draft import EACH, Draft, tables, texts
from config.groups_section import expand_draft
from config.lines import Path
from config.problem import Mistake
from config.retired import trunk_id

RESERVED = ("access", "core", "any", "registered")
"""Words of the routing table that no trunk can have for a name."""


def name_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Yield every name that is taken twice or leads nowhere."""
    yield from _duplicates(draft, "listeners")
    yield from _duplicates(draft, "trunks")
    yield from _trunk_names(draft)
    yield from _colliding_ids(draft)
    yield from _missing_listeners(draft)
    yield from _routes_to_nowhere(draft)
    yield from _emergency_routes(draft)


def _duplicates(draft: Draft, section: str) -> Iterator[Mistake]:
    first: dict[str, Path] = {}
    for path, name in texts(draft, section, EACH, "name"):
        if name in first:
            yield Mistake(path, f'"{name}" is taken by', "give each its own name", first[name])
        first.setdefault(name, path)


def _trunk_names(draft: Draft) -> Iterator[Mistake]:
    for path, name in texts(draft, "trunks", EACH, "name"):
        if name in RESERVED:
            yield Mistake(path, f'"{name}" means something else in routes', "give the trunk another name")


def _colliding_ids(draft: Draft) -> Iterator[Mistake]:
    """Dialog records tell trunks apart by their ids only, so two names must never share one."""
    first: dict[int, tuple[Path, str]] = {}
    for path, name in texts(draft, "trunks", EACH, "name"):
        other, taken = first.setdefault(trunk_id(name), (path, name))
        if taken != name:
            yield Mistake(path, f'"{name}" has the same id in dialog records as', "give one another name", other)


def _missing_listeners(draft: Draft) -> Iterator[Mistake]:
    known = _names(draft, "listeners")
    sections = (("trunks", EACH), ("access",), ("core",))
    references = [(*section, *key) for key in (("listener",), ("believed_on", EACH)) for section in sections]
    for path, name in (found for pattern in references for found in texts(draft, *pattern)):
        if known is not None and name not in known:
            yield Mistake(path, f'there is no listener "{name}"', f"write {_choice(known)} or add it to [[listeners]]")


def _routes_to_nowhere(draft: Draft) -> Iterator[Mistake]:
    trunks = _names(draft, "trunks")
    if trunks is None:
        return
    known = [*trunks, *expand_draft(draft), *(zone for zone in ("core", "access") if zone in draft)]
    for path, name in texts(draft, "routes", EACH, "to", EACH):
        if name in known or name == "registered":  # whether anybody can be: config/check_registrar.py
            continue
        if name in ("core", "access"):
            yield Mistake(path, f"there is no section [{name}]", f"add [{name}] or write {_choice(known)}")
        else:
            yield Mistake(path, f'there is no trunk "{name}"', f"write {_choice(known)} or add it to [[trunks]]")


def _emergency_routes(draft: Draft) -> Iterator[Mistake]:
    """An emergency call keeps what it says only towards a hop in zone psap (design.md §2)."""
    others = {
        name: path
        for path, trunk in tables(draft, "trunks", EACH)
        for _, name in texts(trunk, "name")
        if not trunk.get("emergency")
    }
    groups = expand_draft(draft)
    for route, table in tables(draft, "routes", EACH):
        for path, called in texts(table, "to", EACH):
            for name in groups.get(called, [called]):
                if table.get("emergency") is True and name in others:
                    right = "write emergency = true in that trunk or route these calls elsewhere"
                    yield Mistake((*route, *path), f'"{name}" does not carry emergency calls, see', right, others[name])


def _names(draft: Draft, section: str) -> list[str] | None:
    """Return the names that a section declares; None if one of them is missing, for then nobody can tell."""
    names = [name for _, name in texts(draft, section, EACH, "name")]
    return names if len(names) == len(tables(draft, section, EACH)) else None


def _choice(names: list[str]) -> str:
    """Name the names there are."""
    return ", ".join(f'"{name}"' for name in dict.fromkeys(names)) or "nothing"
