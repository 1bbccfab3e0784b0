"""Refusing under overload: a look at the raw bytes instead of a parse, and 503 without a transaction.

Only what is beyond doubt is decided here: a request as nearly all are written, outside dialogs, no emergency call.
Anything else takes the ordinary path, where `RequestHandler` asks `must_refuse` after the parse. Nothing is
forwarded from here, so nothing that is overlooked can leave towards another party.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zlib import crc32

from proxy.counters import LABELS, METHODS
from proxy.emergency import is_callback
from proxy.errors import Malformed
from proxy.flow import Flow
from proxy.grammar import CALL_ID, COMMA, COMPACT, TOKEN_CLASS
from proxy.headers import parse_via
from proxy.matching import ServerKey, server_key
from proxy.message import Message
from proxy.party import Party
from proxy.reply import echo
from proxy.validation import MAGIC_COOKIE

if TYPE_CHECKING:
    from proxy.core import Core

FRESH = frozenset((b"INVITE", b"REGISTER", b"OPTIONS", b"MESSAGE", b"SUBSCRIBE", b"PUBLISH", b"NOTIFY", b"REFER"))
"""Methods whose requests outside dialogs are refused unparsed. CANCEL and ACK belong to an INVITE, BYE to a call."""
PROXY_RETRY_AFTER = 1
"""Seconds told to proxies: by RFC 3261 §21.5.4 one that is told more would keep all its callers away for as long."""
ROOM_FOR_HELP = 2
"""Times `limits.transactions`: where not even emergency calls are let in. Anybody may dial 112, and memory ends."""
ROOM_FOR_CALLS = 1.25
"""Requests within dialogs find room up to so many times `limits.transactions`, so that calls can end."""

MAX_HEAD = 8192
"""Longest header of a request that is refused unparsed: what is longer meets the limits of the parse."""
REFUSED = b"503-"
"""What the To tag of a stateless refusal begins with: any other ACK is told from ours by the look for it."""

# The headers that a response echoes (RFC 3261 §8.2.6.2), by long and compact name, and whether a fold follows.
_ECHOED = re.compile(
    rb"\n(?=[VvFfTtIiCc])((via|v|from|f|to|t|call-id|i|cseq)[ \t]*+:[ \t]*+([^\r\n]*+))((?>(?:\r?\n[ \t])?))",
    re.IGNORECASE,
)
# From and To as nearly everybody writes them: [ display-name ] <URI> *( ;token[=token] ), one space at most.
_USUAL = re.compile(
    rb'(?:"[^"\\\x00-\x1f\x7f]*+" ?|[A-Za-z0-9\-.!%*_+`\'~ ]*+)<[^<>"\x00-\x20\x7f]++>'
    rb"((?>(?:;" + TOKEN_CLASS + rb"++(?>(?:=" + TOKEN_CLASS + rb"++)?))*))"
)
# Of the ACK of a refusal: what its tag is made from, as it nearly always stands.
_OWN_TAG = re.compile(rb"\n(?:to|t)[ \t]*+:[^\r\n]*;tag=(" + REFUSED + rb"[0-9a-f]{16})[ \t]*+\r", re.IGNORECASE)
_BRANCH = re.compile(rb"\n(?:via|v)[ \t]*+:[^\r\n,]*?;branch=([^;,\s]++)", re.IGNORECASE)
_CALL_ID = re.compile(rb"\n(?:call-id|i)[ \t]*+:[ \t]*+([^\s]++)", re.IGNORECASE)
_REFUSAL = b"SIP/2.0 503 Service Unavailable\r\n%b\r\n%b\r\nRetry-After: %d\r\nContent-Length: 0\r\n\r\n"
_TAG = re.compile(rb";tag=([^;]*+)", re.IGNORECASE)
_CSEQ = re.compile(rb"\d{1,9} ([A-Z]++)")
_LONG = {
    name: COMPACT.get(name, name) for name in (b"via", b"v", b"from", b"f", b"to", b"t", b"call-id", b"i", b"cseq")
}


class Refusals:
    """Takes datagrams first while there is overload."""

    def __init__(self, core: Core) -> None:
        """Work on the core's tables."""
        self._core = core

    def receive(self, data: bytes, flow: Flow, source: Party, now: float) -> bool:
        """Deal with a datagram that needs no more than a look; False for those that take the ordinary path."""
        method = data[: data.find(b" ", 0, 10)]
        if method == b"INVITE" and source.trunk is not None and source.trunk.emergency:
            return False  # it may be a call-back, which a look does not tell
        if method not in FRESH:
            return method == b"ACK" and self._absorb(data)
        request = glance(data, method)
        if request is None or request.to_tag:
            return False
        core = self._core
        key = server_key(request)
        server = core.servers.get(key)
        if server is not None:
            # Not dropped: the answer ends the sender's retransmissions, silence would bring up to six more.
            core.counters.add("requests_received", method.decode())
            core.absorb(server, method.decode(), now)
            return True
        if core.overload.takes(key) or core.generation.network.calls_for_help(request):
            return False
        core.counters.add("requests_received", method.decode())
        self.refuse(request, flow, source)
        return True

    def must_refuse(self, request: Message, key: ServerKey, source: Party, wall: int) -> bool:
        """Tell whether a new request that was parsed is refused, for overload or want of room.

        No emergency call is, nor the call-back after one, while the table is not twice as full as it may be.
        """
        core = self._core
        network = core.generation.network
        most, kept = network.settings.limits.transactions, len(core.servers)
        if kept < most and not core.overload.active:
            return False
        behind = core.overload.active and not request.to_tag and not core.overload.takes(key)
        if not behind and kept < most * (ROOM_FOR_CALLS if request.to_tag else 1):
            return False
        if kept >= most * ROOM_FOR_HELP:
            return True
        return not (network.calls_for_help(request) or is_callback(core.generation, request, source, wall))

    def refuse(self, request: Message, flow: Flow, source: Party) -> None:
        """Send 503 with Retry-After, without a transaction: of those there are too many."""
        core = self._core
        seconds = PROXY_RETRY_AFTER
        if source.in_access and not source.edge:
            # Different for each attempt, the same for its retransmissions: phones shall not return all at once.
            least = core.generation.network.settings.overload.retry_after
            seconds = least + crc32(request.via.branch) % (least + 1)
        core.counters.add("overload_refused", LABELS.get(request.method, METHODS[-1]))
        core.counters.add("responses_made", "503")
        head, tail = echo(request, flow, b"" if request.to_tag else self.tag(request.via.branch, request.call_id))
        # Replaces `reply`: the same, for a request whose lines are all there.
        data = _REFUSAL % (head, tail, seconds)
        core.answer(request, flow, data)

    def tag(self, branch: bytes, call_id: bytes) -> bytes:
        """Return the To tag of a refusal, which proves that an ACK is for one: nothing has to be looked up."""
        tokens = self._core.generation.tokens
        return REFUSED + tokens.mac(tokens.current, b"refusal", branch, call_id, size=8).hex().encode()

    def _absorb(self, data: bytes) -> bool:
        """Take the ACK of a refusal, which no transaction waits for, and of nothing else.

        Its To tag says all. What else may be wrong with it does not matter: it would be dropped as well.
        """
        tag = _OWN_TAG.search(data)
        branch, call_id = (_BRANCH.search(data), _CALL_ID.search(data)) if tag else (None, None)
        if tag is None or branch is None or call_id is None or self.tag(branch[1], call_id[1]) != tag[1]:
            return False
        self._core.counters.add("requests_received", "ACK")
        return True


def glance(data: bytes, method: bytes) -> Message | None:
    """Return what a response needs of a request, less than `parse` would; None where anything is unusual.

    The message has raw, method, uri, via, call_id, to_tag, and the lines and index of what is echoed; no more.
    """
    end = data.find(b"\r\n\r\n")
    if not 0 <= end <= MAX_HEAD:
        return None
    head = data[:end]
    start = head[: head.find(b"\r\n")].split(b" ")
    if len(start) != 3 or start[2] != b"SIP/2.0":
        return None
    request = Message()
    request.raw, request.method, request.uri, request.echo = data, method, start[1], None
    values = _collect(request, head)
    return request if values is not None and _read(request, values) else None


def _collect(request: Message, head: bytes) -> dict[bytes, bytes] | None:
    """Note the lines that are echoed and return the first value of each; None for folds and for two of one kind."""
    lines: list[bytes] = []
    index: dict[bytes, tuple[int, ...]] = {}
    values: dict[bytes, bytes] = {}
    for line, name, value, fold in _ECHOED.findall(head):
        if fold:
            return None
        long = _LONG[name.lower()]
        index[long] = (*index.get(long, ()), len(lines))
        values.setdefault(long, value)
        lines.append(line)
    request.lines, request.index = lines, index
    once = len(values) == 5 and len(lines) == 4 + len(index[b"via"])
    return values if once else None


def _read(request: Message, values: dict[bytes, bytes]) -> bool:
    """Read Via, To tag and Call-ID; False where any value is unusual."""
    via, to = values[b"via"], _USUAL.fullmatch(values[b"to"])
    cseq = _CSEQ.fullmatch(values[b"cseq"])
    if to is None or cseq is None or cseq[1] != request.method or COMMA in via:
        return False
    if _USUAL.fullmatch(values[b"from"]) is None or CALL_ID.fullmatch(values[b"call-id"]) is None:
        return False
    request.call_id = values[b"call-id"]
    tag = _TAG.search(to[1]) if to[1] else None
    request.to_tag = tag[1] if tag else b""
    try:
        request.via = parse_via(via)
    except Malformed:
        return False
    return request.via.branch[:7] == MAGIC_COOKIE and len(request.via.branch) > 7
