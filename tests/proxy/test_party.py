"""Sides: who is one and the same, and who is believed."""

from __future__ import annotations

from config.vocabulary import Zone
from proxy.party import ACCESS, CORE, Party, is_phone
from tests.world import settings

TRUNK = settings().trunks[0]
EDGE = Party(Zone.ACCESS, edge=True)


def test_who_is_inside_the_trust_domain() -> None:
    """RFC 3325: the core, trusted trunks, and any trunk as the PSAP of an emergency call, but of no other."""
    friend = TRUNK.model_copy(update={"trusted": True})
    believed = [CORE, Party(Zone.TRUNK, friend), Party(Zone.PSAP, TRUNK)]
    doubted = [ACCESS, EDGE, Party(Zone.TRUNK, TRUNK)]
    assert all(party.trusted for party in believed)
    assert not any(party.trusted for party in doubted)


def test_one_side_of_one_configuration_is_one() -> None:
    """By what is configured of it, and not by the object: tables of parties outlive a look-up."""
    again = Party(Zone.TRUNK, TRUNK.model_copy())
    assert again == Party(Zone.TRUNK, TRUNK)
    assert hash(again) == hash(Party(Zone.TRUNK, TRUNK))
    others = [ACCESS, CORE, EDGE, Party(Zone.PSAP, TRUNK), Party(Zone.TRUNK, TRUNK.model_copy(update={"name": "b"}))]
    assert all(again != other for other in others)
    assert len({each.key for each in (again, *others)}) == len(others) + 1
    assert again != "trunk"


def test_an_edge_proxy_is_no_phone() -> None:
    """What it says of Routes is believed; nobody and other zones are none either."""
    assert is_phone(ACCESS)
    assert not any(is_phone(each) for each in (EDGE, CORE, Party(Zone.TRUNK, TRUNK), None))
