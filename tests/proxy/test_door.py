"""Who is let in at all."""

from __future__ import annotations

import pytest

from config.address import parse_network
from proxy.door import Door
from tests.agents import ALICE, CARRIER, PBX
from tests.ladder import Ladder, Sent, Silence
from tests.world import World, settings


def door(deny: tuple[str, ...] = (), allow: tuple[str, ...] = ()) -> Door:
    return Door(map(parse_network, deny), map(parse_network, allow))


@pytest.mark.parametrize(
    ("deny", "allow", "address", "denied"),
    [
        ((), (), ("10.1.1.23", 5062), False),
        (("10.1.0.0/16",), (), ("10.1.1.23", 5062), True),
        (("10.1.0.0/16",), (), ("10.2.1.23", 5062), False),
        (("10.1.1.23:5062",), (), ("10.1.1.23", 5062), True),
        (("10.1.1.23:5062",), (), ("10.1.1.23", 5063), False),
        ((), ("10.1.0.0/16",), ("10.1.1.23", 5062), False),
        ((), ("10.1.0.0/16",), ("10.2.1.23", 5062), True),
        (("10.1.1.0/24",), ("10.1.0.0/16",), ("10.1.1.23", 5062), True),
        (("fe80::/10",), (), ("fe80::1%eth0", 5060), True),
        (("2001:db8::/32",), (), ("10.1.1.23", 5062), False),
    ],
)
def test_deny_is_stronger_than_allow(
    deny: tuple[str, ...], allow: tuple[str, ...], address: tuple[str, int], denied: bool
) -> None:
    assert door(deny, allow).denies(address) is denied


@pytest.mark.parametrize("uri", [b"sip:+15550100@192.0.2.1", b"urn:service:sos"])
def test_who_is_denied_gets_silence(uri: bytes) -> None:
    """Also for an emergency call: a network that an operator has denied has no way in, as a stranger's has none."""
    world = World(settings(guard={"deny": ["10.1.0.0/16"]}))
    assert Ladder(world) >> ALICE.invite(uri=uri) << Silence()
    assert world.count("dropped", "denied") == 1


def test_who_is_not_allowed_gets_silence() -> None:
    """In front of all zones: trunks and the core too."""
    world = World(settings(guard={"allow": ["10.0.0.0/8", "203.0.113.0/24", "198.51.100.0/24"]}))
    assert Ladder(world) >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    world.reload(guard={"allow": ["198.51.100.0/24"]})
    assert Ladder(world) >> PBX.invite(branch=b"z9hG4bKp") << Silence()
    assert Ladder(world) >> ALICE.invite(branch=b"z9hG4bKq") << Silence()
