"""From an address of record to its phones: the targets of a call for who is registered here (RFC 3261 §16.5).

One target is one phone: of several flows of an instance the youngest is tried, and the next when that one fails
(RFC 5626 §7). Phones with a lower `q` wait until those before them have failed. Nobody learns by calling who there is:
it is the same whether nobody has that address, nobody is registered there, or a GRUU is none of ours.
"""

from __future__ import annotations

from typing import NamedTuple

from proxy import gruu
from proxy.bindings import Binding, Bindings
from proxy.flow import Flow
from proxy.generation import Generation
from proxy.registered_address import candidates
from proxy.routing import ACCESS, Hop, hop_over
from proxy.uri import SipUri, parse_sip_uri


class Way(NamedTuple):
    """One flow of a phone."""

    hop: Hop
    target: bytes
    """Request-URI: what the phone is called there."""
    routes: tuple[bytes, ...]
    """Its Path, which the request has for Routes (RFC 3327 §5.4)."""


class Phone(NamedTuple):
    """One registered phone as a target."""

    aor: bytes
    rank: int
    """0 rings at once, 1 when those of 0 have failed, and so on."""
    way: Way
    spare: tuple[Way, ...] = ()
    """Its further flows, to be tried in this order when this one fails."""


def phones(generation: Generation, uri: SipUri | None, request_uri: bytes) -> list[Phone]:
    """Return the phones that a Request-URI means, the most preferred first; [] where there are none."""
    network, table = generation.network, generation.bindings
    section = network.settings.registrar
    if section is None or table is None:
        return []
    table.catch_up()
    if uri is not None and gruu.is_gruu(uri):
        return _by_gruu(generation, table, uri)
    domains = tuple([domain.lower().removesuffix(".").encode() for domain in section.domains])
    ours = uri is not None and network.is_us(uri.host, uri.port)
    for aor in candidates(uri, request_uri, domains, ours=ours):
        bindings = table.of(aor)
        if bindings:
            return _ranked(aor, bindings)
    return []


def phone_hop(flow: Flow) -> Hop:
    """Return the hop to a phone: over the flow that it came in on, and nowhere else."""
    return hop_over(ACCESS, flow)


def _by_gruu(generation: Generation, table: Bindings, uri: SipUri) -> list[Phone]:
    """Return the one instance that a GRUU belongs to (RFC 5627 §5.2)."""
    opened = gruu.open_gruu(generation.tokens, uri)
    if opened is None:
        return []
    bindings = [each for each in table.of(opened.aor) if gruu.means(generation.tokens, opened, each)]
    return _ranked(opened.aor, tuple(bindings))


def _ranked(aor: bytes, bindings: tuple[Binding, ...]) -> list[Phone]:
    """Return the phones of an address of record by preference, each with its flows, the youngest first."""
    flows: dict[tuple[bytes, bytes], list[Binding]] = {}
    for binding in sorted(bindings, key=lambda each: -each.made):
        # Without Outbound each Contact is a phone of its own.
        key = (binding.instance, b"") if binding.reg_id else (b"", binding.uri)
        flows.setdefault(key, []).append(binding)
    qualities = sorted({_quality(each) for each in flows.values()}, reverse=True)
    found = []
    for each in flows.values():
        first, *others = map(_way, each)
        found.append(Phone(aor, qualities.index(_quality(each)), first, tuple(others)))
    return sorted(found, key=lambda phone: phone.rank)


def _quality(flows: list[Binding]) -> int:
    return max([each.q for each in flows])


def _way(binding: Binding) -> Way:
    return Way(phone_hop(binding.flow), target_of(binding.uri), binding.path)


def target_of(contact: bytes) -> bytes:
    """Return a Contact URI as Request-URI, without what may not stand there (§19.1.1 table 1)."""
    uri = parse_sip_uri(contact)
    return contact if uri is None else bytes(uri._replace(headers=b"").without(b"method"))
