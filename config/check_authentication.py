"""What a configuration says of authentication must have accounts behind it, and phones before it."""

from __future__ import annotations

from collections.abc import Iterator

from config.address import parse_network
from config.draft import EACH, Draft, parsed
from config.problem import Mistake


def authentication_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Yield what would let nobody in, or everybody."""
    if "authentication" not in draft:
        return
    if "access" not in draft:
        yield Mistake(("authentication",), "there are no phones to be asked", "add [access], or take this section out")
    if "subscribers" not in draft:
        right = "add [subscribers]; accounts are kept in its store (`sipveil account`)"
        yield Mistake(("authentication",), "there is no store for accounts", right)
    for path, network in parsed(parse_network, draft, "authentication", "exempt", EACH):
        if network.network.prefixlen == 0:
            right = "write the addresses of your own proxies, or required = false"
            yield Mistake(path, f"{network} would ask nobody", right)
