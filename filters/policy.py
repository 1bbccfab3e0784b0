"""Decisions: one action for each category, by the precedence of design.md §2.

Highest first: emergency call, (law,) the operator's floor, the trunk's contract, the caller's wish for this
call, the subscriber's default. The floor is a least: what it hides is hidden, whatever stands below it.
"""

from __future__ import annotations

from config.settings import Privacy as Level
from config.settings import Settings, Trunk
from config.vocabulary import Action, Category, Zone
from filters.request import NOTHING, Asked, asked
from proxy.message import Message
from proxy.policy import KEEP_ALL, pack, stricter
from proxy.routing import Party

MAX_WISHES = 1024
"""Different Privacy headers whose decisions are remembered; further ones are worked out each time."""


class Policy:
    """The levels of one generation of settings."""

    def __init__(self, settings: Settings) -> None:
        """Read the levels that hold for every subscriber; trunks bring their own."""
        self._settings = settings
        self._floor = pack({category: _of(settings.privacy.floor, category) for category in Category})
        self._cache: dict[str, int] = {}
        self._asked: dict[tuple[str, tuple[bytes, ...]], int] = {}

    def decide(self, request: Message, source: Party, hop: Party) -> int:
        """Return the packed decision for what the sender of an initial request discloses to hop.

        Raises:
            Refused: when the caller asks for what cannot be done, and insists.
        """
        if hop.zone is Zone.PSAP:
            return KEEP_ALL
        asks = hop.zone is not Zone.CORE and b"privacy" in request.index
        decision = self._wished(request, hop) if asks else self.towards(hop)
        if source.zone is hop.zone is Zone.ACCESS:
            # The floor is about subscribers: it hides one phone's user from another, not a trunk's caller from both.
            decision = stricter(decision, self._floor)
        return decision

    def towards(self, hop: Party) -> int:
        """Return the packed decision for hop where nobody has asked for anything."""
        decision = self._cache.get(hop.key)
        if decision is None:
            decision = self._cache[hop.key] = self._pack(hop, NOTHING)
        return decision

    def _wished(self, request: Message, hop: Party) -> int:
        """Return the packed decision for a caller's wish; phones say the same few things over and over."""
        key = hop.key, tuple(request.values(b"privacy"))
        decision = self._asked.get(key)
        if decision is None:
            decision = self._pack(hop, asked(request))
            if len(self._asked) < MAX_WISHES:
                self._asked[key] = decision
        return decision

    def _pack(self, hop: Party, wish: Asked) -> int:
        if hop.zone is Zone.PSAP:
            return KEEP_ALL
        return pack({category: self._action(category, hop, wish) for category in Category})

    def _action(self, category: Category, hop: Party, wish: Asked) -> Action:
        if hop.trunk is not None:
            floor = _of(self._settings.privacy.floor, category)
            return max(floor, self._towards_trunk(category, hop.trunk, wish))
        section = self._settings.access if hop.zone is Zone.ACCESS else self._settings.core
        level = _of(section.privacy, category) if section else Action.REMOVE
        if hop.zone is Zone.ACCESS:
            level = max(level, wish.actions.get(category, Action.KEEP))
        return level

    def _towards_trunk(self, category: Category, trunk: Trunk, wish: Asked) -> Action:
        contract = trunk.privacy.of(category)
        if contract is not None:
            return contract
        if category is Category.UNKNOWN and trunk.trusted:
            return wish.actions.get(category, Action.KEEP)
        default = _of(self._settings.privacy.default, category)
        if wish.relaxed:
            # Only what RFC 3323 speaks of: a caller who shows the number does not thereby show the handset.
            return Action.KEEP if category in (Category.NAME, Category.NUMBER, Category.HISTORY) else default
        return max(default, wish.actions.get(category, Action.KEEP))


def _of(level: Level, category: Category) -> Action:
    return level.of(category) or Action.KEEP
