"""Addresses in the configuration that contradict each other.

A source belongs to one zone, found by its address: what two zones claim alike could be treated as
either, and a phone would be believed like a trunk. A more specific claim inside a wider one is no
contradiction; it wins.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import NamedTuple

from config.address import HostPortValue, IPAddress, NetworkValue, is_ip, parse_host_port, parse_network
from config.default_ports import DEFAULT_PORTS
from config.draft import EACH, Draft, find, parsed, tables, texts
from config.lines import Path
from config.problem import Mistake


def network_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Yield every address that is bound or claimed twice, cannot be answered or believes too many."""
    yield from _bound_twice(draft)
    yield from _wildcards(draft)
    yield from _named_without_networks(draft)
    yield from _claimed_twice(draft)
    yield from _edge_proxies(draft)


class _Socket(NamedTuple):
    """A listener's address, as far as it can be read."""

    path: Path
    address: IPAddress
    port: object
    table: Draft

    def is_datagram(self) -> bool:
        """Tell UDP from what runs over TCP: each has ports of its own."""
        return self.table.get("transport", "udp") == "udp"

    def overlaps(self, other: _Socket) -> bool:
        """Tell whether binding both would fail; port 0 is a new one each time."""
        if self.is_datagram() is not other.is_datagram():
            return False
        if self.port != other.port or self.port == 0 or self.address.version != other.address.version:
            return False
        return self.address == other.address or self.address.is_unspecified or other.address.is_unspecified


def _sockets(draft: Draft) -> list[_Socket]:
    return [
        _Socket(path, ipaddress.ip_address(address), table.get("port", _default_port(table)), table)
        for path, table in tables(draft, "listeners", EACH)
        for _, address in texts(table, "address")
        if is_ip(address)
    ]


def _default_port(table: Draft) -> int:
    transport = table.get("transport")
    return DEFAULT_PORTS.get(transport if isinstance(transport, str) else "udp", DEFAULT_PORTS["udp"])


def _bound_twice(draft: Draft) -> Iterator[Mistake]:
    sockets = _sockets(draft)
    for index, socket in enumerate(sockets):
        other = next((earlier for earlier in sockets[:index] if socket.overlaps(earlier)), None)
        if other:
            wrong = f"{socket.address} port {socket.port} is bound by"
            yield Mistake((*socket.path, "address"), wrong, "give each its own address or port", other.path)


def _wildcards(draft: Draft) -> Iterator[Mistake]:
    """A Contact that says 0.0.0.0 leads nowhere (and RFC 3264 would read it as a call on hold)."""
    right = 'write advertised = "host", the name or address that others reach it by'
    for socket in _sockets(draft):
        if socket.address.is_unspecified and "advertised" not in socket.table:
            yield Mistake((*socket.path, "advertised"), f"is missing for the wildcard address {socket.address}", right)
        for path, told in parsed(parse_host_port, socket.table, "advertised"):
            if told.is_ip and ipaddress.ip_address(told.host).is_unspecified:
                yield Mistake((*socket.path, *path), f"nobody can send to {told.host}", right)


class Claim(NamedTuple):
    """A network, or an address and port, that a zone says is its own."""

    zone: Path
    path: Path
    network: NetworkValue


def claims(draft: Draft) -> Iterator[Claim]:
    """Yield what each zone claims; each trunk is a zone of its own."""
    of_hops = ("trunks", EACH, "networks"), ("recorders", EACH, "networks")
    for pattern in ("access", "networks"), ("core", "networks"), *of_hops:
        for path, network in parsed(parse_network, draft, *pattern, EACH):
            yield Claim(path[:-2], path, network)
    for path, hop in parsed(parse_host_port, draft, "core", "next_hop"):
        yield from _hop_claim(path[:-1], path, hop)
    for section in "trunks", "recorders":
        for path, hop in parsed(parse_host_port, draft, section, EACH, "hosts", EACH):
            yield from _hop_claim(path[:-2], path, hop)


def _hop_claim(zone: Path, path: Path, hop: HostPortValue) -> Iterator[Claim]:
    """A next hop also sends: from its address and port, unless only a look-up could say which."""
    if hop.is_ip:
        yield Claim(zone, path, NetworkValue(ipaddress.ip_network(hop.host), hop.port))


def _named_without_networks(draft: Draft) -> Iterator[Mistake]:
    """Sources are told apart by address alone: what a name leads to is believed only inside networks written down."""
    for path, table in (*tables(draft, "trunks", EACH), *tables(draft, "recorders", EACH), *tables(draft, "core")):
        hops = [*parsed(parse_host_port, table, "hosts", EACH), *parsed(parse_host_port, table, "next_hop")]
        name = next((hop.host for _, hop in hops if not hop.is_ip), None)
        if name and not table.get("networks"):
            right = f"write the networks that {name} is in and sends from"
            yield Mistake((*path, "networks"), f"is missing, and {name} is a name", right)


def _claimed_twice(draft: Draft) -> Iterator[Mistake]:
    first: dict[NetworkValue, Claim] = {}
    for claim in claims(draft):
        other = first.setdefault(claim.network, claim)
        if other.zone != claim.zone:
            right = "let one zone have it, or tell them apart by port or by smaller networks"
            yield Mistake(claim.path, f"{claim.network} is claimed by", right, other.path)


def _edge_proxies(draft: Draft) -> Iterator[Mistake]:
    """What an edge proxy writes is believed, so it has to be one of the sources in access, not all of the world."""
    networks = [network for _, network in parsed(parse_network, draft, "access", "networks", EACH)]
    readable = len(networks) == len(list(find(draft, "access", "networks", EACH)))
    for path, proxy in parsed(parse_network, draft, "access", "edge_proxies", EACH):
        if proxy.network.prefixlen == 0:
            yield Mistake(path, f"{proxy} would believe every source", "write the addresses of your own proxies")
        elif readable and not any(is_inside(proxy, network) for network in networks):
            yield Mistake(path, f"{proxy} is in none of access.networks", "add it there, or take it out here")
    for path, _ in find(draft, "access", "edge_tls_name"):
        if not list(find(draft, "access", "edge_proxies", EACH)):
            yield Mistake(
                path, "is of use for edge proxies alone", "write their addresses in edge_proxies, or take it out"
            )


def is_inside(inner: NetworkValue, outer: NetworkValue) -> bool:
    """Tell whether every source in inner is in outer."""
    if outer.port not in (0, inner.port) or inner.network.version != outer.network.version:
        return False
    return inner.network.network_address in outer.network and inner.network.prefixlen >= outer.network.prefixlen
