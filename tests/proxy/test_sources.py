"""Who is who by listener and certificate, besides the address (tests/proxy/test_routing.py has that)."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.routing import Network
from tests.world import PROXY, settings

LISTENERS = [
    {"name": "main", "address": PROXY[0], "port": PROXY[1]},
    {"name": "tls", "address": PROXY[0], "port": 5061, "transport": "tls"},
    {"name": "tcp", "address": PROXY[0], "port": 5060, "transport": "tcp"},
    {"name": "web", "address": PROXY[0], "port": 443, "transport": "wss"},
]
TLS, TCP, WEB = ("TLS", (PROXY[0], 5061)), ("TCP", PROXY), ("WSS", (PROXY[0], 443))
UDP = ("UDP", PROXY)


def sources(**trunk: Any) -> Network:
    """Phones everywhere, a trunk over TLS, a core over TCP."""
    carrier = {
        "name": "carrier",
        "hosts": ["198.51.100.7"],
        "listener": "tls",
        "tls_name": "gw.carrier.example",
        **trunk,
    }
    core = {"networks": ["203.0.113.0/24"], "listener": "tcp", "next_hop": "203.0.113.5:5060"}
    access = {"networks": ["0.0.0.0/0"], "listener": "web"}
    return Network(settings(listeners=LISTENERS, trunks=[carrier], core=core, access=access, routes=[]))


def who(network: Network, over: tuple[str, tuple[str, int]], host: str, *names: str, port: int = 40001) -> str | None:
    party = network.party_from(over[0], over[1], (host, port), names)
    return party.label if party is not None else None


def test_a_connection_comes_from_any_port() -> None:
    """The address of a hop is enough on the listener of its party, and on no other: a phone may share the address."""
    network = sources()
    assert who(network, TLS, "198.51.100.7") == "carrier"
    assert who(network, TCP, "198.51.100.7") == "access"
    assert who(network, WEB, "198.51.100.7") == "access"
    assert who(network, UDP, "198.51.100.7") == "access"
    assert who(network, UDP, "198.51.100.7", port=5061) == "carrier"
    assert who(network, TCP, "203.0.113.5") == who(network, WEB, "203.0.113.99") == "core"


def test_who_must_show_a_certificate_and_does_not_is_nobody() -> None:
    """Not even a phone: else the trunk's address alone would be good for something."""
    network = sources(tls_names=["sip.carrier.example", "Backup.Carrier.Example."])
    assert who(network, TLS, "198.51.100.7") is None
    assert who(network, TLS, "198.51.100.7", "evil.example", "carrier.example") is None
    assert who(network, TLS, "198.51.100.7", "evil.example", "SIP.carrier.example") == "carrier"
    assert who(network, TLS, "198.51.100.7", "backup.carrier.example") == "carrier"
    assert who(network, TLS, "192.0.2.77", "sip.carrier.example") == "access"  # a certificate is no address
    assert who(network, UDP, "198.51.100.7", port=5061) == "carrier"  # as ever


def test_the_connection_that_we_made_shows_the_name_that_we_looked_up() -> None:
    """It was checked when it was made; what answers on it is the trunk."""
    network = sources(tls_names=["clients.carrier.example"])
    assert who(network, TLS, "198.51.100.7", "gw.carrier.example", port=5061) == "carrier"


def test_addresses_are_believed_where_it_is_written() -> None:
    """Elsewhere they may be somebody else's: the next claim counts."""
    network = sources(believed_on=["tls"])
    assert not network.by_address
    assert who(network, TLS, "198.51.100.7", port=5061) == "carrier"
    assert who(network, UDP, "198.51.100.7", port=5061) == "access"
    assert who(network, ("TCP", ("192.0.2.9", 1)), "198.51.100.7", port=5061) == "access"
    assert sources().by_address


@pytest.mark.parametrize("over", [UDP, TCP, TLS, WEB])
def test_strangers_are_nobody_over_any_transport(over: tuple[str, tuple[str, int]]) -> None:
    """Whatever their certificates say."""
    network = Network(settings(listeners=LISTENERS))
    assert who(network, over, "203.0.113.66", "sip.example.net", "gw.carrier.example") is None
