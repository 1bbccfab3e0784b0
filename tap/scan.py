"""Searching the captured messages of any SBC for values that should not be there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from filters.leaks import Finding, Search
from tap.capture import Captured
from tap.capture_packets import Address

MAX_FINDINGS = 10_000
"""Findings that are kept; further ones are counted."""


class Side(NamedTuple):
    """Addresses that messages come from or go to: a host or network, and a port or 0 for any."""

    network: IPv4Network | IPv6Network
    port: int = 0

    def __contains__(self, address: object) -> bool:
        """Tell whether an (address, port) belongs to this side."""
        if not isinstance(address, tuple):
            return False
        host, port = address
        return ip_address(host) in self.network and self.port in (0, port)


def side(text: str) -> Side:
    """Read `192.0.2.1`, `192.0.2.0/24`, `192.0.2.1:5060`, `2001:db8::/32` or `[2001:db8::1]:5060`.

    Raises:
        ValueError: it is none of them.
    """
    host, port = text, ""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    return Side(ip_network(host, strict=False), int(port) if port else 0)


class Found(NamedTuple):
    """A value in a message of the capture."""

    message: Captured
    finding: Finding


@dataclass
class Scan:
    """What a scan has met so far."""

    search: Search
    sources: tuple[Side, ...] = ()
    """Only messages from these; empty: from anywhere."""
    destinations: tuple[Side, ...] = ()
    """Only messages to these."""
    found: list[Found] = field(default_factory=list)
    more: int = 0
    """Findings beyond those that were kept."""
    searched: Counter[tuple[Address, Address]] = field(default_factory=Counter)
    """Source and destination → messages that were searched."""
    leaking: Counter[tuple[Address, Address]] = field(default_factory=Counter)
    """Of those, the ones in which something was found."""
    passed_over: int = 0
    """Messages that were not between the chosen sides."""

    def run(self, messages: Iterable[Captured], tell: Callable[[int], None]) -> None:
        """Search all messages; tell hears after each how many it were."""
        for number, message in enumerate(messages, 1):
            self._message(message)
            tell(number)

    def _message(self, message: Captured) -> None:
        if not (self._fits(self.sources, message.source) and self._fits(self.destinations, message.destination)):
            self.passed_over += 1
            return
        way = message.source, message.destination
        self.searched[way] += 1
        findings = self.search(message.data)
        self.leaking[way] += bool(findings)
        room = max(0, MAX_FINDINGS - len(self.found))
        self.found += [Found(message, finding) for finding in findings[:room]]
        self.more += max(0, len(findings) - room)

    @staticmethod
    def _fits(sides: tuple[Side, ...], address: Address) -> bool:
        return not sides or any(address in one for one in sides)
