"""Where a name is served (RFC 3263 §4): what the look-up of a next hop found, and in which order it is tried.

The order is drawn, with the weights of RFC 2782, but from a seed: a request that is repeated after a restart takes the
same target and gets the same branch (dialogs.md "Retransmission after restart").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

from proxy.memo import remembered

Address = tuple[str, int]
DEFAULT_PORT = 5060
"""Of SIP over UDP and TCP (RFC 3261 §19.1.2)."""
MAX_TARGETS = 8
"""Most addresses of one name that are ever tried: at 64*T1 each they are more than a caller's patience."""


class Place(NamedTuple):
    """One SRV record with its addresses (RFC 2782), or the addresses alone of a name that has none."""

    priority: int
    """The lowest is tried first."""
    weight: int
    """Share among those of one priority."""
    port: int
    """0 where the look-up found none: then the URI's, or the default one."""
    addresses: tuple[str, ...]


def plain(addresses: Sequence[str]) -> tuple[Place, ...]:
    """Return the places of a name whose addresses are simply listed, to be tried in that order."""
    return tuple([Place(number, 0, 0, (address,)) for number, address in enumerate(addresses)])


@remembered
def is_address(host: str) -> bool:
    """Tell an IP address from a name that must be looked up."""
    return ":" in host or host.replace(".", "").isdigit()


def order(places: Sequence[Place], port: int, seed: bytes, default: int = DEFAULT_PORT) -> list[Address]:
    """Return the addresses to try, each once.

    Args:
        places: in any order, which changes nothing: name servers shuffle.
        port: the hop's own, 0 for the default one; a place that names one has the last word.
        seed: as long as it is the same, so is the order.
        default: port of the transport.
    """
    numbers = draws(seed)
    found: dict[Address, None] = {}
    for priority in sorted({place.priority for place in places}):
        same = sorted([place for place in places if place.priority == priority])
        # Weight 0 first (RFC 2782 "Weight"), so that it is taken only when the draw is 0; many of it share.
        left = [place for *_, place in sorted([(place.weight > 0, next(numbers), place) for place in same])]
        while left:
            place = left.pop(_pick(left, next(numbers)))
            for address in _shuffled(place.addresses, numbers):
                found[address, place.port or port or default] = None
    return list(found)[:MAX_TARGETS]


def _pick(places: list[Place], draw: int) -> int:
    """Return which one is next: the first whose running sum of weights is at least a number drawn from 0 to the sum."""
    number = draw % (sum([place.weight for place in places]) + 1)
    for position, place in enumerate(places):
        number -= place.weight
        if number <= 0:
            return position
    raise AssertionError("the last running sum is the sum")


def _shuffled(addresses: Sequence[str], numbers: Iterator[int]) -> list[str]:
    """Return equal addresses in a drawn order, those of IPv4 first."""
    keyed = [(":" in address, next(numbers), address) for address in sorted(addresses)]
    return [address for _, _, address in sorted(keyed)]


def draws(seed: bytes) -> Iterator[int]:
    """Yield numbers of 32 bits that nobody foresees without the seed."""
    state = seed
    while True:
        state = sha256(state).digest()
        yield int.from_bytes(state[:4], "big")
