"""Rules of the policy that contradict each other, or can never apply; each is named with the other.

A rule is a key of a privacy table. It stands at a level, for some trunks, methods and one direction (design.md §2):

    privacy.floor · [[rules]] floor  >  trunks.privacy · [[rules]] contract  >  privacy.default · [[rules]] default
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from config.draft import EACH, Draft, tables, texts
from config.lines import Path
from config.problem import Mistake
from config.vocabulary import SENSIBLE_ACTIONS, Action, Category

_RANK = {"default": 0, "contract": 1, "floor": 2}


class _Rule(NamedTuple):
    """One key of a privacy table."""

    path: Path
    level: str
    direction: str
    trunks: frozenset[str]
    """Empty: all."""
    methods: frozenset[str]
    category: Category
    action: Action

    def covers(self, other: _Rule) -> bool:
        """Tell whether it holds wherever the other does."""
        return (
            (self.category, self.direction) == (other.category, other.direction)
            and (not self.trunks or (bool(other.trunks) and other.trunks <= self.trunks))
            and (not self.methods or (bool(other.methods) and other.methods <= self.methods))
        )

    @property
    def case(self) -> tuple[object, ...]:
        """Return what it is for."""
        return self.level, self.direction, self.trunks, self.methods, self.category


def policy_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Yield rules that contradict each other or can never apply, and trunks whose contract cannot be kept."""
    rules = list(_rules(draft))
    yield from _contradictions(rules)
    yield from _unreachable(rules)
    yield from _without_trust(draft)
    yield from _unknown_trunks(draft)


def _rules(draft: Draft) -> Iterator[_Rule]:
    for level in ("floor", "default"):
        for path, table in tables(draft, "privacy", level):
            yield from _keys(path, table, level, "out", frozenset(), frozenset())
    for path, trunk in tables(draft, "trunks", EACH):
        for _, name in texts(trunk, "name"):
            for inner, table in tables(trunk, "privacy"):
                yield from _keys((*path, *inner), table, "contract", "out", frozenset((name,)), frozenset())
    for path, rule in tables(draft, "rules", EACH):
        level, direction = str(rule.get("level")), str(rule.get("direction", "out"))
        trunks = frozenset(name for _, name in texts(rule, "trunks", EACH))
        methods = frozenset(name for _, name in texts(rule, "methods", EACH))
        for inner, table in tables(rule, "privacy"):
            if level in _RANK:
                yield from _keys((*path, *inner), table, level, direction, trunks, methods)


def _keys(
    path: Path, table: Draft, level: str, direction: str, trunks: frozenset[str], methods: frozenset[str]
) -> Iterator[_Rule]:
    for category in Category:
        name = category.name.lower()
        actions = {action.name.lower(): action for action in SENSIBLE_ACTIONS[category]}
        said = actions.get(str(table.get(name)))
        if said is not None:
            yield _Rule((*path, name), level, direction, trunks, methods, category, said)


def _contradictions(rules: list[_Rule]) -> Iterator[Mistake]:
    """Two rules for exactly the same case that say different things."""
    first: dict[tuple[object, ...], _Rule] = {}
    for rule in rules:
        other = first.setdefault(rule.case, rule)
        if other.action is not rule.action:
            said = f'says "{rule.action.name.lower()}" where "{other.action.name.lower()}" is said for the same case in'
            yield Mistake(rule.path, said, "say it once", other.path)


def _unreachable(rules: list[_Rule]) -> Iterator[Mistake]:
    """A rule that a stricter one overrules wherever it holds: at its own level, or on the floor above it."""
    for rule in rules:
        for other in rules:
            above = other.level == "floor" and _RANK[rule.level] < _RANK["floor"]
            beside = other.level == rule.level and other.case != rule.case
            if (above or beside) and other.covers(rule) and other.action > rule.action:
                said = f'"{rule.action.name.lower()}" can never apply: "{other.action.name.lower()}" is stricter in'
                yield Mistake(rule.path, said, "take one of them out", other.path)
                break


def _without_trust(draft: Draft) -> Iterator[Mistake]:
    for path, trunk in tables(draft, "trunks", EACH):
        if trunk.get("trusted") is True:
            continue
        if trunk.get("pstn") is True:
            wrong = "tells hidden numbers to a trunk without a trust contract"
            yield Mistake((*path, "pstn"), wrong, "write trusted = true if there is one, or take pstn out")
        for inner, table in tables(trunk, "privacy"):
            if table.get("number") == "indicate":
                wrong = "tells hidden numbers to a trunk without a trust contract"
                right = 'write trusted = true if there is one, or number = "anonymise"'
                yield Mistake((*path, *inner, "number"), wrong, right)


def _unknown_trunks(draft: Draft) -> Iterator[Mistake]:
    known = [name for _, name in texts(draft, "trunks", EACH, "name")]
    for path, name in texts(draft, "rules", EACH, "trunks", EACH):
        if name not in known:
            names = ", ".join(f'"{one}"' for one in known) or "nothing"
            yield Mistake(path, f'there is no trunk "{name}"', f"write {names} or add it to [[trunks]]")
