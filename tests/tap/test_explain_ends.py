"""Addresses that made-up messages come from."""

from __future__ import annotations

import pytest

from config.vocabulary import Zone
from proxy.party import CORE as CORE_PARTY
from proxy.routing import Network
from tap.explain_ends import ExplainError, address_of, near_flow, only_towards, trunk_named, with_ports
from tests.world import CORE, PHONE, PROXY, TRUNK, settings


def test_a_message_comes_from_where_it_says() -> None:
    """If that is on the right side; else from the first address of that side."""
    network = Network(settings())
    assert near_flow(network, Zone.ACCESS, None, PHONE).peer == PHONE
    for other in (TRUNK, ("203.0.113.66", 5060), ("phone.example", 5060), ("10.9.9.9", 5060), None):
        flow = near_flow(network, Zone.ACCESS, None, other)
        assert (flow.peer, flow.local) == (("10.0.0.1", 5060), PROXY)
    assert near_flow(network, Zone.CORE, None, None).peer == CORE
    trunk = network.settings.trunks[0]
    assert near_flow(network, Zone.TRUNK, trunk, ("198.51.100.17", 5060)).peer == ("198.51.100.17", 5060)
    assert near_flow(network, Zone.TRUNK, trunk, PHONE).peer == TRUNK


def test_addresses_that_are_taken() -> None:
    """On one machine, phones are where neither we nor a trunk are."""
    local = settings(
        listeners=[{"name": "main", "address": "127.0.0.1", "port": 5060}],
        access={"networks": ["127.0.0.1/32"], "listener": "main"},
        trunks=[{"name": "carrier", "hosts": ["127.0.0.1:5062"], "listener": "main"}],
        core=None,
        routes=[],
    )
    assert near_flow(Network(local), Zone.ACCESS, None, None).peer == ("127.0.0.1", 5064)
    exact = settings(access={"networks": ["10.1.1.1:5070"], "listener": "main"})
    assert near_flow(Network(exact), Zone.ACCESS, None, None).peer == ("10.1.1.1", 5070)
    six = settings(access={"networks": ["2001:db8::/64"], "listener": "main"})
    assert near_flow(Network(six), Zone.ACCESS, None, None).peer == ("2001:db8::", 5060)


def test_nowhere() -> None:
    """A side without addresses is a mistake of use."""
    with pytest.raises(ExplainError, match="access"):
        near_flow(Network(settings(access=None, core=None, routes=[])), Zone.ACCESS, None, PHONE)


def test_address_of_a_party() -> None:
    """As a look-up of its name would give."""
    assert address_of(Network(settings()), CORE_PARTY) == CORE[0]


def test_settings_for_one_run() -> None:
    """Ports for what the system would choose, and one route for all."""
    listeners = [{"name": "main", "address": "192.0.2.1", "port": 0}]
    assert with_ports(settings(listeners=listeners)).listeners[0].port == 5060
    assert {route.to for route in only_towards(settings(), "second").routes} == {("second",)}
    assert trunk_named(settings(), "second").name == "second"
    with pytest.raises(ExplainError):
        trunk_named(settings(), "third")
