"""ICE candidates: one a component, the one that tells least of the own network (standards.md §3.1).

Connectivity needs a candidate; a list of all of them is a map of the caller's networks. What is written
anew holds no foundation, related address or extension of the phone's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from socket import AF_INET6, inet_pton
from typing import NamedTuple

from filters.patterns import OCTET, private_address
from proxy.memo import remembered

Places = Mapping[bytes, tuple[bytes, bytes]]
"""Component to address and port where its media goes without ICE."""


class _Candidate(NamedTuple):
    """The parts of an ICE candidate that choosing and writing need; related is empty or ` raddr … rport …`."""

    component: bytes
    transport: bytes
    priority: bytes
    address: bytes
    port: bytes
    kind: bytes
    related: bytes
    tcptype: bytes


IP4 = rf"{OCTET}(?:\.{OCTET}){{3}}"
IPV4 = re.compile(IP4.encode())
# draft-ietf-mmusic-mdns-ice-candidates §3.1.1: a version 4 UUID, made anew for each session
MDNS = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.local")
# RFC 8839 §5.1: foundation SP component-id SP transport SP priority SP connection-address SP port SP cand-type
# [SP rel-addr] [SP rel-port] *(SP cand-extension); RFC 6544 §4.5: SP "tcptype" SP type
CANDIDATE = re.compile(
    rb"\S{1,64} ([12]) (udp|tcp) (\d{1,10}) (\S{2,64}) (\d{1,5}) typ (host|srflx|prflx|relay)"
    rb"( raddr \S+ rport \d+)?(?: tcptype (active|passive|so))?(?: .*)?",
    re.IGNORECASE,
)
KINDS = {b"relay": 3, b"srflx": 2, b"prflx": 1, b"host": 0}
"""Candidate types, the one that tells least of the own network the highest."""


def with_chosen(section: list[bytes], places: Places, *, fragment: bool) -> list[bytes]:
    """Return the lines of a section with one candidate a component, in the place of the first of all.

    Args:
        section: the lines of the session or of one medium.
        places: the defaults, which RFC 8839 §4.2.5 wants among the candidates.
        fragment: no default stands beside the candidates (RFC 8840), so private hosts fall even where none remains.
    """
    values: list[bytes] = []
    others: list[bytes] = []
    first = -1
    for line in section:
        if not line.startswith(b"a=candidate"):
            others.append(line)
            continue
        if first < 0:
            first = len(others)
        if line[11:12] == b":":
            values.append(line[12:])
    if len(others) == len(section):
        return section
    chosen = _choose(filter(None, map(_read_candidate, values)), places, fragment)
    return [*others[:first], *map(_written, chosen), *others[first:]]


@remembered
def is_ip6(text: bytes) -> bool:
    """Tell whether text is an IPv6 address without brackets."""
    try:
        inet_pton(AF_INET6, text.decode())
    except (OSError, ValueError):
        return False
    return True


def _read_candidate(value: bytes) -> _Candidate | None:
    found = CANDIDATE.fullmatch(value)
    if not found or not _is_candidate_address(found[4]):
        return None
    component, transport, priority, address, port, kind, related, tcptype = found.groups(b"")
    return _Candidate(component, transport, priority, address, port, kind.lower(), related, tcptype)


@remembered
def _is_candidate_address(text: bytes) -> bool:
    return bool(IPV4.fullmatch(text) or MDNS.fullmatch(text) or (b":" in text and is_ip6(text)))


def _choose(candidates: Iterable[_Candidate], places: Places, fragment: bool) -> Iterable[_Candidate]:
    chosen: dict[bytes, tuple[tuple[bool, ...] | tuple[int, ...], _Candidate]] = {}
    for candidate in candidates:
        private = private_address(candidate.address)
        if fragment and private and candidate.kind == b"host":
            continue
        rank = (
            (candidate.address, candidate.port) == places.get(candidate.component),
            candidate.transport.lower() == b"udp",
            KINDS[candidate.kind],
            not private,
        )
        if candidate.component not in chosen or rank > chosen[candidate.component][0]:
            chosen[candidate.component] = rank, candidate
    return [candidate for _, candidate in chosen.values()]


def _written(candidate: _Candidate) -> bytes:
    """Return the candidate's line without what would tell of the own network."""
    # pjsip's foundation is the address in hexadecimal digits. One a type is what RFC 8445 §5.1.1.3 asks for.
    foundation = str(KINDS[candidate.kind] + 1).encode()
    line = b" ".join((b"a=candidate:" + foundation, *candidate[:5], b"typ", candidate.kind))
    if candidate.related:
        # RFC 8839 §5.1: hidden ones are 0.0.0.0 or :: and port 9
        line += b" raddr :: rport 9" if b":" in candidate.related else b" raddr 0.0.0.0 rport 9"
    return line + b" tcptype " + candidate.tcptype if candidate.tcptype else line
