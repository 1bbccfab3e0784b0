"""Strategies for messages made of the catalogue's entries, in which every value carries a canary of its category.

A canary is a value that stands nowhere else. `Canaries.needs` says which categories must all be kept for it to
pass: those of its entry, of the header or body that it stands in, and NEVER for what passes towards nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol, TypeVar

from hypothesis import strategies as st

from config.vocabulary import Category
from filters.catalogue import Catalogue

NEVER = None
Need = Category | None
Drawn = TypeVar("Drawn")


class Draw(Protocol):
    """What draws from a strategy: of a composite one, or of `st.data`."""

    def __call__(self, strategy: st.SearchStrategy[Drawn], /) -> Drawn:
        """Return what the strategy makes."""


CORE_READS = frozenset((
    b"via", b"route", b"record-route", b"path", b"service-route", b"contact", b"call-id", b"from", b"to", b"cseq",
    b"max-forwards", b"max-breadth", b"content-length", b"content-type", b"content-encoding", b"content-disposition",
    b"require", b"proxy-require", b"privacy", b"refer-to", b"replaces", b"join", b"target-dialog", b"in-reply-to",
))  # fmt: skip
"""Headers that mean something to the core: with any value they would make another message, or none."""
OF_SOMEBODY = (Category.NUMBER, Category.HISTORY)
"""Categories of headers that are addresses, or may be: their display names are names besides."""
REFERENCES = (b"Replaces", b"Join", b"Target-Dialog")
VALID = {
    b"alert-info": b"<urn:alert:service:normal>", b"allow": b"INVITE", b"event": b"refer", b"expires": b"60",
    b"min-se": b"90", b"priority": b"normal", b"reason": b"SIP;cause=200", b"retry-after": b"5",
    b"session-expires": b"1800;refresher=uac", b"subscription-state": b"active;expires=60", b"supported": b"timer",
    b"accept": b"application/sdp", b"date": b"Sat, 13 Nov 2010 23:29:00 GMT", b"rseq": b"1",
}  # fmt: skip
MULTIPARTS = (b"multipart/mixed", b"multipart/alternative", b"multipart/related")


class Canaries:
    """The values of one message."""

    def __init__(self, prefix: bytes = b"kq") -> None:
        """Begin with none."""
        self._prefix = prefix
        self.needs: dict[bytes, frozenset[Need]] = {}

    def __call__(self, *needs: Need) -> bytes:
        """Return a new value that passes where all of needs may."""
        value = b"%b%dvxzu" % (self._prefix, 101 + len(self.needs))
        self.needs[value] = frozenset(needs)
        return value

    def allowed(self, kept: Callable[[Category], bool]) -> set[bytes]:
        """Return those that may pass where kept says what is shown."""
        return {value for value, needs in self.needs.items() if all(need is not NEVER and kept(need) for need in needs)}


class Planted(NamedTuple):
    """Header lines and a body, with what was planted in them."""

    lines: list[bytes]
    content_type: bytes
    body: bytes


class Planter:
    """Strategies over one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Collect the entries; a glob stands for a name of its kind."""
        self._catalogue = catalogue
        self._compact = {long: short for short, long in catalogue.compact.items()}
        names = [
            *catalogue.headers.exact,
            *(_example(glob) for glob, _ in catalogue.headers.globs),
            b"x-nobody",
            b"p-odd",
        ]
        self.headers = sorted(set(names) - CORE_READS)
        kinds = [
            *catalogue.bodies.exact,
            *(_example(glob) for glob, _ in catalogue.bodies.globs),
            b"application/x-none",
        ]
        self.kinds = sorted({kind for kind in kinds if not catalogue.bodies.find(kind).handling})
        # A canary is a valid ufrag, which is exempt (EXEMPT of tests/test_no_leak.py).
        self.attributes = [name for name in _names(catalogue.sdp_attributes) if name != b"ice-ufrag"]
        self.contact_params = _names(catalogue.contact_params)
        self.uri_params = _names(catalogue.uri_params)

    # --- headers

    def header(self, draw: Draw, canaries: Canaries) -> bytes:
        """Return a line of some header."""
        name = draw(st.sampled_from(self.headers))
        entry = self._catalogue.entry(name)
        need: Need = Category.UNKNOWN if entry.category is None else entry.category
        if entry.fixed:
            need = NEVER
        return _written(draw, name, self._compact.get(name), self._value(draw, canaries, name, need))

    def _value(self, draw: Draw, canaries: Canaries, name: bytes, need: Need) -> bytes:
        if name in (b"authorization", b"proxy-authorization"):
            ours = draw(st.booleans())
            user = canaries(need, NEVER) if ours else canaries(need)
            realm = b"sip.example.net" if ours else b"elsewhere"
            return b'Digest username="%b", realm="%b", nonce="n"' % (user, realm)
        valid = VALID.get(name, b"")
        shape = draw(st.integers(0, 4))
        if shape == 0:
            return canaries(need)
        if shape == 1:
            return b"%b;%b=%b" % (valid, canaries(need), canaries(need))
        if shape == 2:
            return b"%b, %b" % (valid, canaries(need))
        if shape == 3:
            return b'%b (%b) "%b"' % (valid, canaries(need), canaries(need))
        display = canaries(need, Category.NAME) if need in OF_SOMEBODY else canaries(need)
        host = canaries(need, Category.NETWORK) if need in OF_SOMEBODY else canaries(need)
        address = b'"%b" <sip:%b@%b;%b=%b>;%b=%b' % (display, canaries(need), host, *(canaries(need) for _ in range(4)))
        return address + b", <tel:%b>" % canaries(need) if draw(st.booleans()) else address

    def contact(self, draw: Draw, canaries: Canaries, host: bytes) -> bytes:
        """Return a Contact with parameters of every kind."""
        user = canaries(Category.NETWORK) + self._uri_params(draw, canaries, Category.NETWORK)
        params = self._uri_params(draw, canaries, Category.NETWORK)
        uri = b"sip:%b@%b%b?Subject=%b" % (user, host, params, canaries(NEVER))
        params = b""
        for name in draw(st.lists(st.sampled_from(self.contact_params), max_size=6, unique=True)):
            need = self._need(self._catalogue.contact_params, name)
            params += (
                b';%b="%b"' % (name, canaries(need)) if draw(st.booleans()) else b";%b=%b" % (name, canaries(need))
            )
        return _written(draw, b"contact", b"m", b'"%b" <%b>%b' % (canaries(Category.NAME), uri, params))

    def _uri_params(self, draw: Draw, canaries: Canaries, *needs: Need) -> bytes:
        names = draw(st.lists(st.sampled_from(self.uri_params), max_size=3, unique=True))
        names = [name for name in names if name not in (b"transport", b"maddr", b"ttl", b"method", b"user", b"lr")]
        table = self._catalogue.uri_params
        return b"".join(b";%b=%b" % (name, canaries(*needs, self._need(table, name))) for name in names)

    @staticmethod
    def _need(table: object, name: bytes) -> Need:
        entry = table.find(name)  # type: ignore[attr-defined]
        if entry.fixed:
            return NEVER
        return Category.UNKNOWN if entry.category is None else entry.category

    def from_(self, draw: Draw, canaries: Canaries, tag: bytes) -> bytes:
        """Return a From: its name, its number, what network it tells, and parameters."""
        user, host = canaries(Category.NUMBER), canaries(Category.NUMBER, Category.NETWORK)
        user += self._uri_params(draw, canaries, Category.NUMBER, Category.NETWORK)
        params = self._uri_params(draw, canaries, Category.NUMBER, Category.NETWORK)
        params += b"?Subject=" + canaries(NEVER)
        display = canaries(Category.NUMBER, Category.NAME)
        return _written(draw, b"from", b"f", b'"%b" <sip:%b@%b.example%b>;tag=%b' % (display, user, host, params, tag))

    def to(self, draw: Draw, canaries: Canaries, dialled: bytes) -> bytes:
        """Return a To; the number dialled is what the call is for."""
        params = self._uri_params(draw, canaries, Category.NETWORK)
        value = b'"%b" <sip:%b@%b.example%b>' % (canaries(Category.NAME), dialled, canaries(Category.NETWORK), params)
        return _written(draw, b"to", b"t", value)

    def reference(self, draw: Draw, canaries: Canaries) -> bytes:
        """Return a header that names another dialog, or a number to call."""
        name = draw(st.sampled_from((*REFERENCES, b"Refer-To", b"In-Reply-To")))
        call_id = canaries(Category.NETWORK)
        if name == b"In-Reply-To":
            return name + b": " + call_id
        if name != b"Refer-To":
            return b"%b: %b;to-tag=1;from-tag=2;%b=1" % (name, call_id, canaries(Category.UNKNOWN))
        embedded = b"From=%b&Subject=%b&Replaces=%b%%3Bto-tag%%3D1%%3Bfrom-tag%%3D2" % (
            canaries(Category.NUMBER), canaries(Category.CONTENT), call_id,
        )  # fmt: skip
        params = self._uri_params(draw, canaries)
        host = canaries(Category.NETWORK)
        return b'r: "%b" <sip:+15550177@%b.example%b?%b>' % (canaries(Category.NAME), host, params, embedded)

    # --- bodies

    def body(self, draw: Draw, canaries: Canaries, depth: int = 0) -> tuple[bytes, bytes]:
        """Return Content-Type and body."""
        makers = [self._sdp, self._small, self._other, *([self._multipart] * (2 - depth))]
        return draw(st.sampled_from(makers))(draw, canaries, depth)

    def _sdp(self, draw: Draw, canaries: Canaries, _: int) -> tuple[bytes, bytes]:
        lines = self._catalogue.sdp_lines

        def line(kind: bytes) -> bytes:
            return b"%b=%b" % (kind, canaries(self._need(lines, kind)))

        def attribute(name: bytes) -> bytes:
            return b"a=%b:%b" % (name, canaries(self._need(self._catalogue.sdp_attributes, name)))

        session, medium = (draw(st.lists(st.sampled_from(self.attributes), max_size=5)) for _ in range(2))
        text = [
            b"v=0", b"o=%b 1 1 IN IP4 %b" % (canaries(Category.NUMBER), canaries(Category.NETWORK)), line(b"s"),
            *(line(kind) for kind in draw(st.lists(st.sampled_from((b"i", b"u", b"e", b"p")), unique=True))),
            b"c=IN IP4 203.0.113.200",
            *(line(kind) for kind in draw(st.lists(st.sampled_from((b"b", b"k", b"z", b"r")), unique=True))),
            b"t=0 0", *map(attribute, session), b"m=audio 49170 RTP/AVP 0", b"a=rtpmap:0 PCMU/8000",
            b"a=candidate:%b 1 UDP 1 203.0.113.201 9 typ host generation 0 %b 1"
            % (canaries(Category.NETWORK), canaries(Category.NETWORK)),
            *map(attribute, medium),
        ]  # fmt: skip
        return b"application/sdp", b"\r\n".join(text) + b"\r\n"

    def _small(self, draw: Draw, canaries: Canaries, _: int) -> tuple[bytes, bytes]:
        """Return one of the bodies that have a form of their own."""
        bodies: dict[bytes, bytes] = {
            b"message/sipfrag": b"SIP/2.0 200 %b\r\nTo: <sip:%b@x>\r\nVia: SIP/2.0/UDP %b\r\n"
            % (canaries(Category.UNKNOWN), canaries(Category.NUMBER), canaries(Category.NETWORK)),
            b"application/dtmf-relay": b"Signal=1\r\nDuration=160\r\nX=%b\r\n" % canaries(Category.UNKNOWN),
            b"application/simple-message-summary": b"Messages-Waiting: yes\r\nMessage-Account: sip:%b@x\r\n"
            % canaries(Category.NUMBER),
            b"application/media_control+xml": b"<picture_fast_update/><!--%b-->" % canaries(Category.UNKNOWN),
        }
        return draw(st.sampled_from(sorted(bodies.items())))

    def _other(self, draw: Draw, canaries: Canaries, _: int) -> tuple[bytes, bytes]:
        kind = draw(st.sampled_from(self.kinds))
        entry = self._catalogue.bodies.find(kind)
        needs: Iterable[Need] = (NEVER,) if entry.fixed else entry.categories
        return kind, b"<a>%b</a>" % canaries(*needs)

    def _multipart(self, draw: Draw, canaries: Canaries, depth: int) -> tuple[bytes, bytes]:
        parts = [self.body(draw, canaries, depth + 1) for _ in range(draw(st.integers(1, 3)))]
        boundary = canaries(Category.UNKNOWN)
        canaries.needs[boundary] = frozenset()  # where nothing is hidden a multipart stays as it came
        body = canaries(Category.UNKNOWN) + b"\r\n"
        for kind, text in parts:
            body += b"--%b\r\nContent-Type: %b\r\nX-Part: %b\r\n\r\n%b\r\n" % (
                boundary, kind, canaries(Category.UNKNOWN), text,
            )  # fmt: skip
        return draw(st.sampled_from(MULTIPARTS)) + b";boundary=" + boundary, body + b"--%b--\r\n" % boundary


def _names(table: object) -> list[bytes]:
    return sorted({*table.exact, *(_example(glob) for glob, _ in table.globs), b"x-nobody"})  # type: ignore[attr-defined]


def _example(glob: str) -> bytes:
    return glob.replace("*", "q").encode()


def _written(draw: Draw, name: bytes, compact: bytes | None, value: bytes) -> bytes:
    """Return a header line: any case, compact, blanks around the colon, folded."""
    names = [name, name.title(), name.upper(), *([compact] if compact else [])]
    colon = draw(st.sampled_from((b": ", b":", b" :\t", b":\r\n ")))
    if draw(st.booleans()):
        value = value.replace(b" ", b"\r\n\t", 1)
    return draw(st.sampled_from(names)) + colon + value
