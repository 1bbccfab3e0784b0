"""Names whose addresses are written down (`[[hosts]]`): each once, for a next hop, and within that hop's networks."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from config.address import is_ip, parse_host_port, parse_network
from config.draft import EACH, Draft, parsed, tables, texts
from config.lines import Path
from config.problem import Mistake


def host_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Yield every name that is written down twice or for nobody, and every address that would count as none."""
    first: dict[str, Path] = {}
    hops = _named_hops(draft)
    for path, table in tables(draft, "hosts", EACH):
        for key, text in texts(table, "name"):
            name = _plain(text)
            other = first.setdefault(name, path)
            if other != path:
                yield Mistake((*path, *key), f'"{text}" has its addresses in', "write all of them there", other)
            elif not is_ip(name) and name not in hops:
                right = "write it as it stands there, or take it out"
                yield Mistake((*path, *key), f'no trunk has "{text}" in hosts, nor core as next_hop', right)
            for where, section in hops.get(name, ()):
                yield from _outside(path, table, where, section)


def _named_hops(draft: Draft) -> dict[str, list[tuple[Path, Draft]]]:
    """Return the sections of trunks and core by the names of their hops."""
    found: dict[str, list[tuple[Path, Draft]]] = {}
    for path, table in (*tables(draft, "trunks", EACH), *tables(draft, "core")):
        hops = [*parsed(parse_host_port, table, "hosts", EACH), *parsed(parse_host_port, table, "next_hop")]
        for name in {_plain(hop.host) for _, hop in hops if not hop.is_ip}:
            found.setdefault(name, []).append((path, table))
    return found


def _outside(path: Path, host: Draft, where: Path, section: Draft) -> Iterator[Mistake]:
    """A trunk is known by its addresses alone, so what is outside its networks is not taken for it."""
    networks = [network for _, network in parsed(parse_network, section, "networks", EACH)]
    for key, text in texts(host, "addresses", EACH):
        if not networks or not is_ip(text):
            continue  # said already
        if not any(ipaddress.ip_address(text) in network.network for network in networks):
            right = "add it to the networks there, or write another address"
            yield Mistake((*path, *key), f"{text} is in none of the networks of", right, where)


def _plain(name: str) -> str:
    """Return a name as it is compared."""
    return name.lower().removesuffix(".")
