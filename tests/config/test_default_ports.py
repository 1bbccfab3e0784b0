"""Ports that follow from transports."""

from __future__ import annotations

import pytest

from config.default_ports import DEFAULT_PORTS, with_default_ports
from config.settings import Settings

HOSTS = ["198.51.100.7", "[2001:db8::7]", "198.51.100.8:9", "sip.x.example"]


@pytest.mark.parametrize(("transport", "port"), DEFAULT_PORTS.items())
def test_a_listener_and_what_is_reached_through_it(transport: str, port: int) -> None:
    """5061 for TLS, 80 and 443 for WebSockets; what is written stays, and names have no port."""
    settings = Settings.model_validate({
        "listeners": [
            {"name": "a", "address": "192.0.2.1", "transport": transport, "advertised": "sip.example"},
            {"name": "b", "address": "192.0.2.1", "transport": transport, "port": 7, "advertised": "[2001:db8::1]:8"},
            {"name": "c", "address": "192.0.2.1"},
        ],
        "core": {"networks": ["203.0.113.5"], "listener": "a", "next_hop": "203.0.113.5"},
        "trunks": [
            {"name": "x", "listener": "a", "hosts": HOSTS},
            {"name": "y", "listener": "c", "hosts": ["198.51.100.9"]},
        ],
    })  # fmt: skip
    first, second, third = settings.listeners
    assert (first.port, first.advertised) == (port, ("sip.example", port))
    assert (second.port, second.advertised, third.port) == (7, ("2001:db8::1", 8), 5060)
    assert settings.core is not None
    assert settings.core.next_hop == ("203.0.113.5", port)
    hosts = [("198.51.100.7", port), ("2001:db8::7", port), ("198.51.100.8", 9), ("sip.x.example", 0)]
    assert list(settings.trunks[0].hosts) == hosts
    assert settings.trunks[1].hosts == (("198.51.100.9", 5060),)


@pytest.mark.parametrize(
    "raw",
    [
        None, 7, {}, {"listeners": 7}, {"listeners": [7, {"transport": 7}, {"transport": "sctp", "name": 7}]},
        {"listeners": [{"transport": "tls", "name": "a", "advertised": 7}], "trunks": [{"listener": "a", "hosts": 7}]},
        {"listeners": [{"transport": "tls", "name": "a"}], "trunks": [7]},
        {"listeners": [{"transport": "tls", "name": "a"}], "core": 7, "trunks": {"listener": "a"}},
        {"listeners": [{"transport": "tls", "name": "a"}], "core": {"listener": "a", "next_hop": ["x", 7]}},
    ],
)  # fmt: skip
def test_what_is_wrong_is_left_to_the_schema(raw: object) -> None:
    """Nothing raises here."""
    with_default_ports(raw)
