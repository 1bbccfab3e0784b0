"""Hosts and networks as an operator writes them."""

from __future__ import annotations

import ipaddress

import pytest

from config.address import (
    HostPortValue,
    NetworkValue,
    is_ip,
    parse_host_port,
    parse_name_server,
    parse_network,
    parse_next_hop,
)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("sip.example.net", "sip.example.net", 5060),
        ("sip.example.net:5070", "sip.example.net", 5070),
        ("192.0.2.1", "192.0.2.1", 5060),
        ("192.0.2.1:65535", "192.0.2.1", 65535),
        ("[2001:db8::1]", "2001:db8::1", 5060),
        ("[2001:db8::1]:1", "2001:db8::1", 1),
    ],
)
def test_next_hops(text: str, host: str, port: int) -> None:
    assert parse_host_port(text) == HostPortValue(host, port)


@pytest.mark.parametrize(
    "text",
    ["", "a b", "2001:db8::1", "[2001:db8::g]", "[::1", "192.0.2.256", "192.0.2", "a:0", "a:65536", "a:", "a:٣", 5, {}],
)
def test_what_is_no_next_hop_is_told_what_would_be(text: object) -> None:
    with pytest.raises(ValueError, match="; write "):
        parse_host_port(text)


@pytest.mark.parametrize(
    ("text", "network", "port"),
    [
        ("192.0.2.0/24", "192.0.2.0/24", 0),
        ("192.0.2.7", "192.0.2.7/32", 0),
        ("192.0.2.7:5060", "192.0.2.7/32", 5060),
        ("2001:db8::/32", "2001:db8::/32", 0),
        ("2001:db8::7", "2001:db8::7/128", 0),
        ("[2001:db8::7]:5060", "2001:db8::7/128", 5060),
    ],
)
def test_networks(text: str, network: str, port: int) -> None:
    assert parse_network(text) == NetworkValue(ipaddress.ip_network(network), port)


@pytest.mark.parametrize("text", ["", "host.example", "host.example:5060", "192.0.2.0/33", "192.0.2.7:0", 7, []])
def test_what_is_no_network_is_told_what_would_be(text: object) -> None:
    with pytest.raises(ValueError, match="; write "):
        parse_network(text)


def test_host_bits_are_named_with_the_network_that_was_meant() -> None:
    with pytest.raises(ValueError, match=r"write \"10\.0\.0\.0/8\""):
        parse_network("10.1.2.3/8")


@pytest.mark.parametrize("text", ["192.0.2.1:5060", "[2001:db8::1]:5060", "a.example:1"])
def test_written_and_read_again_a_hop_is_the_same(text: str) -> None:
    assert str(parse_host_port(text)) == text
    assert parse_host_port(parse_host_port(text)) == parse_host_port(text)


@pytest.mark.parametrize("text", ["192.0.2.0/24", "192.0.2.1:5060", "[2001:db8::1]:5060"])
def test_written_and_read_again_a_network_is_the_same(text: str) -> None:
    assert str(parse_network(text)) == text
    assert parse_network(parse_network(text)) == parse_network(text)


def test_only_literal_addresses_are_ips() -> None:
    assert parse_host_port("[::1]").is_ip
    assert not parse_host_port("a.example").is_ip
    assert not is_ip("[::1]")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("sip.example", "sip.example", 0),
        ("sip.example:5060", "sip.example", 5060),
        ("192.0.2.7", "192.0.2.7", 5060),
        ("[2001:db8::7]", "2001:db8::7", 5060),
    ],
)
def test_only_the_name_of_a_next_hop_may_have_no_port(text: str, host: str, port: int) -> None:
    """RFC 3263 §4.2: a port, a numeric host or neither make three different look-ups; it is written as it was read."""
    hop = parse_next_hop(text)
    assert hop == HostPortValue(host, port)
    assert parse_next_hop(str(hop)) == hop
    assert parse_next_hop(hop) == hop


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.53", "192.0.2.53", 53),
        ("192.0.2.53:5060", "192.0.2.53", 5060),
        ("[2001:db8::53]", "2001:db8::53", 53),
        ("[2001:db8::53]:5353", "2001:db8::53", 5353),
    ],
)
def test_a_name_server_listens_on_53(text: str, host: str, port: int) -> None:
    server = parse_name_server(text)
    assert server == HostPortValue(host, port)
    assert parse_name_server(str(server)) == parse_name_server(server) == server


@pytest.mark.parametrize("text", ["ns.example", "ns.example:53", "192.0.2.999", 53, ""])
def test_a_name_server_is_an_address(text: object) -> None:
    """Whom would one ask for its name?"""
    with pytest.raises(ValueError, match="is not"):
        parse_name_server(text)
