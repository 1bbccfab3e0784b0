"""Where the messages of an explanation come from: an address of a phone, the core or a trunk, as configured."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from config.address import HostPortValue, NetworkValue, is_ip
from config.settings import Route, Settings, Trunk
from config.vocabulary import Zone
from proxy.flow import Flow
from proxy.party import Party
from proxy.routing import Network

Address = tuple[str, int]

#: Ports that a made-up phone may have; several, for one of them may be a trunk's or our own on a test machine.
_PORTS = (5060, 5062, 5064, 40000)


class ExplainError(Exception):
    """What keeps a message from being explained; the text names no value of it."""


def with_ports(settings: Settings) -> Settings:
    """Return settings whose listeners have ports: what the system would choose is 5060 and up here."""
    listeners = tuple(
        listener if listener.port else listener.model_copy(update={"port": 5060 + number})
        for number, listener in enumerate(settings.listeners)
    )
    return settings.model_copy(update={"listeners": listeners})


def only_towards(settings: Settings, trunk: str) -> Settings:
    """Return settings that route everything to one trunk."""
    return settings.model_copy(update={"routes": (Route(to=(trunk,)), Route(to=(trunk,), emergency=True))})


def trunk_named(settings: Settings, name: str) -> Trunk:
    """Return a trunk by its name.

    Raises:
        ExplainError: there is none.
    """
    for trunk in settings.trunks:
        if trunk.name == name:
            return trunk
    known = ", ".join(one.name for one in settings.trunks)
    raise ExplainError(f"no trunk is called {name!r}; " + (f"write one of {known}" if known else "there is none"))


def near_flow(network: Network, zone: Zone, trunk: Trunk | None, wanted: Address | None) -> Flow:
    """Return the flow that messages of a side come in on.

    Args:
        network: the configured world.
        zone: which side.
        trunk: the trunk, where that is the side.
        wanted: where the message says to come from; taken if it lies on that side.

    Raises:
        ExplainError: nothing is configured that they could come from.
    """
    for address in ([wanted] if wanted else []) + list(_candidates(network.settings, zone, trunk)):
        party = _party_at(network, address)
        if party is not None and party.zone is zone and party.trunk is trunk and not party.edge:
            return Flow("UDP", network.local(party, address[0]), address)
    raise ExplainError(f"no address is configured that a message from {trunk.name if trunk else zone.value} comes from")


def address_of(network: Network, party: Party) -> str:
    """Return an IP address of a party that is configured by name, as a look-up would; "" where none can be told."""
    for address in _candidates(network.settings, party.zone, party.trunk):
        found = _party_at(network, address)
        if found is not None and found.trunk is party.trunk:
            return address[0]
    return ""


def _party_at(network: Network, address: Address) -> Party | None:
    if not is_ip(address[0]) or network.is_us(address[0].encode(), address[1]):
        return None
    return network.party_of(address)


def _candidates(settings: Settings, zone: Zone, trunk: Trunk | None) -> Iterator[Address]:
    if trunk is not None:
        yield from addresses((*trunk.hosts, *trunk.networks))
    elif zone is Zone.ACCESS and settings.access is not None:
        yield from addresses(settings.access.networks)
    elif zone is Zone.CORE and settings.core is not None:
        hop = settings.core.next_hop
        yield from addresses((*([hop] if hop else []), *settings.core.networks))


def addresses(items: Iterable[NetworkValue | HostPortValue]) -> Iterator[Address]:
    """Yield addresses, with ports, that lie in networks or are those of hops."""
    for item in items:
        if isinstance(item, HostPortValue):
            yield item.host, item.port
        elif item.port:
            yield str(item.network.network_address), item.port
        else:
            for offset in range(min(item.network.num_addresses, 32)):
                host = item.network.network_address + offset
                if offset or item.network.num_addresses == 1 or isinstance(host, ipaddress.IPv6Address):
                    yield from ((str(host), port) for port in _PORTS)
