"""Who decided what becomes of a category: the levels of design.md §2, and one category's way through them."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from config.vocabulary import Action, Category


class Level(StrEnum):
    """The precedence of design.md §2, highest first; `zone` is what holds towards phones and core."""

    EMERGENCY = "emergency"
    LAW = "law"
    FLOOR = "floor"
    CONTRACT = "contract"
    CALL = "call"
    SUBSCRIBER = "subscriber"
    DEFAULT = "default"
    ZONE = "zone"


class Ruling(NamedTuple):
    """What becomes of a category, and why."""

    category: Category
    action: Action
    level: Level
    rule: str
    """Where that stands: a place in the configuration, a subscriber's word, a header; never text of a message."""
    overrode: tuple[str, ...]
    """Rules that said something else, the last one first: `privacy.default.number: anonymise`."""


class Weighing:
    """One category on its way from the lowest level up."""

    __slots__ = ("_overrode", "action", "category", "level", "rule")

    def __init__(self, category: Category, level: Level, rule: str, action: Action) -> None:
        """Begin with the lowest rule that says anything."""
        self.category = category
        self.level = level
        self.rule = rule
        self.action = action
        self._overrode: list[str] = []

    def replace(self, level: Level, rule: str, action: Action) -> None:
        """Let a higher level decide, whatever was decided below."""
        if action is not self.action:
            self._overrode.insert(0, f"{self.rule}: {self.action.name.lower()}")
        self.level, self.rule, self.action = level, rule, action

    def least(self, level: Level, rule: str, action: Action) -> None:
        """Let a rule decide where it hides more than what was decided so far."""
        if action > self.action:
            self.replace(level, rule, action)

    def ruling(self) -> Ruling:
        """Return the outcome."""
        return Ruling(self.category, self.action, self.level, self.rule, tuple(self._overrode))
