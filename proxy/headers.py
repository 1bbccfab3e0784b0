"""Typed values of the headers that a proxy works with: Via, name-addr, CSeq, and lists of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from proxy import scan
from proxy.errors import Malformed
from proxy.grammar import COMMA, CSEQ, FOLD, LF, LWS, PARAM, QUOTED, TOKEN_LETTERS, VIA
from proxy.memo import remembered

_cut: Final = scan.cut  # as in parse.py
_plain_value: Final = scan.plain_value

MAX_CSEQ = 2**32 - 1
"""RFC 3261 §8.1.1.5 wants less than 2**31; what does not fit 32 bits is refused (RFC 4475 §3.1.2.4)."""

MAX_VIA = 512
"""Longest Via of which anything is remembered: of lines that are answered for being too long one is read, too."""

# A value of a comma list: quoted strings and <...> may hold commas (§7.3.1, §20.10). One that is never closed
# reaches to the end: its reader will find it malformed, rather than take its second half for a value of its own.
_LIST_ITEM = re.compile(rb'(?>(?:[^,"<]++|"(?>(?:[^"\\]++|\\.)*)(?:"|\\?\Z)|<[^>]*+(?:>|\Z))+)', re.DOTALL)

# name-addr = [ display-name ] LAQUOT addr-spec RAQUOT; display-name = *(token LWS) / quoted-string
_NAME_ADDR = re.compile(LWS + rb"(" + QUOTED + rb"|[^\"<>,;:@]*+)" + LWS + rb"<([^<>\s]+)>" + LWS, re.DOTALL)
# addr-spec without brackets: parameters then belong to the header (§20.10)
_ADDR_SPEC = re.compile(LWS + rb"([A-Za-z][A-Za-z0-9+\-.]*:[^\s;,<>?\"]+)" + LWS)


# delta-seconds = 1*DIGIT (§25.1)
_DELTA_SECONDS = re.compile(rb"[0-9]{1,9}")

NO_PARAMS: Mapping[bytes, bytes] = MappingProxyType({})
"""Of what has none."""


class Via:
    """One Via value (§20.42); never changed. A class with slots replaces a NamedTuple: each message makes one."""

    __slots__ = ("branch", "host", "params", "port", "sent_by", "transport")

    def __init__(
        self, transport: bytes, host: bytes, port: int, params: Mapping[bytes, bytes], branch: bytes, sent_by: bytes
    ) -> None:
        """Hold the parts of a value.

        Args:
            transport: in upper case.
            host: sent-by host, without brackets.
            port: sent-by port, 0 where none is given.
            params: parameters by lower-case name, but for the branch.
            branch: the parameter of this name.
            sent_by: `host:port` as transactions are matched by it, port 0 where none is given.
        """
        self.transport = transport
        self.host = host
        self.port = port
        self.params = params
        self.branch = branch
        self.sent_by = sent_by

    @property
    def bare(self) -> Via:
        """Return the value without its parameters, which take more room than all the rest."""
        return Via(self.transport, self.host, self.port, NO_PARAMS, self.branch, self.sent_by)


class NameAddr(NamedTuple):
    """A From, To, Contact, Route or Record-Route value."""

    display: bytes
    """Display name as it stands, quotes included; may be empty."""
    uri: bytes
    params: bytes
    """Header parameters as they stand, each with its `;`."""

    def param(self, name: bytes) -> bytes | None:
        """Return the value of a header parameter, None where it is missing."""
        return parse_params(self.params).get(name)

    @property
    def address(self) -> bytes:
        """Return the value without its header parameters, always with angle brackets (§20.10)."""
        return b"%b <%b>" % (self.display, self.uri) if self.display else b"<%b>" % self.uri


def unfold(value: bytes) -> bytes:
    """Replace folds by one space and strip the ends (§7.3.1)."""
    return FOLD.sub(b" ", value).strip(b" \t") if LF in value else value.strip(b" \t")


def value_of(line: bytes) -> bytes:
    """Return the unfolded value of a header line."""
    found = _plain_value(line)
    return unfold(line.partition(b":")[2]) if found is None else found


def split_list(value: bytes) -> list[bytes]:
    """Split a comma list at the commas that separate (not those in quotes or angle brackets)."""
    if COMMA not in value:
        stripped = value.strip(b" \t\r\n")
        return [stripped] if stripped else []
    return [item for item in (part.strip(b" \t\r\n") for part in _LIST_ITEM.findall(value)) if item]


def read_params(text: bytes) -> dict[bytes, bytes]:
    """Read `;name=value` parameters into a dictionary by lower-case name.

    Raises:
        Malformed: when anything is left over.
    """
    if not text:
        return {}
    params: dict[bytes, bytes] = {}
    position = 0
    for match in PARAM.finditer(text):
        if match.start() != position:
            raise Malformed("Malformed parameters")
        position = match.end()
        params.setdefault(match[1].lower(), match[2] or b"")
    if text[position:].strip(b" \t\r\n"):
        raise Malformed("Malformed parameters")
    return params


parse_params = remembered(read_params)
"""`read_params` for what is asked for again and again; who remembers its own results takes the other."""


def parse_via(value: bytes) -> Via:
    """Read one Via value.

    Raises:
        Malformed: when sent-protocol, sent-by or the parameters do not follow the grammar.
    """
    found = _cut(value, b";branch=")
    if found is not None and len(value) <= MAX_VIA:
        front, branch, behind = found
        around = _around((front, behind))
        if around is not None:
            return Via(around.transport, around.host, around.port, around.params, branch, around.sent_by)
    head, _, _ = value.partition(b";")
    params = read_params(value[len(head) :])
    return _via(head, params, params.pop(b"branch", b""))


@remembered
def _around(sides: tuple[bytes, bytes]) -> Via | None:
    """Return what stands on both sides of the branch, all that a phone's Vias share; None where the whole must be read.

    Behind it there is nothing, or a semicolon with a parameter.
    """
    front, behind = sides
    if behind == b";":
        return None
    head, _, before = front.partition(b";")
    params = _plain_params(b";".join(filter(None, (before, behind[1:]))))
    return None if params is None or b"branch" in params else _via(head, params, b"")


def _via(head: bytes, params: Mapping[bytes, bytes], branch: bytes) -> Via:
    match = VIA.fullmatch(head)
    port = int(match[3] or 0) if match is not None else 0
    if match is None or port > 65535:
        raise Malformed("Malformed Via")
    host = match[2].strip(b"[]").lower()
    return Via(match[1].upper(), host, port, params, branch, b"%b:%d" % (host, port))


def _plain_params(text: bytes) -> dict[bytes, bytes] | None:
    """Return parameters without quotes, blanks and repetitions; None where `read_params` has to look."""
    if text.translate(None, _PLAIN):
        return None
    if not text:
        return {}
    items = [item.partition(b"=") for item in text.split(b";")]
    params = {name.lower(): value for name, _, value in items}
    return None if len(params) != len(items) or b"" in params else params


_PLAIN = TOKEN_LETTERS + b"=;:[]"


@remembered
def parse_name_addr(value: bytes) -> NameAddr:
    """Read one name-addr or addr-spec with its header parameters.

    Raises:
        Malformed: when it is neither, among others for unbalanced quotes and for an addr-spec with a `?`
            or `,` that would need brackets (§20.10).
    """
    match = _NAME_ADDR.match(value)
    if match is not None:
        display, uri = match[1].strip(b" \t\r\n"), match[2]
    else:
        match = _ADDR_SPEC.match(value)
        if match is None:
            raise Malformed("Malformed address")
        display, uri = b"", match[1]
    params = value[match.end() :]
    if params and params[:1] != b";":
        raise Malformed("Malformed address")
    return NameAddr(display, uri, params)


def delta_seconds(value: bytes | None) -> int | None:
    """Return the seconds that a value begins with, ahead of comment and parameters (§20.33); None where there are none.

    Of a longer number the first nine digits: some thirty years.
    """
    match = _DELTA_SECONDS.match(value) if value else None
    return int(match[0]) if match is not None else None


def parse_cseq(value: bytes) -> tuple[int, bytes]:
    """Read a CSeq value into number and method.

    Raises:
        Malformed: for anything else, and for numbers beyond 32 bits.
    """
    match = CSEQ.fullmatch(value)
    if match is None or len(match[1]) > 32 or int(match[1]) > MAX_CSEQ:
        raise Malformed("Malformed CSeq")
    return int(match[1]), match[2]
