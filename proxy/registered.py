"""From an address of record to its phones: the targets of a call for who is registered here (RFC 3261 §16.5).

One target is one phone: of several flows of an instance the youngest is tried, and the next when that one fails
(RFC 5626 §7). Phones with a lower `q` wait until those before them have failed. Nobody learns by calling who there is:
it is the same whether nobody has that address, nobody is registered there, or a GRUU is none of ours.
"""

from __future__ import annotations

from typing import NamedTuple

from proxy import gruu, implicit_registration
from proxy.bindings import Binding, Bindings
from proxy.flow import Flow
from proxy.generation import Generation
from proxy.hop import Hop, hop_over
from proxy.party import ACCESS
from proxy.registered_address import candidates
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
    """What it is registered under."""
    called: bytes
    """The address that was called: of its account, but not always the one that it is registered under."""
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
    ours = uri is not None and network.is_us(uri.host, uri.port)
    called = candidates(uri, request_uri, implicit_registration.domains_of(section), ours=ours)
    if uri is not None and gruu.is_gruu(uri):
        return _by_gruu(generation, table, uri, called)
    entitled = implicit_registration.Entitled(table, generation.accounts, network.settings)
    for aor in called:
        bindings = entitled.of(aor)
        if bindings:
            return _ranked(aor, {aor: bindings})
    for aor in called:
        others = entitled.of_accounts(aor)
        if others:
            return _ranked(aor, others)
    return []


def phone_hop(flow: Flow) -> Hop:
    """Return the hop to a phone: over the flow that it came in on, and nowhere else."""
    return hop_over(ACCESS, flow)


def _by_gruu(generation: Generation, table: Bindings, uri: SipUri, called: list[bytes]) -> list[Phone]:
    """Return the one instance that a GRUU belongs to (RFC 5627 §5.2).

    A public one is of the address in front of it: by another one's name it would come with the settings of that one.
    """
    opened = gruu.open_gruu(generation.tokens, uri)
    if opened is None or (not opened.call and opened.aor not in called):
        return []
    entitled = implicit_registration.Entitled(table, generation.accounts, generation.network.settings)
    bindings = [each for each in entitled.of(opened.aor) if gruu.means(generation.tokens, opened, each)]
    return _ranked(opened.aor, {opened.aor: tuple(bindings)})


def _ranked(called: bytes, registered: dict[bytes, tuple[Binding, ...]]) -> list[Phone]:
    """Return the phones of an address that was called by preference, each with its flows, the youngest first.

    Args:
        called: the address.
        registered: address of record → bindings, of the address itself or of others of its accounts.
    """
    flows: dict[tuple[bytes, bytes, bytes], list[Binding]] = {}
    for aor, bindings in registered.items():
        for binding in sorted(bindings, key=lambda each: -each.made):
            # Without Outbound each Contact is a phone of its own.
            key = (aor, binding.instance, b"") if binding.reg_id else (aor, b"", binding.uri)
            flows.setdefault(key, []).append(binding)
    qualities = sorted({_quality(each) for each in flows.values()}, reverse=True)
    found = []
    for (aor, _, _), of_one in flows.items():
        first, *others = map(_way, of_one)
        found.append(Phone(aor, called, qualities.index(_quality(of_one)), first, tuple(others)))
    return sorted(found, key=lambda phone: phone.rank)


def _quality(flows: list[Binding]) -> int:
    return max([each.q for each in flows])


def _way(binding: Binding) -> Way:
    return Way(phone_hop(binding.flow), target_of(binding.uri), binding.path)


def target_of(contact: bytes) -> bytes:
    """Return a Contact URI as Request-URI, without what may not stand there (§19.1.1 table 1)."""
    uri = parse_sip_uri(contact)
    return contact if uri is None else bytes(uri.replaced(headers=b"").without(b"method"))
