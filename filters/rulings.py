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


class Overruled(NamedTuple):
    """A rule that spoke and does not hold."""

    level: Level
    rule: str
    action: Action
    """What it would have done."""

    def __str__(self) -> str:
        """Return `privacy.default.number: anonymise`."""
        return f"{self.rule}: {self.action.name.lower()}"


class Ruling(NamedTuple):
    """What becomes of a category, and why."""

    category: Category
    action: Action
    level: Level
    rule: str
    """Where that stands: a place in the configuration, a subscriber's word, a header; never text of a message."""
    overrode: tuple[Overruled, ...]
    """Rules that wanted something else, the highest first."""


class _Voice(NamedTuple):
    """A rule that spoke."""

    level: Level
    rule: str
    action: Action
    is_least: bool
    """Whether it is content with whatever hides more."""

    def is_overruled(self, outcome: Action) -> bool:
        return self.action > outcome if self.is_least else self.action is not outcome


class Weighing:
    """One category on its way from the lowest level up."""

    __slots__ = ("_voices", "action", "category", "level", "rule")

    def __init__(self, category: Category, level: Level, rule: str, action: Action) -> None:
        """Begin with the lowest rule that says anything."""
        self.category = category
        self._voices: list[_Voice] = []
        self.replace(level, rule, action)

    def replace(self, level: Level, rule: str, action: Action) -> None:
        """Let a higher level decide, whatever was decided below."""
        self._voices.append(_Voice(level, rule, action, is_least=False))
        self.level, self.rule, self.action = level, rule, action

    def least(self, level: Level, rule: str, action: Action) -> None:
        """Let a rule decide where it hides more than what was decided so far."""
        self._voices.append(_Voice(level, rule, action, is_least=True))
        if action > self.action:
            self.level, self.rule, self.action = level, rule, action

    def ruling(self) -> Ruling:
        """Return the outcome."""
        overrode = [
            Overruled(voice.level, voice.rule, voice.action)
            for voice in reversed(self._voices)
            if voice.is_overruled(self.action)
        ]
        return Ruling(self.category, self.action, self.level, self.rule, tuple(overrode))
