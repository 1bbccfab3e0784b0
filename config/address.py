"""Addresses as an operator writes them: next hops, and the networks that sources are told apart by."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, PlainSerializer

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_PORT = 5060
DNS_PORT = 53
_HOST_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z._-]+))(?::([0-9]{1,5}))?")
_NOT_A_NETWORK = 'is not a network; write "192.0.2.0/24", "192.0.2.7", "192.0.2.7:5060" or "2001:db8::/32"'


class HostPortValue(NamedTuple):
    """A next hop: an IP address without brackets, or a name, and a port."""

    host: str
    port: int
    """0 for the name of a next hop that was written without one."""

    @property
    def is_ip(self) -> bool:
        """Whether the host is an IP address, so that no look-up is needed."""
        return is_ip(self.host)

    def __str__(self) -> str:
        """Return the form of RFC 3261 §25 `hostport`."""
        if not self.port:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class NetworkValue(NamedTuple):
    """Where datagrams come from: a network, and a port where only one counts (0: any)."""

    network: IPNetwork
    port: int

    def __str__(self) -> str:
        """Return the form that the configuration file takes."""
        if not self.port:
            return str(self.network)
        return str(HostPortValue(str(self.network.network_address), self.port))


def is_ip(host: str) -> bool:
    """Tell whether host is a literal IPv4 or IPv6 address, without brackets."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def parse_host_port(text: object) -> HostPortValue:
    """Read `host`, `host:port`, `[v6]` or `[v6]:port`; the port is 5060 where none is given.

    Raises:
        ValueError: with a sentence that says what would be right.
    """
    return _host_port(text, DEFAULT_PORT)


def _host_port(text: object, default: int) -> HostPortValue:
    if isinstance(text, HostPortValue):
        return text
    match = _HOST_PORT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError('is not a host; write "host", "host:port" or "[IPv6]:port"')
    host = match[1] or match[2]
    if (match[1] or re.fullmatch(r"[0-9.]+", host)) and not is_ip(host):
        raise ValueError('is not an IP address; write "192.0.2.7" or "[2001:db8::7]"')
    port = int(match[3]) if match[3] else default
    if not 0 < port < 65536:
        raise ValueError("has a port out of range; write 1 to 65535 after the colon")
    return HostPortValue(host, port)


def parse_next_hop(text: object) -> HostPortValue:
    """Read as `parse_host_port`; but a name without a port has none: NAPTR and SRV know it (RFC 3263 §4.2).

    Raises:
        ValueError: with a sentence that says what would be right.
    """
    hop = parse_host_port(text)
    return HostPortValue(hop.host, 0) if text == hop.host and not hop.is_ip else hop


def parse_name_server(text: object) -> HostPortValue:
    """Read the address of a DNS server; the port is 53 where none is given.

    Raises:
        ValueError: with a sentence that says what would be right.
    """
    server = _host_port(text, DNS_PORT)
    if not server.is_ip:
        raise ValueError('is not an IP address; write "192.0.2.53", "192.0.2.53:5353" or "[2001:db8::53]"')
    return server


def parse_network(text: object) -> NetworkValue:
    """Read a network in CIDR form, an address, or address:port.

    Raises:
        ValueError: with a sentence that says what would be right.
    """
    if isinstance(text, NetworkValue):
        return text
    if not isinstance(text, str):
        raise ValueError(_NOT_A_NETWORK)
    try:
        interface = ipaddress.ip_interface(text)
    except ValueError:
        return _one_socket(text)
    if interface.ip != interface.network.network_address:
        raise ValueError(f'is an address inside a network; write "{interface.network}" for the network')
    return NetworkValue(interface.network, 0)


def _one_socket(text: str) -> NetworkValue:
    """Read address:port, where only one socket of a host counts."""
    match = _HOST_PORT.fullmatch(text)
    if match is None or not match[3] or not is_ip(match[1] or match[2]):
        raise ValueError(_NOT_A_NETWORK)
    hop = parse_host_port(text)
    return NetworkValue(ipaddress.ip_network(hop.host), hop.port)


NameServer = Annotated[HostPortValue, BeforeValidator(parse_name_server), PlainSerializer(str)]
NextHop = Annotated[HostPortValue, BeforeValidator(parse_next_hop), PlainSerializer(str)]
HostPort = Annotated[HostPortValue, BeforeValidator(parse_host_port), PlainSerializer(str)]
Network = Annotated[NetworkValue, BeforeValidator(parse_network), PlainSerializer(str)]
