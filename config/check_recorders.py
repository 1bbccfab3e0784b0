"""Recorders and recording clients: each has a name of its own, TLS on both sides, and keys for what it is to do."""

from __future__ import annotations

from collections.abc import Iterator

from config.address import NetworkValue, parse_host_port, parse_network
from config.check_networks import claims, is_inside
from config.draft import EACH, Draft, parsed, tables, texts
from config.lines import Path
from config.problem import Mistake

RFC_7865 = (
    "urn:ietf:params:xml:ns:recording:1", "urn:ietf:params:xml:ns:recording", "urn:ietf:params:xml:ns:siprec"
)  # fmt: skip
"""Namespaces of the metadata themselves, in which nothing can be added."""
_XML = "http://www.w3.org/"
_KINDS = ("structure", "texts", "addresses", "identifiers", "calls")


def recorder_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Yield every recorder or client that could not be served as it is meant."""
    yield from _names(draft)
    listeners = {name: table for _, table in tables(draft, "listeners", EACH) for _, name in texts(table, "name")}
    for path, recorder in tables(draft, "recorders", EACH):
        yield from _listener(path, recorder, listeners)
        yield from _expected(path, recorder)
        yield from _keys(path, recorder)
    for path, client in tables(draft, "recording_clients", EACH):
        yield from _listener(path, client, listeners)
        yield from _asks_clients(path, client, listeners)
        yield from _is_somewhere(path, client, draft)
    yield from _clients_apart(draft)
    yield from _groups(draft)
    yield from _extensions(draft)


def _names(draft: Draft) -> Iterator[Mistake]:
    """Records tell hops apart by name: recorders and trunks share theirs."""
    first: dict[str, Path] = {name: path for path, name in texts(draft, "trunks", EACH, "name")}
    first |= {name: path for path, name in texts(draft, "groups", EACH, "name")}
    clients: dict[str, Path] = {}
    for section, taken in (("recorders", first), ("recording_clients", clients)):
        for path, name in texts(draft, section, EACH, "name"):
            if name in taken:
                yield Mistake(path, f'"{name}" is taken by', "give each its own name", taken[name])
            taken.setdefault(name, path)


def _listener(path: Path, table: Draft, listeners: dict[str, Draft]) -> Iterator[Mistake]:
    for key, name in texts(table, "listener"):
        where = (*path, *key)
        if name not in listeners:
            yield Mistake(where, f'there is no listener "{name}"', "write the name of one with transport tls")
        elif listeners[name].get("transport") != "tls":
            right = "write one with transport tls: recording goes over nothing else"
            yield Mistake(where, f'"{name}" is no listener of TLS', right)


def _expected(path: Path, recorder: Draft) -> Iterator[Mistake]:
    """RFC 5922: over TLS somebody is expected by name."""
    hops = [hop for _, hop in parsed(parse_host_port, recorder, "hosts", EACH)]
    address = next((hop.host for hop in hops if hop.is_ip), None)
    if address and "tls_name" not in recorder:
        yield Mistake((*path, "tls_name"), f"is missing, and {address} has no name", "write that of its certificate")


def _keys(path: Path, recorder: Draft) -> Iterator[Mistake]:
    edge = recorder.get("role") == "recorder-edge"
    for key in ("certificate", *(("key",) if edge else ())):
        if key not in recorder:
            right = "write the PEM file that metadata are " + ("decrypted with" if edge else "encrypted to")
            yield Mistake((*path, key), "is missing", right)
    for key in () if edge else ("key", "former_keys"):
        if key in recorder:
            right = 'take it out, or write role = "recorder-edge"'
            yield Mistake((*path, key), "is of use for a recorder-edge alone", right)


def _asks_clients(path: Path, client: Draft, listeners: dict[str, Draft]) -> Iterator[Mistake]:
    """Mutual TLS (RFC 7866 §12.1): who is not asked for a certificate shows none."""
    for key, name in texts(client, "listener"):
        table = listeners.get(name)
        if table is not None and table.get("transport") == "tls" and "client_ca" not in table:
            right = "give the listener client_ca, or write one that has it"
            yield Mistake((*path, *key), f'"{name}" asks nobody for a certificate', right)


def _is_somewhere(path: Path, client: Draft, draft: Draft) -> Iterator[Mistake]:
    """A client is of the zone that its address is in, as whoever else is there; strangers get silence."""
    zones = [claim for claim in claims(draft) if claim.zone[:1] != ("recorders",)]
    for key, network in parsed(parse_network, client, "networks", EACH):
        if not any(is_inside(network, claim.network) for claim in zones):
            right = "add it to the networks of that of them where the client stands"
            yield Mistake((*path, *key), f"{network} is in none of access, core and the trunks", right)


def _clients_apart(draft: Draft) -> Iterator[Mistake]:
    """Of two clients that could be one, the first would be meant, and the other's group never reached."""
    seen: list[tuple[Path, object, set[str], list[NetworkValue]]] = []
    for path, client in tables(draft, "recording_clients", EACH):
        shown = {name.lower().removesuffix(".") for _, name in texts(client, "tls_names", EACH)}
        networks = [network for _, network in parsed(parse_network, client, "networks", EACH)]
        for other, listener, names, others in seen:
            if listener == client.get("listener") and names & shown and _overlap(networks, others):
                right = "tell them apart by tls_names, networks or listener"
                yield Mistake(path, "shows the same certificate at the same address as", right, other)
        seen.append((path, client.get("listener"), shown, networks))


def _overlap(networks: list[NetworkValue], others: list[NetworkValue]) -> bool:
    return any(is_inside(one, other) or is_inside(other, one) for one in networks for other in others)


def _groups(draft: Draft) -> Iterator[Mistake]:
    recorders = tables(draft, "recorders", EACH)
    known = {str(recorder.get("group", "recorders")) for _, recorder in recorders}
    for path, client in tables(draft, "recording_clients", EACH):
        named = texts(client, "to") if "to" in client else [(("to",), "recorders")]
        for key, group in named:
            if group not in known:
                right = "write the group of one of [[recorders]]"
                yield Mistake((*path, *key), f'no recorder is of the group "{group}"', right)
    if recorders and not tables(draft, "recording_clients", EACH):
        path = recorders[0][0]
        yield Mistake(path, "nobody may open a session with it", "add [[recording_clients]]")


def _extensions(draft: Draft) -> Iterator[Mistake]:
    """What an element tells has to be said once."""
    first: dict[tuple[str, str], Path] = {}
    for path, table in tables(draft, "recording", "metadata_extensions", EACH):
        space = table.get("namespace")
        if not isinstance(space, str):
            continue  # the schema says so
        if space in RFC_7865 or space.startswith(_XML):
            right = "write the namespace of the maker: extensions have one of their own (RFC 7865 §6.1.1)"
            yield Mistake((*path, "namespace"), f'nothing can be added to "{space}"', right)
        named = [found for kind in _KINDS for found in texts(table, kind, EACH)]
        if not named:
            yield Mistake(path, "names no element", f"write some under {', '.join(_KINDS[:-1])} or {_KINDS[-1]}")
        for key, name in named:
            where = (*path, *key)
            if (space, name) in first:
                right = "say once what it tells"
                yield Mistake(where, f'"{name}" of this namespace is named by', right, first[space, name])
            first.setdefault((space, name), where)
