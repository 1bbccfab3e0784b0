"""Addresses that contradict each other."""

from __future__ import annotations

import tomllib

import pytest

from config.check_networks import network_mistakes
from config.problem import key_text


def found(text: str) -> list[str]:
    return [
        f"{key_text(each.path)}: {each.wrong}" + (f" {key_text(each.also)}" if each.also else "")
        for each in network_mistakes(tomllib.loads(text))
    ]


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        ("address = '127.0.0.1', port = 5060", "address = '127.0.0.1'", True),
        ("address = '127.0.0.1'", "address = '127.0.0.1', port = 5061", False),
        ("address = '127.0.0.1', port = 0", "address = '127.0.0.1', port = 0", False),
        ("address = '0.0.0.0', advertised = 'a'", "address = '127.0.0.1'", True),
        ("address = '::', advertised = 'a'", "address = '127.0.0.1'", False),
        ("address = '2001:db8::1'", "address = '2001:DB8:0::1'", True),
        ("address = 'not an ip'", "address = 'not an ip'", False),
    ],
)
def test_listeners_bound_twice(first: str, second: str, clash: bool) -> None:
    mistakes = found(f"listeners = [{{ {first} }}, {{ {second} }}]")
    assert [m.startswith("listeners[1].address:") and m.endswith("is bound by listeners[0]") for m in mistakes] == (
        [True] if clash else []
    )


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_a_wildcard_address_needs_a_name_for_others(address: str) -> None:
    start = f"[[listeners]]\naddress = '{address}'\n"
    assert found(start) == [f"listeners[0].advertised: is missing for the wildcard address {address}"]
    assert found(f"{start}advertised = 'sip.example.net'") == []
    assert found(f"{start}advertised = '0.0.0.0'") == ["listeners[0].advertised: nobody can send to 0.0.0.0"]


CLAIMS = """
[access]
networks = ["10.0.0.0/8"]
[core]
networks = ["192.0.2.0/24"]
next_hop = "192.0.2.9:5060"
[[trunks]]
hosts = ["198.51.100.1", "name.example"]
networks = ["198.51.100.0/24"]
[[trunks]]
hosts = ["[2001:db8::1]", "name.example"]
networks = ["203.0.113.0/24"]
"""


def test_zones_apart_are_no_mistake_nor_are_names_or_a_smaller_claim_in_a_wider() -> None:
    assert found(CLAIMS) == []
    assert found(CLAIMS.replace("198.51.100.1", "10.0.0.1")) == []


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("192.0.2.0/24", "10.0.0.0/8", "core.networks[0]: 10.0.0.0/8 is claimed by access.networks[0]"),
        ("198.51.100.0/24", "10.0.0.0/8", "trunks[0].networks[0]: 10.0.0.0/8 is claimed by access.networks[0]"),
        ("198.51.100.1", "192.0.2.9", "trunks[0].hosts[0]: 192.0.2.9:5060 is claimed by core.next_hop"),
        ("[2001:db8::1]", "198.51.100.1", "trunks[1].hosts[0]: 198.51.100.1:5060 is claimed by trunks[0].hosts[0]"),
        ("10.0.0.0/8", "[2001:DB8::1]:5060", "trunks[1].hosts[0]: [2001:db8::1]:5060 is claimed by access.networks[0]"),
    ],
)
def test_one_source_in_two_zones(old: str, new: str, mistake: str) -> None:
    assert found(CLAIMS.replace(old, new)) == [mistake]


@pytest.mark.parametrize(
    ("section", "path"),
    [("[[trunks]]\nhosts = ['192.0.2.1', 'name.example']", "trunks[0]"), ("[core]\nnext_hop = 'name.example'", "core")],
)
def test_a_name_needs_the_networks_that_it_is_in(section: str, path: str) -> None:
    assert found(section) == [f"{path}.networks: is missing, and name.example is a name"]
    assert found(section + "\nnetworks = ['192.0.2.0/24']") == []


def test_a_zone_may_repeat_itself() -> None:
    assert found("[[trunks]]\nhosts = ['192.0.2.1', '192.0.2.1:5060']\nnetworks = ['192.0.2.1:5060']") == []


@pytest.mark.parametrize(
    ("networks", "proxy", "mistakes"),
    [
        ("'10.0.0.0/8'", "10.1.0.0/16", []),
        ("'10.0.0.0/8'", "10.1.1.1:5060", []),
        ("'10.1.1.1:5060'", "10.1.1.1:5060", []),
        ("'10.0.0.0/8'", "10.0.0.0/7", ["10.0.0.0/7 is in none of access.networks"]),
        ("'10.1.1.1:5060'", "10.1.1.1", ["10.1.1.1/32 is in none of access.networks"]),
        ("'10.0.0.0/8'", "0.0.0.0/0", ["0.0.0.0/0 would believe every source"]),
        ("'0.0.0.0/0'", "::/0", ["::/0 would believe every source"]),
        ("'10.0.0.0/8'", "192.0.2.1", ["192.0.2.1/32 is in none of access.networks"]),
        ("'10.0.0.0/8'", "2001:db8::1", ["2001:db8::1/128 is in none of access.networks"]),
        ("'10.0.0.0/8', 'unreadable'", "192.0.2.1", []),
    ],
)
def test_edge_proxies_are_among_the_phones_and_not_everybody(networks: str, proxy: str, mistakes: list[str]) -> None:
    text = f"[access]\nnetworks = [{networks}]\nedge_proxies = ['{proxy}']"
    assert found(text) == [f"access.edge_proxies[0]: {each}" for each in mistakes]


def test_a_name_for_edge_proxies_is_for_somebody() -> None:
    """Where there are none nobody would have to show it."""
    text = "[access]\nnetworks = ['10.0.0.0/8']\nedge_tls_name = 'edge.example.net'\n"
    assert found(text) == ["access.edge_tls_name: is of use for edge proxies alone"]
    assert found(text + "edge_proxies = ['10.1.1.23']") == []
