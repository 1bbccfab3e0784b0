"""Towards whom a message goes, as the catalogue tells it: a trunk is inside the trust domain, or it is not."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from config.privacy_section import ACCESS_DEFAULT, STRICT_DEFAULT, Privacy
from config.vocabulary import Action, Category, Zone
from proxy.party import Party


class Towards(StrEnum):
    """The zones of design.md §3, with RFC 3325's trust domain: what leaves it is a rule of its own there."""

    ACCESS = "access"
    CORE = "core"
    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    PSAP = "psap"


_OF_ZONE = {Zone.ACCESS: Towards.ACCESS, Zone.CORE: Towards.CORE, Zone.PSAP: Towards.PSAP}


def towards(hop: Party) -> Towards:
    """Return what the catalogue calls the zone of a hop."""
    if hop.zone is Zone.TRUNK:
        return Towards.TRUSTED if hop.trunk is not None and hop.trunk.trusted else Towards.UNTRUSTED
    return _OF_ZONE[hop.zone]


def _actions(privacy: Privacy) -> Mapping[Category, Action]:
    return {category: privacy.of(category) or Action.KEEP for category in Category}


DEFAULTS: Mapping[Towards, Mapping[Category, Action]] = {
    Towards.ACCESS: _actions(ACCESS_DEFAULT),
    Towards.CORE: _actions(Privacy()),
    Towards.TRUSTED: {**_actions(STRICT_DEFAULT), Category.NUMBER: Action.INDICATE, Category.UNKNOWN: Action.KEEP},
    Towards.UNTRUSTED: _actions(STRICT_DEFAULT),
    Towards.PSAP: _actions(Privacy()),
}
"""What is done with each category where neither operator nor subscriber nor caller has said anything."""
