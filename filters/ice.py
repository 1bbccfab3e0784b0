"""ICE candidates: one a component, the one that tells least of the own network (standards.md §3.1).

Connectivity needs a candidate; a list of all of them is a map of the caller's networks. What is written
anew holds no foundation, related address or extension of the phone's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from socket import AF_INET6, inet_pton

from filters.patterns import OCTET, private_address
from proxy.memo import remembered

Place = tuple[bytes, bytes]
"""Address and port."""

IP4 = rf"{OCTET}(?:\.{OCTET}){{3}}"
IPV4 = re.compile(IP4.encode())
# draft-ietf-mmusic-mdns-ice-candidates §3.1.1: a version 4 UUID, made anew for each session
MDNS = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.local")
# RFC 8839 §5.1: foundation SP component-id SP transport SP priority SP connection-address SP port SP cand-type
# [SP rel-addr] [SP rel-port] *(SP cand-extension); RFC 6544 §4.5: SP "tcptype" SP type
CANDIDATE = re.compile(
    rb"\S{1,64} ([12]) (udp|tcp) (\d{1,10}) (\S{2,64}) (\d{1,5}) typ (host|srflx|prflx|relay)"
    rb"(?: raddr (\S+) rport \d+)?(?: tcptype (active|passive|so))?(?: .*)?",
    re.IGNORECASE,
)
KINDS = {b"relay": 3, b"srflx": 2, b"prflx": 1, b"host": 0}
"""Candidate types, the one that tells least of the own network the highest."""
PRIVATE, PUBLIC = 1, 2
"""How far an address is of use."""


def chosen(lines: Sequence[bytes], default: Callable[[bytes], Place], *, fragment: bool) -> list[bytes]:
    """Return what is left of the candidates of one section: one a component, written anew.

    Args:
        lines: all that begin with `a=candidate`, of the session or of one medium.
        default: component to where its media goes without ICE, which RFC 8839 §4.2.5 wants among the candidates.
        fragment: no default stands beside the candidates (RFC 8840), so private hosts fall even where none remains.
    """
    places: dict[bytes, Place] = {}
    best: dict[bytes, tuple[int, Sequence[bytes]]] = {}
    for line in lines:
        found = CANDIDATE.fullmatch(line, 12) if line[11:12] == b":" else None
        if not found or not (reach := _reach(found[4])):
            continue
        parts = found.groups(b"")
        if fragment and reach == PRIVATE and parts[5].lower() == b"host":
            continue
        component = parts[0]
        place = places.get(component) or places.setdefault(component, default(component))
        rank = _rank(parts, place, reach)
        if component not in best or rank > best[component][0]:
            best[component] = rank, parts
    return [_written(parts) for _, parts in best.values()]


@remembered
def is_ip6(text: bytes) -> bool:
    """Tell whether text is an IPv6 address without brackets."""
    try:
        inet_pton(AF_INET6, text.decode())
    except (OSError, ValueError):
        return False
    return True


@remembered
def _reach(address: bytes) -> int:
    """Return PRIVATE or PUBLIC, 0 for what a candidate may not name; one question replaces two of two memories."""
    if IPV4.fullmatch(address) or MDNS.fullmatch(address) or (b":" in address and is_ip6(address)):
        return PRIVATE if private_address(address) else PUBLIC
    return 0


def _rank(parts: Sequence[bytes], place: Place, reach: int) -> int:
    """Return how much a candidate is to be preferred; of equal ones the first is taken.

    One number for what counts in this order: the default, UDP, the type, a public address.

    Args:
        parts: the groups of CANDIDATE.
        place: the default of its component.
        reach: of its address.
    """
    _, transport, _, address, port, kind, _, _ = parts
    default = address == place[0] and port == place[1]
    return 16 * default + 8 * (transport.lower() == b"udp") + 2 * KINDS[kind.lower()] + (reach == PUBLIC)


def _written(parts: Sequence[bytes]) -> bytes:
    """Return the line of a candidate, given the groups of CANDIDATE, without what would tell of the own network."""
    component, transport, priority, address, port, kind, related, tcptype = parts
    kind = kind.lower()
    # pjsip's foundation is the address in hexadecimal digits. One a type is what RFC 8445 §5.1.1.3 asks for.
    foundation = b"a=candidate:%d" % (KINDS[kind] + 1)
    line = b" ".join((foundation, component, transport, priority, address, port, b"typ", kind))
    if related:
        # RFC 8839 §5.1: hidden ones are 0.0.0.0 or :: and port 9
        line += b" raddr :: rport 9" if b":" in related else b" raddr 0.0.0.0 rport 9"
    return line + b" tcptype " + tcptype if tcptype else line
