"""Names whose addresses are written down."""

from __future__ import annotations

import tomllib

import pytest

from config.check_hosts import host_mistakes
from config.problem import key_text

HOPS = """
[core]
next_hop = "pbx.example"
networks = ["203.0.113.0/24"]
[[trunks]]
hosts = ["SIP.carrier.example", "192.0.2.9"]
networks = ["192.0.2.0/24", "2001:db8::/32"]
"""


def found(hosts: str, hops: str = HOPS) -> list[str]:
    return [
        f"{key_text(each.path)}: {each.wrong}" + (f" {key_text(each.also)}" if each.also else "")
        for each in host_mistakes(tomllib.loads(hops + hosts))
    ]


def host(name: str, *addresses: str) -> str:
    return f"[[hosts]]\nname = '{name}'\naddresses = {list(addresses)}\n"


def test_what_is_right() -> None:
    """Upper case and a final dot are the same name; both families; a core and a trunk."""
    assert found(host("sip.carrier.example.", "192.0.2.7", "2001:db8::7") + host("pbx.example", "203.0.113.1")) == []


def test_a_name_is_written_down_once() -> None:
    assert found(host("pbx.example", "203.0.113.1") + host("PBX.example", "203.0.113.2")) == [
        'hosts[1].name: "PBX.example" has its addresses in hosts[0]'
    ]


@pytest.mark.parametrize("name", ["carrier.example", "gw.example"])
def test_a_name_is_somebodys(name: str) -> None:
    """Else a mistyped one would leave DNS in force."""
    assert found(host(name, "192.0.2.1")) == [f'hosts[0].name: no trunk has "{name}" in hosts, nor core as next_hop']


def test_addresses_are_within_the_networks() -> None:
    """What is outside counts as none when a call comes: better said now."""
    assert found(host("sip.carrier.example", "192.0.2.7", "203.0.113.9", "198.51.100.1")) == [
        "hosts[0].addresses[1]: 203.0.113.9 is in none of the networks of trunks[0]",
        "hosts[0].addresses[2]: 198.51.100.1 is in none of the networks of trunks[0]",
    ]


@pytest.mark.parametrize("hosts", ["[[hosts]]\nname = 7\n", "[[hosts]]\nname = 'pbx.example'\naddresses = ['x', 7]\n"])
def test_what_the_schema_refuses_is_passed_over(hosts: str) -> None:
    """It says so already."""
    assert found(hosts) == []
