"""Who sent a message: by its address, by the listener that it came to, and by the certificate that TLS vouches for."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from config.address import HostPortValue, NetworkValue
from config.settings import Access, Core, Listener, Settings, Trunk
from proxy.door import Door
from proxy.location import Address, is_address
from proxy.transports import SECURE

if TYPE_CHECKING:
    from proxy.party import Party

Claim = tuple[Iterable[NetworkValue | HostPortValue], "Party"]
"""What a party says is its own."""


class Claims:
    """Whom each address belongs to: what is configured for zones and trunks, retired ones included."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        """Note whom each address belongs to; an address with a port is more specific than any network."""
        self._exact: dict[Address, Party] = {}
        self._hosts: dict[str, list[Party]] = {}
        """Of what is claimed with its port: the address alone, for a connection comes from any port."""
        self._networks: list[tuple[NetworkValue, Party]] = []
        for items, party in claims:
            for item in items:
                if isinstance(item, HostPortValue) or item.port:
                    host = item.host if isinstance(item, HostPortValue) else str(item.network.network_address)
                    self._exact[host, item.port] = party
                    self._hosts.setdefault(host, []).append(party)
                else:
                    self._networks.append((item, party))
        # Longest prefix first; among equals, an edge proxy before the phones around it.
        self._networks.sort(key=lambda claim: (-claim[0].network.prefixlen, not claim[1].edge))

    def party_of(self, address: Address) -> Party | None:
        """Return whom an IP address and port belong to; None for strangers."""
        exact = self._exact.get(address)
        if exact is not None:
            return exact
        return next(self._in_networks(address), None)

    def all_of(self, address: Address, is_own: Callable[[Party], bool] | None) -> Iterator[Party]:
        """Yield whom an address may belong to, the likeliest first.

        Args:
            address: where a message came from.
            is_own: of a connection, whose port says nothing: whether it came to the listener of that party. There the
                address of a hop is enough, as over UDP address and port are.
        """
        exact = self._exact.get(address)
        if exact is not None:
            yield exact
        if is_own is not None:
            yield from filter(is_own, self._hosts.get(address[0], ()))
        yield from self._in_networks(address)

    def _in_networks(self, address: Address) -> Iterator[Party]:
        ip = ipaddress.ip_address(address[0].partition("%")[0])
        return (party for item, party in self._networks if ip in item.network)


class Sources:
    """The sources of one generation of settings."""

    def __init__(self, settings: Settings, claims: Iterable[Claim]) -> None:
        """Read what is believed of whom, and where."""
        self._settings = settings
        self._claims = Claims(claims)
        self._door = Door(settings.guard.deny, settings.guard.allow)
        self._own = {(listener.address, listener.port) for listener in settings.listeners}
        self._listeners: Mapping[str, Listener] = {listener.name: listener for listener in settings.listeners}
        self.sockets = {(one.transport.upper(), (one.address, one.port)): one for one in settings.listeners}
        """Listeners by transport and socket, as flows have them."""

    def party_of(self, address: Address) -> Party | None:
        """Return whom an IP address and port belong to; None for strangers, for ourselves, and for who is denied.

        What comes from ourselves is known by what we sent, whatever network our address lies in.
        """
        return None if address in self._own or self._door.denies(address) else self._claims.party_of(address)

    def party_from(self, transport: str, local: Address, peer: Address, identity: tuple[str, ...]) -> Party | None:
        """Return who sent a message.

        Args:
            transport: of the flow.
            local: the listener's address and port.
            peer: where it came from; of a connection the port says nothing, unless it was us who made it.
            identity: what the flow has for it.
        """
        if peer in self._own or self._door.denies(peer):
            return None
        listener = self.sockets.get((transport, local))

        def is_own(party: Party) -> bool:
            section = section_of(self._settings, party)
            own = self._listeners[section.listener] if section is not None else None
            return own is not None and (own.address, own.port) == local

        for party in self._claims.all_of(peer, None if transport == "UDP" else is_own):
            section = section_of(self._settings, party)
            listeners = believed_on(section, self._settings.listeners) if section is not None else ()
            if listeners and (listener is None or listener.name not in listeners):
                continue  # here it may be somebody else's address
            if transport in SECURE and not self._shows_name(party, identity):
                return None  # else whoever sits at the address of a trunk would get what its certificate guards
            return party
        return None

    def _shows_name(self, party: Party, identity: tuple[str, ...]) -> bool:
        """Tell whether a certificate names a party, where one has to (RFC 5922 §7.1)."""
        section = section_of(self._settings, party)
        if section is None or isinstance(section, Access) or not section.tls_names:
            return True
        wanted = {*section.tls_names, *names_of(party, self._settings)}
        if section.tls_name:
            wanted.add(section.tls_name)
        return not {name.lower().removesuffix(".") for name in wanted}.isdisjoint(map(str.lower, identity))

    def identity(self, party: Party, host: str = "") -> tuple[str, ...]:
        """Return the name that a far certificate must show: the one that was looked up, never what a message says."""
        section = section_of(self._settings, party)
        if section is None:
            return ()
        if isinstance(section, Access):
            # Phones have no certificates: they are reached over the connections that they made.
            expected = section.edge_tls_name if party.edge else None
            return (expected.lower().removesuffix("."),) if expected else ()
        if not host or is_address(host):
            host = section.tls_name or next(iter(sorted(names_of(party, self._settings))), "")
        return (host.lower().removesuffix("."),) if host else ()


def believed_on(section: Trunk | Access | Core, listeners: Iterable[Listener]) -> tuple[str, ...]:
    """Return the listeners on which an address tells whose it is; () for all.

    Where nothing is written: who is reached over TLS, or has to show a certificate, is not believed without it, where
    anybody could write an address (RFC 3261 §26.2.1). The transports by which it is reached count in any case, for
    answers come by them; TCP beside UDP, for what is too large.
    """
    if section.believed_on or isinstance(section, Access):
        return section.believed_on
    own = next((each.transport.upper() for each in listeners if each.name == section.listener), "")
    if own not in SECURE and not section.tls_names:
        return ()
    spoken = SECURE if own in SECURE else SECURE | {own, "TCP"}
    return tuple(each.name for each in listeners if each.transport.upper() in spoken)


def section_of(settings: Settings, party: Party) -> Trunk | Access | Core | None:
    """Return what is configured of a party; None where nothing is."""
    return party.trunk or (settings.access if party.in_access else settings.core)


def names_of(party: Party, settings: Settings) -> set[str]:
    """Return the names, in lower case, that a trunk or the core is configured by."""
    core = settings.core if party.in_core else None
    hops = party.trunk.hosts if party.trunk else (core.next_hop,) if core and core.next_hop else ()
    return {hop.host.lower() for hop in hops if not hop.is_ip}
