"""The rules of the policy as a configuration has them, and which of them overrules which (design.md §2).

A rule is a key of a privacy table. It stands at a level, for some trunks, methods and one direction:

    out   privacy.floor · [[rules]] floor  >  trunks.privacy · [[rules]] contract  >  trusted  >  privacy.default · …
    in    access.privacy · [[rules]] contract · [[rules]] floor, of which the strictest holds

What filters/policy.py does with settings is told here of a draft, which may still be wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from config.draft import EACH, Draft, tables, texts
from config.lines import Path
from config.privacy_section import ACCESS_DEFAULT, STRICT_DEFAULT
from config.privacy_section import Privacy as Actions
from config.vocabulary import SENSIBLE_ACTIONS, Action, Category

_RANK = {"zone": 0, "default": 0, "trusted": 1, "contract": 2, "floor": 3}
NOBODY_YET = ""
"""Stands for a trunk that no rule names: one that is added later or, for what phones see, another phone."""
_OTHER = ""
"""Stands for a method that no rule names."""


class Rule(NamedTuple):
    """One key of a privacy table."""

    path: Path
    level: str
    direction: str
    trunks: frozenset[str]
    """Empty: all."""
    methods: frozenset[str]
    category: Category
    action: Action
    written: bool = True
    """Whether it stands in the file; else it is what holds where nothing is written."""

    def covers(self, other: Rule) -> bool:
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

    @property
    def is_extra(self) -> bool:
        """Whether it stands in [[rules]], and not in a table that holds for whatever is not said elsewhere."""
        return self.path[0] == "rules"

    def overrules(self, other: Rule) -> bool:
        """Tell whether the other cannot decide where both hold."""
        if self.direction == "in" or self.level == other.level:
            return self.action > other.action
        if _RANK[self.level] < _RANK[other.level]:
            return False
        # A floor is a least. A contract decides whatever the default says, and so does trust of what is unknown.
        return self.level != "floor" or self.action > other.action


class Rules:
    """All rules of a draft."""

    def __init__(self, draft: Draft) -> None:
        """Read those that are written, and what holds besides."""
        self.written = [*_written(draft)]
        self._trunks = [name for _, name in texts(draft, "trunks", EACH, "name")]
        methods: frozenset[str] = frozenset().union(*(rule.methods for rule in self.written))
        self._methods = [*sorted(methods), _OTHER]
        self._at: Mapping[tuple[str, Category, str], list[Rule]] = defaultdict(list)
        for rule in (*self.written, *_implied(draft, {rule.path for rule in self.written})):
            for trunk in rule.trunks or (NOBODY_YET,):
                self._at[rule.direction, rule.category, trunk].append(rule)

    def overruling(self, rule: Rule, *, today: bool = False) -> Sequence[Rule]:
        """Return the rules that together leave a rule nothing to decide; none where it decides something.

        today: whether it counts as nothing where it could decide only for trunks that are not there yet.
        """
        trunks = [name for name in self._trunks if name in rule.trunks] if rule.trunks else self._trunks
        everybody = not rule.trunks and not (today and trunks)
        found: dict[Rule, None] = {}
        for trunk in (*trunks, NOBODY_YET) if everybody else trunks:
            for method in sorted(rule.methods) or self._methods:
                other = self._overruling(rule, trunk, method)
                if other is None:
                    return ()
                found[other] = None
        return tuple(found)

    def decides_between_phones(self, rule: Rule) -> bool:
        """Tell whether a key of privacy.floor is what one phone sees another by: where it is stricter than the rest."""
        if rule.level != "floor" or rule.trunks:
            return False
        return any(self._hides_more(rule, method) for method in self._methods)

    def _hides_more(self, rule: Rule, method: str) -> bool:
        seen = self._at.get(("in", rule.category, NOBODY_YET), [])
        here = [other for other in seen if not other.methods or method in other.methods]
        return bool(here) and all(rule.action > other.action for other in here)

    def _overruling(self, rule: Rule, trunk: str, method: str) -> Rule | None:
        here = self._at.get((rule.direction, rule.category, trunk), [])
        everywhere = self._at.get((rule.direction, rule.category, NOBODY_YET), []) if trunk != NOBODY_YET else []
        for other in (*everywhere, *here):
            contradicts = other.written and other.case == rule.case  # which is told by itself
            if not contradicts and (not other.methods or method in other.methods) and other.overrules(rule):
                return other
        return None


def _written(draft: Draft) -> Iterator[Rule]:
    for level in ("floor", "default"):
        for path, table in tables(draft, "privacy", level):
            yield from _keys(path, table, level)
    for path, trunk in tables(draft, "trunks", EACH):
        for _, name in texts(trunk, "name"):
            for inner, table in tables(trunk, "privacy"):
                yield from _keys((*path, *inner), table, "contract", trunks=frozenset((name,)))
    for path, rule in tables(draft, "rules", EACH):
        level, direction = str(rule.get("level")), str(rule.get("direction", "out"))
        trunks = frozenset(name for _, name in texts(rule, "trunks", EACH))
        methods = frozenset(name for _, name in texts(rule, "methods", EACH))
        levels = ("floor", "contract") if direction == "in" else ("floor", "contract", "default")
        if level not in levels or direction not in ("in", "out"):
            continue  # which is a mistake by itself
        for inner, table in tables(rule, "privacy"):
            yield from _keys((*path, *inner), table, level, direction, trunks, methods)


def _keys(
    path: Path, table: Draft, level: str, direction: str = "out", trunks: frozenset[str] = frozenset(),
    methods: frozenset[str] = frozenset(),
) -> Iterator[Rule]:  # fmt: skip
    for category in Category:
        name = category.name.lower()
        actions = {action.name.lower(): action for action in SENSIBLE_ACTIONS[category]}
        said = actions.get(str(table.get(name)))
        if said is not None:
            yield Rule((*path, name), level, direction, trunks, methods, category, said)


def _implied(draft: Draft, written: set[Path]) -> Iterator[Rule]:
    """Yield what holds without being a rule: built-in defaults, what phones may not see, what trust says."""
    yield from _built_in(("privacy", "default"), STRICT_DEFAULT, "default", "out", written)
    if tables(draft, "access"):
        seen = [rule for path, table in tables(draft, "access", "privacy") for rule in _keys(path, table, "zone", "in")]
        yield from seen
        yield from _built_in(("access", "privacy"), ACCESS_DEFAULT, "zone", "in", {rule.path for rule in seen})
    for path, trunk in tables(draft, "trunks", EACH):
        if trunk.get("trusted") is True:
            names = frozenset(name for _, name in texts(trunk, "name"))
            yield Rule((*path, "trusted"), "trusted", "out", names, frozenset(), Category.UNKNOWN, Action.KEEP)


def _built_in(path: Path, actions: Actions, level: str, direction: str, said: set[Path]) -> Iterator[Rule]:
    for category in Category:
        own, action = (*path, category.name.lower()), actions.of(category)
        if action is not None and own not in said:
            yield Rule(own, level, direction, frozenset(), frozenset(), category, action, written=False)
