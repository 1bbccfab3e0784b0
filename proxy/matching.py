"""Which transaction a message belongs to (RFC 3261 §17.1.3 and §17.2.3), our own branches, and owners."""

from __future__ import annotations

import re
from typing import Final

from proxy.letters import to_base64
from proxy.memo import remembered
from proxy.message import Message
from proxy.tokens import Tokens
from proxy.validation import MAGIC_COOKIE

ServerKey = bytes
"""What a server transaction is found under. Replaces a tuple, which takes twice the room and the collector's time."""
WORKER_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
"""One letter of our branch names the worker; so there are at most 64."""
HASH_MODULUS: Final = 16_777_213
"""The largest prime below 2^24: a remainder and one more byte are 32 bits, as wide as the kernel's accumulator."""
HASH_FACTOR: Final = 0x9E3779B1
HASH_SHIFT: Final = 16
"""Multiplicative hashing (Knuth, The Art of Computer Programming, 6.4): the upper half of a product modulo 2^32.
It spreads what comes in arithmetic progressions, as the remainders of counters do."""
_STARTS = tuple(b"%b%c" % (MAGIC_COOKIE, letter) for letter in WORKER_LETTERS)
_COOKIE = MAGIC_COOKIE.lower()
_TOP_VIA = re.compile(rb"\n(?:via|v)[ \t]*+:((?>(?:[^,\r\n]++|\r?\n[ \t])*))", re.IGNORECASE)
_BRANCH = re.compile(rb";\s*+branch\s*+=\s*+([^;,\s]*+)", re.IGNORECASE)
_PLAIN = re.compile(rb"[^\n]*+\n(?:Via|v):[^;,\r\n]*+;(?>(?:(?!branch)[^;,\r\n]*+;)*)branch=([^;,\s]++)").match
_CALL_ID = re.compile(rb"\n(?:call-id|i)[ \t]*+:\s*+([^\s]*+)", re.IGNORECASE)


def server_key(request: Message, method: bytes = b"") -> ServerKey:
    """Return what a request and its retransmissions have in common.

    Args:
        request: any request.
        method: stands for the request's own: `INVITE` finds what an ACK or CANCEL is about.
    """
    via = request.via
    if via.branch.startswith(MAGIC_COOKIE) or via.branch[:7].lower() == _COOKIE:
        return b" ".join((via.branch, via.sent_by, method or request.method))  # none of them holds a space
    # RFC 2543: no unique branch, so everything that identifies the request (§17.2.3).
    top = b"%b;%b" % (via.sent_by, via.branch)
    parts = request.uri, request.from_tag, request.call_id, request.cseq, top, method or request.method
    return repr(parts).encode()  # no two tuples have the same, and none looks like a branch with the cookie


def client_key(branch: bytes, method: bytes) -> bytes:
    """Return what a request of ours and its responses have in common (§17.1.3): our branch and the CSeq method."""
    return branch + b" " + method


def make_branch(tokens: Tokens, key: ServerKey, target: bytes, hop: tuple[str, int], loop: bytes, worker: int) -> bytes:
    """Return the branch for one target of a request.

    It is a keyed hash of the received branch and the target, so that a restarted node repeats an INVITE and
    does not place a second one (dialogs.md), with the loop hash of RFC 5393 §4.2.1 behind it.
    """
    own = tokens.mac(tokens.current, b"branch", key, target, _address(hop), size=9)
    return b"".join((_STARTS[worker], to_base64(own), b".", loop))


@remembered
def _address(hop: tuple[str, int]) -> bytes:
    return b"%b:%d" % (hop[0].encode(), hop[1])


def loop_hash(tokens: Tokens, request: Message, source: str) -> bytes:
    """Return the second part of our branch: what decides where a request goes, never its method (RFC 5393 §4.2.1)."""
    routes = b",".join(request.items(b"route")) if b"route" in request.index else b""
    return to_base64(tokens.mac(tokens.current, b"loop", request.uri, routes, source.encode(), size=6))


def worker_of(branch: bytes) -> int:
    """Return the worker that made a branch of ours; -1 for other branches."""
    return WORKER_LETTERS.find(branch[7:8]) if branch[:7] == MAGIC_COOKIE and len(branch) > 8 else -1


def looks_ours(branch: bytes) -> bool:
    """Tell whether a branch is written as `make_branch` writes them; whether it is ours its transaction has to tell."""
    return branch[20:21] == b"." and branch[:7] == MAGIC_COOKIE


def owner(data: bytes, workers: int, *, from_us: bool = False) -> int:
    """Return which of `workers` a datagram belongs to, without parsing it.

    Responses belong to the worker in our branch; requests to a hash of the Call-ID, on which retransmission, CANCEL
    and ACK agree (design.md §6 has the branch; but so all requests of a call from one side meet the worker that has
    just sealed its records and read its lines, and need not be opened and read anew). The kernel does the same before
    us where it can (proxy/steering.py), so the hash is one that both can compute. It has no secret: who wants to load
    one worker sends one Call-ID again and again, which no hash could spread.
    It runs on every datagram once there are several workers.

    Args:
        data: any bytes.
        workers: how many there are.
        from_us: whether our own address sent it. Then it is a request that we forwarded to ourselves: its branch is
            ours too, and only the worker that made it knows which side it came from.
    """
    if workers <= 1:
        return 0
    if from_us or data[:4].upper() == b"SIP/":
        return max(worker_of(top_branch(data)), 0) % workers
    number = int.from_bytes(_call_id(data), "big") % HASH_MODULUS
    return ((number * HASH_FACTOR & 0xFFFFFFFF) >> HASH_SHIFT) % workers


def _call_id(data: bytes) -> bytes:
    """Return the Call-ID of a request; empty where there is none. Nearly everybody writes it in one way."""
    start = data.find(b"\r\nCall-ID: ") + 11
    plain = data[start : data.find(b"\r", start)].strip(b" \t") if start > 10 else b""
    if plain:
        return plain
    found = _CALL_ID.search(data)
    return found[1] if found else b""


def top_branch(data: bytes) -> bytes:
    """Return the branch of the topmost Via; empty where there is none.

    Nearly every message begins with its Via, unfolded: then one match gives what the two searches would give.
    """
    plain = _PLAIN(data)
    if plain is not None:
        return plain[1]
    via = _TOP_VIA.search(data)
    branch = _BRANCH.search(via[1]) if via else None
    return branch[1] if branch else b""
