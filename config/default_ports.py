"""Ports that a file leaves out, for transports that have another default than UDP and TCP (RFC 3261 §19.1.2).

A section is read without knowing which transport its listener has, so these are filled in before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from config.address import is_ip

DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 80, "wss": 443}
"""Of SIP (RFC 3261 §19.1.2) and of WebSocket (RFC 6455 §3)."""


def with_default_ports(raw: object) -> object:
    """Return settings, as they were read from a file, with the ports that follow from transports written out.

    What is not as it should be stays as it is: the schema tells.
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("listeners"), list | tuple):
        return raw
    listeners = _each(raw["listeners"], _listener)
    ports = {str(one.get("name")): _default(one) for one in listeners if isinstance(one, dict)}
    filled = {**raw, "listeners": listeners}
    for section in ("trunks", "recorders"):
        if isinstance(raw.get(section), list | tuple):
            filled[section] = _each(raw[section], lambda one: _hops(one, "hosts", ports))
    if "core" in raw:
        filled["core"] = _hops(raw["core"], "next_hop", ports)
    return filled


def _each(values: list[object] | tuple[object, ...], change: Callable[[object], object]) -> Sequence[object]:
    """Change each value; an array stays what it is."""
    changed = map(change, values)
    return tuple(changed) if isinstance(values, tuple) else list(changed)


def _default(listener: dict[str, object]) -> int | None:
    """Return the port that differs from what is read without it; None where it does not."""
    transport = listener.get("transport", "udp")
    port = DEFAULT_PORTS.get(transport) if isinstance(transport, str) else None
    return None if port == DEFAULT_PORTS["udp"] else port


def _listener(one: object) -> object:
    if not isinstance(one, dict):
        return one
    port = _default(one)
    if port is None:
        return one
    filled: dict[str, object] = {"port": port, **one}
    if "advertised" in filled:
        filled["advertised"] = _with_port(filled["advertised"], port)
    return filled


def _hops(section: object, key: str, ports: dict[str, int | None]) -> object:
    """Write the port beside addresses; a name without one is looked up (RFC 3263 §4.2)."""
    if not isinstance(section, dict) or key not in section:
        return section
    port = ports.get(str(section.get("listener")))
    if port is None:
        return section
    hops = section[key]
    if isinstance(hops, list | tuple):
        return {**section, key: _each(hops, lambda hop: _address_with_port(hop, port))}
    return {**section, key: _address_with_port(hops, port)}


def _address_with_port(hop: object, port: int) -> object:
    return _with_port(hop, port) if isinstance(hop, str) and is_ip(hop.strip("[]")) else hop


def _with_port(host: object, port: int) -> object:
    """Return host:port where host has none."""
    if not isinstance(host, str) or host.partition("]")[2].startswith(":") or (":" in host and "[" not in host):
        return host
    return f"{host}:{port}"
