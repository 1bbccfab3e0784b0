"""ICE candidates: one a component, the one that tells least of the own network (standards.md §3.1).

Connectivity needs a candidate; a list of all of them is a map of the caller's networks. What is written
anew holds no foundation, related address or extension of the phone's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from socket import AF_INET6, inet_pton

from filters.patterns import OCTET, private_address
from proxy.grammar import COLON, CR, SPACE, TAB
from proxy.memo import remembered

Place = tuple[bytes, bytes]
"""Address and port."""

IP4 = rf"{OCTET}(?:\.{OCTET}){{3}}"
IPV4 = re.compile(IP4.encode())
# draft-ietf-mmusic-mdns-ice-candidates §3.1.1: a version 4 UUID, made anew for each session
MDNS = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.local")
KINDS = {b"relay": 3, b"srflx": 2, b"prflx": 1, b"host": 0}
"""Candidate types, the one that tells least of the own network the highest."""
# pjsip's foundation is the address in hexadecimal digits. One a type is what RFC 8445 §5.1.1.3 asks for.
FOUNDATIONS = {kind: b"a=candidate:%d" % (rank + 1) for kind, rank in KINDS.items()}
PRIVATE, PUBLIC = 1, 2
"""How far an address is of use."""
TCP_TYPES = (b"active", b"passive", b"so")
START = b"a=candidate:"
MAX_FOUNDATION, MAX_PRIORITY, MAX_ADDRESS, MAX_PORT = 64, 10, 64, 5
"""Longest parts of a candidate, in bytes."""


def chosen(lines: Sequence[bytes], default: Callable[[bytes], Place], *, fragment: bool) -> list[bytes]:
    """Return what is left of the candidates of one section: one a component, written anew.

    Args:
        lines: all that begin with `a=candidate`, of the session or of one medium.
        default: component to where its media goes without ICE, which RFC 8839 §4.2.5 wants among the candidates.
        fragment: no default stands beside the candidates (RFC 8840), so private hosts fall even where none remains.
    """
    places: dict[bytes, Place] = {}
    best: dict[bytes, list[bytes]] = {}
    ranks: dict[bytes, int] = {}
    for line in lines:
        words = line.split(b" ", 8)
        rank = _rank(words)
        if rank < 0 or not (reach := _reach(words[4])):
            continue
        if fragment and reach == PRIVATE and words[7].lower() == b"host":
            continue
        component = words[1]
        place = places.get(component)
        if place is None:
            place = places[component] = default(component)
        if words[4] == place[0] and words[5] == place[1]:
            rank += 16
        if reach == PUBLIC:
            rank += 1
        if rank > ranks.get(component, -1):  # of equal ones the first is taken
            ranks[component] = rank
            best[component] = words
    return [_written(words) for words in best.values()]


def _rank(words: list[bytes]) -> int:
    """Return how much a line is to be preferred, given its words, the ninth all that follows; -1 for no candidate.

    RFC 8839 §5.1: foundation SP component-id SP transport SP priority SP connection-address SP port SP "typ" SP
    cand-type [SP rel-addr] [SP rel-port] *(SP cand-extension). What is an address, `_reach` tells.

    One number for what counts in this order: the default (16), UDP (8), the type (2 to 6), a public address (1). The
    first and the last depend on more, and `chosen` adds them.
    """
    if len(words) < 8:
        return -1
    transport, kind = words[2].lower(), KINDS.get(words[7].lower(), -1)
    is_udp = transport == b"udp"
    if (
        kind < 0
        or not (is_udp or transport == b"tcp")
        or not (words[1] == b"1" or words[1] == b"2")
        or not words[0].startswith(START) or not 0 < len(words[0]) - len(START) <= MAX_FOUNDATION
        or not is_word(words[0])
        or len(words[3]) > MAX_PRIORITY or not words[3].isdigit()
        or len(words[4]) > MAX_ADDRESS
        or len(words[5]) > MAX_PORT or not words[5].isdigit()
        or words[6].lower() != b"typ"
    ):  # fmt: skip
        return -1
    return 2 * kind + (8 if is_udp else 0)


def is_word(text: bytes) -> bool:
    r"""Tell whether a text has no white space in it, as `\S` means it."""
    for place in range(len(text)):
        byte = text[place]
        if byte <= SPACE and (byte == SPACE or TAB <= byte <= CR):
            return False
    return True


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


def _written(words: list[bytes]) -> bytes:
    """Return the line of a candidate, given its words, without what would tell of the own network."""
    kind = words[7].lower()
    line = b" ".join((FOUNDATIONS[kind], words[1], words[2], words[3], words[4], words[5], b"typ", kind))
    if len(words) == 8:
        return line
    # [SP "raddr" SP address SP "rport" SP port] [SP "tcptype" SP type] (RFC 8839 §5.1, RFC 6544 §4.5)
    rest = words[8].split(b" ")
    if (
        len(rest) >= 4
        and rest[0].lower() == b"raddr" and rest[1] and is_word(rest[1])
        and rest[2].lower() == b"rport" and rest[3].isdigit()
    ):  # fmt: skip
        # RFC 8839 §5.1: hidden ones are 0.0.0.0 or :: and port 9
        line += b" raddr :: rport 9" if COLON in rest[1] else b" raddr 0.0.0.0 rport 9"
        rest = rest[4:]
    if len(rest) >= 2 and rest[0].lower() == b"tcptype" and rest[1].lower() in TCP_TYPES:
        line += b" tcptype " + rest[1]
    return line
