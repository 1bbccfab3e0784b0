"""Zones as the catalogue tells them, and what holds towards each where nobody has said anything."""

from __future__ import annotations

import pytest

from config.vocabulary import Category, Zone
from filters.policy import Policy
from filters.zones import DEFAULTS, Towards, towards
from proxy.party import Party
from proxy.policy import action
from tests.world import SETTINGS, settings

WORLD = settings(trunks=[*SETTINGS["trunks"], {**SETTINGS["trunks"][0], "name": "friend", "trusted": True}])
TRUNKS = {trunk.name: trunk for trunk in WORLD.trunks}
PARTIES = {
    Towards.ACCESS: Party(Zone.ACCESS), Towards.CORE: Party(Zone.CORE),
    Towards.TRUSTED: Party(Zone.TRUNK, TRUNKS["friend"]), Towards.UNTRUSTED: Party(Zone.TRUNK, TRUNKS["carrier"]),
    Towards.PSAP: Party(Zone.PSAP, TRUNKS["psap"]),
}  # fmt: skip


@pytest.mark.parametrize("zone", Towards)
def test_zone_of_a_hop(zone: Towards) -> None:
    """An emergency trunk is one for emergency calls alone."""
    assert towards(PARTIES[zone]) is zone
    assert towards(Party(Zone.TRUNK, TRUNKS["psap"])) is Towards.UNTRUSTED


@pytest.mark.parametrize("zone", Towards)
def test_defaults_are_those_of_the_policy(zone: Towards) -> None:
    """The table that the reference shows and catalogues are held against is what really happens."""
    decision = Policy(WORLD).towards(PARTIES[zone])
    assert {category: action(decision, category) for category in Category} == DEFAULTS[zone]
