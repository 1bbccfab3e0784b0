"""Transports that cannot be reached as they are configured: over TLS somebody has to be expected by name (RFC 5922)."""

from __future__ import annotations

from collections.abc import Iterator

from config.address import parse_host_port
from config.draft import EACH, Draft, parsed, tables, texts
from config.problem import Mistake

_SECURE = ("tls", "wss")


def transport_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Yield every party that nobody could be sure to have reached."""
    secure = {
        name
        for _, listener in tables(draft, "listeners", EACH)
        for _, name in texts(listener, "name")
        if listener.get("transport") in _SECURE
    }
    for path, table in (*tables(draft, "trunks", EACH), *tables(draft, "core")):
        if table.get("listener") not in secure or "tls_name" in table:
            continue
        hops = [*parsed(parse_host_port, table, "hosts", EACH), *parsed(parse_host_port, table, "next_hop")]
        address = next((hop.host for _, hop in hops if hop.is_ip), None)
        if address and all(hop.is_ip for _, hop in hops):
            right = "write the name that its certificate shows"
            yield Mistake((*path, "tls_name"), f"is missing, and {address} is reached over TLS", right)
