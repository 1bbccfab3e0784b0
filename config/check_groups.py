"""Groups of trunks: who is in them, and that no request could reach one trunk twice."""

from __future__ import annotations

from collections.abc import Iterator

from config.draft import EACH, Draft, tables, texts
from config.groups_section import expand_draft
from config.lines import Path
from config.problem import Mistake

_RESERVED = ("access", "core", "any", "registered")
"""Words of the routing table that no group can have for a name."""


def group_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Yield every group that cannot be told from something else, and every member that is nobody or there twice."""
    yield from _names(draft)
    yield from _members(draft)
    yield from _twice_in_a_route(draft)


def _names(draft: Draft) -> Iterator[Mistake]:
    first: dict[str, Path] = {name: path for path, name in texts(draft, "trunks", EACH, "name")}
    for path, name in texts(draft, "groups", EACH, "name"):
        if name in _RESERVED:
            yield Mistake(path, f'"{name}" means something else in routes', "give the group another name")
        elif name in first:
            yield Mistake(path, f'"{name}" is taken by', "give each its own name", first[name])
        first.setdefault(name, path)


def _members(draft: Draft) -> Iterator[Mistake]:
    trunks = {name for _, name in texts(draft, "trunks", EACH, "name")}
    for group, table in tables(draft, "groups", EACH):
        first: dict[str, Path] = {}
        for path, name in texts(table, "members", EACH, "trunk"):
            where = (*group, *path)
            if name not in trunks:
                right = "write the name of one of [[trunks]]; a group holds no groups"
                yield Mistake(where, f'there is no trunk "{name}"', right)
            elif name in first:
                yield Mistake(where, f'"{name}" is in the group already:', "take it out here", first[name])
            first.setdefault(name, where)


def _twice_in_a_route(draft: Draft) -> Iterator[Mistake]:
    """A fork goes to a target once (RFC 3261 §16.5), and no branch may fail over to where another one is."""
    groups = expand_draft(draft)
    for route, table in tables(draft, "routes", EACH):
        first: dict[str, Path] = {}
        for path, name in texts(table, "to", EACH):
            where = (*route, *path)
            for trunk in groups.get(name, [name] if name not in groups else []):
                if trunk in first and first[trunk] != where:
                    right = "name each trunk once, by itself or in one group"
                    yield Mistake(where, f'"{name}" leads to trunk "{trunk}", and so does', right, first[trunk])
                first.setdefault(trunk, where)
