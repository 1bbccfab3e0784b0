"""Whether a message has to do with recording, by the rules R1 to R17 of standards.md §5 (RFC 7866, RFC 7865, vendors).

`Detector.classify` says to which class a message belongs and which rule says so. It costs an ordinary call next to
nothing: which lines may tell follows from the row of header names and is kept by it, what a line says is remembered,
and only a body that is no plain session description is looked into.
"""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from enum import IntEnum
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from proxy.dialled import SEPARATORS, Prefixes
from proxy.errors import Malformed
from proxy.grammar import COMPACT, HYPHEN
from proxy.headers import parse_name_addr, parse_params, split_list, unfold
from proxy.memo import remembered
from proxy.message import Message
from proxy.recording_bodies import UNREAD, BodyReader
from proxy.shape import MAX_SHAPES, Shape
from proxy.transports import DEFAULT_PORTS
from proxy.uri import SipUri, parse_sip_uri


class Kind(IntEnum):
    """Classes of standards.md §5, the one that asks for most at the end."""

    NONE = 0
    HINT = 1
    """Counted, and nothing else."""
    CONTROL = 2
    """Asks somebody to start or stop a recording."""
    RS_SUSPECT = 3
    """Half of what makes a recording session: handled as one, and warned of."""
    RS = 4
    """A recording session (RFC 7245 §3)."""


class Finding(NamedTuple):
    """What was found, and by which rule; "" for Kind.NONE."""

    kind: Kind
    rule: str


class Known(NamedTuple):
    """What the configuration knows of recording; all in lower case but the texts of codes."""

    recorders: frozenset[bytes] = frozenset()
    """Hosts, and host:port without brackets, of recorders (R8)."""
    clients: frozenset[bytes] = frozenset()
    """user@host of From by which recording clients, and nobody else, call (R8)."""
    headers: tuple[bytes, ...] = ()
    """Further headers of vendors, `*` for any letters (R14)."""
    codes: frozenset[bytes] = frozenset()
    """Users of a Request-URI that switch recording (R17)."""
    commands: frozenset[bytes] = frozenset()
    """Whole texts of a MESSAGE or INFO that switch recording, words apart by one blank."""
    prefixes: Prefixes = Prefixes((), ())
    """What may be dialled in front of a code, and is taken off before it goes on."""

    @property
    def watches(self) -> bool:
        """Whether addresses of requests may tell."""
        return bool(self.recorders or self.clients or self.codes)


VENDOR_HEADERS: Final = (
    b"x-nice-*", b"x-ntr-*", b"x-incontact-*", b"x-cxone-*", b"x-engage-*", b"x-*recording*", b"x-genesys-*",
    b"x-inin-*", b"x-avaya-*", b"x-oracle-*", b"x-ocsbc-*", b"x-*conversation-id", b"x-*ucid*", b"x-cisco-call-id",
    b"x-cisco-session-id", b"x-cisco-device-name", b"x-ac-action", b"x-ribbon-*", b"x-sansay-*", b"x-huawei-*",
)  # fmt: skip
"""R14: they stand beside metadata; alone they are hints, since some are in ordinary calls too."""

_TELLING: Final = frozenset((
    b"require", b"proxy-require", b"supported", b"contact", b"accept", b"record", b"content-type",
    b"content-disposition",
))  # fmt: skip

# What a line says, as bits.
_REQUIRES: Final = 1
_SUPPORTS: Final = 2
_TAGGED: Final = 4
"""`+sip.src` or `+sip.srs` in a Contact."""
_MISTAGGED: Final = 8
_ACCEPTS: Final = 16
_NETWORK_BASED: Final = 32
_RECORD: Final = 64
_AWARE: Final = 128
_MONITORED: Final = 256
_SOFT_KEY: Final = 512
_LOOK: Final = 1024
"""A body that is no plain session description."""
_VENDOR: Final = 2048
_ASKS_PROXIES: Final = 4096
"""`siprec` in Proxy-Require."""
_QUIET: Final = _ACCEPTS | _AWARE | _MONITORED | _VENDOR
"""What only counts, in whatever message."""
_COMMANDS: Final = (b"INVITE", b"INFO", b"MESSAGE", b"REFER")
"""Methods that may carry a command; a BYE never does, so that none is refused for one."""
SUPPORTED: Final = "R1b-supported"
"""The part of R1b that says the least: `siprec` in Supported and nothing else. RFC 3261 §8.1.1.9 has whoever could
record write it into each INVITE."""
_QUERIES: Final = (b"OPTIONS", b"REGISTER")
"""Methods by which one tells the other what it can do, and nothing is recorded."""

_TAGS: Final = frozenset((b"+sip.src", b"+sip.srs"))
_MISSPELT: Final = frozenset((b"+sip-src", b"+sip-srs", b"sip.src", b"sip.srs"))
_FALSE: Final = b'"false"'


class Detector:
    """The rules, with what the configuration knows; pure, and cheap where there is nothing to find."""

    __slots__ = ("_known", "_places", "_vendors", "_watches")

    def __init__(self, known: Known | None = None) -> None:
        """Compile the list of headers."""
        self._known = Known() if known is None else known
        patterns = (re.escape(name.lower()).replace(rb"\*", rb"[^:]*") for name in VENDOR_HEADERS + self._known.headers)
        self._vendors = re.compile(b"|".join(patterns))
        self._places: dict[Shape, tuple[int, ...]] = {}
        self._watches = self._known.watches

    def classify(self, message: Message) -> Finding:
        """Return the class of a request or response by itself; of its dialog the record knows (R6)."""
        said = _said_by_from(message)
        shape, lines = message.shape, message.lines
        places = self._places.get(shape)
        for place in self._telling(shape) if places is None else places:
            said |= _VENDOR if place < 0 else _said_by(lines[place])
        body = message.body
        if not said & ~_QUIET and (not body or body[:2] == b"v=") and not self._watches:
            # A session description (RFC 8866 §5) holds no XML and no parts.
            return _hinted(said, body) if said or body else NOTHING
        return self._weighed(message, said, body)

    def _weighed(self, message: Message, said: int, body: bytes) -> Finding:
        """Return the class by all rules, the strongest first."""
        is_query = message.cseq_method in _QUERIES
        if said & _REQUIRES and said & _TAGGED and not is_query:
            return _found(Kind.RS, "R1")
        reader = BodyReader()
        if said & _LOOK or (body and body[:2] != b"v="):
            reader.read_message(message)
        if reader.rule:
            return _found(Kind.RS_SUSPECT if reader.rule == UNREAD else Kind.RS, reader.rule)
        if message.method == b"REGISTER":
            return _found(Kind.HINT, "R7") if said & (_TAGGED | _MISTAGGED) else NOTHING
        rule = self._session_rule(message, said)
        if rule:
            return _found(Kind.RS, rule)
        if not is_query and said & (_REQUIRES | _TAGGED | _MISTAGGED | _ASKS_PROXIES):
            return _found(Kind.RS_SUSPECT, "R1b")
        rule = self._control_rule(message, said, reader.texts)
        if rule:
            return _found(Kind.CONTROL, rule)
        if said & _SUPPORTS and message.method and not is_query:
            return _found(Kind.RS_SUSPECT, SUPPORTED)
        return _hinted(said, body)

    def _session_rule(self, message: Message, said: int) -> str:
        """Return by which address a request is a recording session's; "" for none."""
        if not message.method:
            return ""
        if self._is_known(message):
            return "R8"
        return "R9" if said & _NETWORK_BASED else ""

    def _control_rule(self, message: Message, said: int, texts: list[bytes]) -> str:
        """Return by what a request asks for a recording to begin or end; "" for nothing."""
        if message.method not in _COMMANDS:
            return ""
        if said & _RECORD and message.method == b"INFO":
            return "R11"  # whatever its value: who gets it may take it for one
        return "R17" if self._is_command(message, texts) else ""

    def _telling(self, shape: Shape) -> tuple[int, ...]:
        """Return which lines may tell, -1 for a vendor's; remembered for messages with the same names."""
        vendors = self._vendors
        places = [place for place, name in enumerate(shape.names) if name in _TELLING]
        if any(vendors.fullmatch(name) for name in shape.names):
            places.append(-1)
        found = tuple(places)
        if shape.shared:
            if len(self._places) >= MAX_SHAPES:
                self._places.clear()
            self._places[shape] = found
        return found

    def _is_known(self, message: Message) -> bool:
        """R8: to a configured recorder, or from whom only records."""
        known = self._known
        if known.recorders and (_leads_to(message.uri, known.recorders) or _leads_to(message.to.uri, known.recorders)):
            return True
        return bool(known.clients) and _address(message.from_.uri) in known.clients

    def _is_command(self, message: Message, texts: list[bytes]) -> bool:
        """R17 and its like: what the operator says switches recording."""
        known = self._known
        if known.codes and any(not known.codes.isdisjoint(self._dialled(uri)) for uri in _called(message)):
            return True
        if not known.commands or message.method not in _TEXTS:
            return False
        return any(b" ".join(text.lower().split()) in known.commands for text in texts)

    def _dialled(self, text: bytes) -> tuple[bytes, ...]:
        """Return the number that a URI dials, less escapes, separators, parameters; and less prefixes of ours.

        What is dialled in front of a code is taken off later (`proxy/dialled.py`), and the code goes on.
        """
        uri = _uri(text)
        user = uri.user if uri is not None else text.partition(b":")[2]
        both = user, self._known.prefixes.read(user).number
        return tuple([unquote_to_bytes(each).partition(b";")[0].translate(None, SEPARATORS) for each in both])


NOTHING: Final = Finding(Kind.NONE, "")
_TEXTS: Final = (b"INFO", b"MESSAGE")


@remembered
def _finding(key: tuple[Kind, str]) -> Finding:
    return Finding(key[0], key[1])


def _found(kind: Kind, rule: str) -> Finding:
    return _finding((kind, rule))


def _hinted(said: int, body: bytes) -> Finding:
    """Return what only counts."""
    if said:
        for bit, rule in _HINTS:
            if said & bit:
                return _found(Kind.HINT, rule)
    # RFC 7866 §7.1.2, §7.2.2: consent, which phones and recorders tell each other in ordinary calls
    return _found(Kind.HINT, "R13") if body.find(b"\na=record") >= 0 else NOTHING


_HINTS: Final = (
    (_ACCEPTS, "R5"), (_SUPPORTS | _REQUIRES | _ASKS_PROXIES | _TAGGED | _MISTAGGED, "R1b"), (_MONITORED, "R10"),
    (_RECORD, "R11"), (_SOFT_KEY, "R12"), (_AWARE, "R13"), (_VENDOR, "R14"),
)  # fmt: skip


@remembered
def _said_by(line: bytes) -> int:
    """Return what a header line says, as bits; most say nothing."""
    spelled, _, value = line.partition(b":")
    name = spelled.rstrip(b" \t").lower()
    name = COMPACT.get(name, name)
    value = unfold(value).lower()
    if name == b"contact":
        return _said_by_contact(value)
    if name == b"content-type":
        kind = value.partition(b";")[0].strip()
        soft_key = _SOFT_KEY if kind == b"application/x-cisco-remotecc-request+xml" else 0
        return soft_key if kind == b"application/sdp" else soft_key | _LOOK
    if name == b"content-disposition":
        return _LOOK if b"recording-session" in value else 0
    if name == b"accept":
        return _ACCEPTS if b"rs-metadata" in value else 0
    return _RECORD if name == b"record" else _said_by_tags(name, value)


_TAG_LINES: Final = {b"require": _REQUIRES, b"proxy-require": _ASKS_PROXIES}


def _said_by_tags(name: bytes, value: bytes) -> int:
    """Return what Require, Proxy-Require or Supported says."""
    tags = [tag.strip() for tag in value.split(b",")]
    said = 0
    if b"siprec" in tags:
        said |= _TAG_LINES.get(name, _SUPPORTS)
    if b"record-aware" in tags:
        said |= _AWARE
    return said | _MONITORED if b"x-cisco-monrec" in tags else said


def _said_by_contact(value: bytes) -> int:
    """Return whether a Contact, in lower case, is that of a recording client or server (RFC 7866 §6.1.1, §6.2)."""
    if b"sr" not in value and b"%" not in value:
        return 0
    said = 0
    for item in split_list(value):
        try:
            address = parse_name_addr(item)
            uri = parse_sip_uri(address.uri)
            # Some write it into the URI, where RFC 3840 §9 does not look for it, and letters may be escaped (§19.1.4).
            inner = unquote_to_bytes(uri.params) if uri is not None else b""
            params = {**parse_params(inner), **parse_params(address.params)}
        except Malformed:
            # What a lenient reader makes of it nobody knows.
            said |= _MISTAGGED if b"sip.sr" in item or b"sip-sr" in item else 0
            continue
        tags = {tag for tag, text in params.items() if text != _FALSE}
        said |= (0 if tags.isdisjoint(_TAGS) else _TAGGED) | (0 if tags.isdisjoint(_MISSPELT) else _MISTAGGED)
    return said


def _said_by_from(message: Message) -> int:
    """Return what From says, as bits; it has a tag of its own in each call, so nothing of it is remembered."""
    place = message.shape.from_
    line = message.lines[place] if place >= 0 else b""
    return _NETWORK_BASED if HYPHEN in line and _is_network_based(unfold(line).lower()) else 0


def _is_network_based(value: bytes) -> bool:
    """Tell whether a From, in lower case, is that of a CUCM that forks a call to a recorder (R9)."""
    if value.find(b"x-refci") < 0:
        return False
    names = {part.partition(b"=")[0].strip(b" \t<>") for part in value.rpartition(b"<")[2].split(b";")[1:]}
    return b"x-refci" in names and not names.isdisjoint((b"x-nearend", b"x-farend"))


def _uri(text: bytes) -> SipUri | None:
    try:
        return parse_sip_uri(text)
    except Malformed:
        return None


def _leads_to(text: bytes, hosts: frozenset[bytes]) -> bool:
    uri = _uri(text)
    if uri is None:
        return False
    host = uri.host.lower().removesuffix(b".")
    if b":" in host:
        host = _compressed(host)
    is_secure = uri.scheme.lower() == b"sips" or (uri.param(b"transport") or b"").lower() == b"tls"
    port = uri.port or DEFAULT_PORTS["TLS" if is_secure else "UDP"]
    return host in hosts or b"%b:%d" % (host, port) in hosts


def _compressed(host: bytes) -> bytes:
    """Return the one form of an IPv6 address (RFC 5952)."""
    try:
        return str(ipaddress.IPv6Address(host.decode("ascii", "replace"))).encode()
    except ValueError:
        return host


def _called(message: Message) -> list[bytes]:
    """Return the URIs that a request has called: its own, outside dialogs, and the one that it refers to."""
    if message.method != b"REFER":
        return [] if message.to_tag else [message.uri]
    with suppress(Malformed):
        return [parse_name_addr(value).uri for value in message.items(b"refer-to")]
    return []


def _address(text: bytes) -> bytes:
    uri = _uri(text)
    return b"" if uri is None else b"%b@%b" % (unquote_to_bytes(uri.user).lower(), uri.host.lower())
