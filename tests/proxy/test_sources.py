"""Who is who by listener and certificate, besides the address (tests/proxy/test_routing.py has that)."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.flow import Flow
from proxy.routing import Network
from tests.agents import PBX
from tests.world import PROXY, World, settings

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
    assert who(network, TCP, "203.0.113.5") == who(network, WEB, "203.0.113.99") == "core"


def test_who_must_show_a_certificate_and_does_not_is_nobody() -> None:
    """Not even a phone: else the trunk's address alone would be good for something."""
    network = sources(tls_names=["sip.carrier.example", "Backup.Carrier.Example."])
    assert who(network, TLS, "198.51.100.7") is None
    assert who(network, TLS, "198.51.100.7", "evil.example", "carrier.example") is None
    assert who(network, TLS, "198.51.100.7", "evil.example", "SIP.carrier.example") == "carrier"
    assert who(network, TLS, "198.51.100.7", "backup.carrier.example") == "carrier"
    assert who(network, TLS, "192.0.2.77", "sip.carrier.example") == "access"  # a certificate is no address


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
    assert sources(listener="main", hosts=["198.51.100.7:5060"]).by_address


def test_who_is_reached_over_tls_is_not_believed_without_it() -> None:
    """By UDP anybody writes its address: there it is whoever else's it may be, unless the operator says otherwise."""
    for network in (sources(), sources(tls_names=["gw.carrier.example"])):
        assert not network.by_address
        assert who(network, TLS, "198.51.100.7", "gw.carrier.example", port=5061) == "carrier"
        assert who(network, WEB, "198.51.100.7", "gw.carrier.example", port=5061) == "carrier"
        for over in (UDP, TCP, ("UDP", ("192.0.2.9", 1))):
            assert who(network, over, "198.51.100.7", port=5061) == "access"
    written = sources(believed_on=["tls", "main"])
    assert who(written, UDP, "198.51.100.7", port=5061) == "carrier"


def test_who_shows_a_certificate_and_is_reached_otherwise() -> None:
    """Answers come by the transport of its listener, and by TCP what is too large for a datagram."""
    network = sources(tls_names=["gw.carrier.example"], listener="main", hosts=["198.51.100.7:5060"])
    for over in (UDP, TCP):
        assert who(network, over, "198.51.100.7", port=5060) == "carrier"
    assert who(network, TLS, "198.51.100.7", port=5060) is None
    tcp = sources(tls_names=["gw.carrier.example"], listener="tcp", hosts=["198.51.100.7:5060"])
    assert who(tcp, UDP, "198.51.100.7", port=5060) == "access"


def test_a_core_behind_tls_is_not_believed_over_udp_either() -> None:
    """The core may have trunks called: who poses as it has a call put through that somebody else pays."""
    core = {"networks": ["203.0.113.5"], "listener": "tls", "next_hop": "203.0.113.5:5061", "tls_name": "pbx.example"}
    made = World(settings(listeners=LISTENERS, core=core))
    invite = PBX.invite(uri=b"sip:+19005550100@192.0.2.1")
    assert made.receive(*invite) == []
    assert made.count("dropped", "unknown-source") == 1
    made.flows[PBX.address] = Flow("TLS", TLS[1], PBX.address, 9)
    assert [data[:7] for _, data in made.receive(*invite)] == [b"SIP/2.0", b"INVITE "]


@pytest.mark.parametrize("over", [UDP, TCP, TLS, WEB])
def test_strangers_are_nobody_over_any_transport(over: tuple[str, tuple[str, int]]) -> None:
    """Whatever their certificates say."""
    network = Network(settings(listeners=LISTENERS))
    assert who(network, over, "203.0.113.66", "sip.example.net", "gw.carrier.example") is None
