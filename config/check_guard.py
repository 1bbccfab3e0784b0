"""What `[guard]` keeps out although the configuration counts on it."""

from __future__ import annotations

from collections.abc import Iterator

from config.address import NetworkValue, parse_network
from config.check_networks import claims
from config.draft import EACH, Draft, parsed
from config.problem import Mistake


def guard_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Yield every trunk, core or network of phones that `deny` or `allow` leaves nothing of."""
    denied = [network for _, network in parsed(parse_network, draft, "guard", "deny", EACH)]
    allowed = [network for _, network in parsed(parse_network, draft, "guard", "allow", EACH)]
    for claim in claims(draft):
        if any(_covers(network, claim.network) for network in denied):
            yield Mistake(claim.path, f"{claim.network} is denied by", "let one of them go", ("guard", "deny"))
        elif allowed and not any(_meets(network, claim.network) for network in allowed):
            yield Mistake(claim.path, f"{claim.network} is not among those of", "add it there", ("guard", "allow"))


def _covers(outer: NetworkValue, inner: NetworkValue) -> bool:
    """Tell whether every source in inner is in outer."""
    if outer.port not in (0, inner.port) or inner.network.version != outer.network.version:
        return False
    return inner.network.network_address in outer.network and inner.network.prefixlen >= outer.network.prefixlen


def _meets(one: NetworkValue, other: NetworkValue) -> bool:
    """Tell whether a source is in both."""
    if one.network.version != other.network.version or (one.port and other.port and one.port != other.port):
        return False
    return one.network.network_address in other.network or other.network.network_address in one.network
