"""Bodies: by media type, what may pass, cleaned, or not at all.

`compile_bodies` makes one function of catalogue and actions. A multipart is taken apart to any depth
up to MAX_DEPTH, each part judged as if it stood alone, and put together anew under a boundary of our
own; preamble, epilogue and part headers without a use stay behind. What is malformed raises FormError.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from config.vocabulary import Action, Category
from filters import cpim
from filters.catalogue import Actions, BodyEntry, Catalogue
from filters.forms import QUOTED, Form, FormError
from filters.multipart import BOUNDARY, MAX_DEPTH, WORD, fields, head_of, spans
from filters.patterns import compile_hidden
from filters.sdp import SdpContext, SdpFilter, compile_sdp
from proxy.memo import remembered
from proxy.reply import status_line

SECTIONS = frozenset(("bodies", "sdp.lines", "sdp.attributes"))
"""Sections of the catalogue that speak of what stands in bodies."""
SESSION = b"application/sdp"
MAX_CONTENT_TYPE = 1024
"""Longest Content-Type; that of a part may be as long as a datagram, and what was read of it is remembered."""

Body = tuple[bytes, bytes]
"""Content-Type value and body."""


class BodyFilter(Protocol):
    """What a plan calls with each body."""

    def __call__(
        self, content_type: bytes, content_disposition: bytes, body: bytes, context: SdpContext,
        content_encoding: bytes = b"",
    ) -> Body | None:  # fmt: skip
        """Return Content-Type and body as they may go on, or None where nothing of the body may.

        The values are those of the message's headers, empty where it has none. Where the body stays as
        it is, the same objects come back. Raise FormError for what cannot be read in full.
        """


class _Part(NamedTuple):
    """A body with the headers that describe it: of the message, or of a part. others: all its header lines."""

    content_type: bytes
    disposition: bytes
    encoding: bytes
    transfer_encoding: bytes
    content_id: bytes
    body: bytes
    others: Sequence[tuple[bytes, bytes]] = ()


class _Kept(NamedTuple):
    """What goes on of a part: Content-Type, body, and further header lines; cleaned: not as it came."""

    content_type: bytes
    body: bytes
    headers: tuple[bytes, ...]
    cleaned: bool


# RFC 2045 §5.1: type "/" subtype *(";" attribute "=" value), in RFC 3261 §25.1's tokens
MEDIA_TYPE = re.compile(rf"[ \t]*({WORD})[ \t]*/[ \t]*({WORD})[ \t]*((?:;.*)?)".encode(), re.DOTALL)
ATTRIBUTE = rf"[ \t]*+;[ \t]*+({WORD})[ \t]*+=[ \t]*+({QUOTED}|[^ \t;\"]++)"
PARAM = re.compile(ATTRIBUTE.encode(), re.DOTALL)
# Read from the start to the end first: a search would start anew at each of many blanks.
PARAMS = re.compile(rf"(?>(?:{ATTRIBUTE})*)[ \t;]*+".encode(), re.DOTALL)
# RFC 5621 §3.1: what a receiver may do without
OPTIONAL = re.compile(rb";[ \t]*handling[ \t]*=[ \t]*\"?optional\b", re.IGNORECASE)
PLAIN_ENCODINGS = frozenset({b"", b"identity", b"7bit", b"8bit", b"binary"})
"""Encodings that leave the bytes as they are (RFC 2045 §6.2)."""
TEXT_ENCODINGS = frozenset({b"quoted-printable", b"base64"})
"""Encodings that everybody undoes: of what passes as it came, they pass too."""
ROOT = b"<root@invalid>"
"""Content-ID of a cleaned part that a multipart/related names as its start; its own may tell of its host."""
DESCRIPTIONS = (
    b"content-type", b"content-disposition", b"content-encoding", b"content-transfer-encoding", b"content-id",
)  # fmt: skip


def compile_bodies(
    catalogue: Catalogue, actions: Actions, *, uniform: bool = False, whole: bool = False
) -> BodyFilter:  # fmt: skip
    """Return the filter of bodies towards a hop with these actions; where all are KEEP, bodies stay as they are.

    Args:
        catalogue: as it holds towards the hop.
        actions: for each category.
        uniform: as for `compile_sdp`.
        whole: whether nothing of a body may pass where a part of it may not, unless its sender said that it can be
            done without (RFC 5621 §3.1).
    """
    if (
        not uniform
        and all(actions[category] is Action.KEEP for category in Category)
        and catalogue.fixed.isdisjoint(SECTIONS)
    ):
        return _keep_all
    return _Judge(catalogue, actions, uniform=uniform, whole=whole).clean


def may_pass(entry: BodyEntry, actions: Actions) -> bool:
    """Tell whether anything of a body may pass: nothing that it discloses is hidden."""
    return not entry.fixed and all(actions[category] is Action.KEEP for category in entry.categories)


@remembered
def media_type(content_type: bytes) -> tuple[bytes, Mapping[bytes, bytes]]:
    """Return type/subtype in lower case, and the parameters (names in lower case, quotes taken off).

    An empty value is of the empty type. Raise FormError for what is no media type, or repeats a parameter.
    """
    if len(content_type) > MAX_CONTENT_TYPE:
        raise FormError("the Content-Type is longer than any")  # what is raised is not remembered
    if not content_type.strip():
        return b"", {}
    found = MEDIA_TYPE.fullmatch(content_type)
    if not found or not PARAMS.fullmatch(found[3]):
        raise FormError("the Content-Type is no media type")
    pairs = [(name.lower(), _unquoted(value)) for name, value in PARAM.findall(found[3].rstrip(b" \t;"))]
    if len(dict(pairs)) < len(pairs):
        raise FormError("the Content-Type repeats a parameter")
    return (found[1] + b"/" + found[2]).lower(), dict(pairs)


def _keep_all(
    content_type: bytes, content_disposition: bytes, body: bytes, context: SdpContext, content_encoding: bytes = b""
) -> Body | None:
    return content_type, body


def _unquoted(value: bytes) -> bytes:
    return re.sub(rb"\\(.)", rb"\1", value[1:-1], flags=re.DOTALL) if value[:1] == b'"' else value


class _Judge:
    """Catalogue and actions, compiled; a class because a multipart's parts are judged as it is itself."""

    __slots__ = (
        "_actions", "_catalogue", "_disposition", "_forms", "_keeps_all", "_leaks", "_sdp", "_session", "_strict",
        "_whole",
    )  # fmt: skip

    def __init__(self, catalogue: Catalogue, actions: Actions, *, uniform: bool, whole: bool) -> None:
        self._catalogue, self._actions = catalogue, actions
        self._whole = whole
        self._strict = actions[Category.UNKNOWN] is not Action.KEEP
        self._keeps_all = all(actions[category] is Action.KEEP for category in Category)
        self._leaks = compile_hidden(catalogue.patterns, actions, catalogue.searches)
        self._disposition = catalogue.entry(b"content-disposition").form
        self._sdp: Mapping[str, SdpFilter] = {
            "sdp": compile_sdp(catalogue, actions, uniform=uniform),
            "sdpfrag": compile_sdp(catalogue, actions, fragment=True),
        }
        self._forms: Mapping[str, Form] = _FORMS if self._strict else dict.fromkeys(_FORMS, _whole) | _NAMING
        # What nearly every body is, as far as the catalogue sees it so.
        usual = catalogue.bodies.find(SESSION)
        is_usual = self._formed_disposition(b"") == b"" and self._may_pass(usual)
        self._session = self._sdp.get(usual.handling) if is_usual else None

    def clean(
        self, content_type: bytes, content_disposition: bytes, body: bytes, context: SdpContext,
        content_encoding: bytes = b"",
    ) -> Body | None:  # fmt: skip
        """Return what may go on of the body of a message; a lone session description takes the short way."""
        if content_type == SESSION and self._session and not content_encoding:
            may_pass = not content_disposition or self._formed_disposition(content_disposition) is not None
            return (SESSION, self._session(body, context)) if may_pass else None
        part = _Part(content_type, content_disposition, content_encoding, b"", b"", body)
        try:
            kept = self.part(part, context, 0)
        except _PartMissing:
            return None
        return kept and kept[:2]

    def part(self, part: _Part, context: SdpContext, depth: int) -> _Kept | None:
        """Return what may go on of part, which stands in depth multiparts."""
        kind, params = media_type(part.content_type)
        entry = self._catalogue.bodies.find(kind)
        if not self._may_pass(entry):
            return None
        encodings = {part.encoding.strip().lower(), part.transfer_encoding.strip().lower()}
        if not entry.handling:
            # What is compressed or encrypted nobody can look into: whatever its type says, it may be anything.
            readable = encodings <= PLAIN_ENCODINGS | TEXT_ENCODINGS
            return self._as_it_came(part, kind) if readable or self._keeps_all else None
        disposition = self._formed_disposition(part.disposition)
        if encodings - PLAIN_ENCODINGS or disposition is None:
            return None
        kept = self._cleaned(entry.handling, part, kind, params, context, depth)
        return kept._replace(headers=(b"Content-Disposition: " + disposition,)) if kept and disposition else kept

    def _cleaned(
        self, handling: str, part: _Part, kind: bytes, params: Mapping[bytes, bytes], context: SdpContext, depth: int
    ) -> _Kept | None:
        if handling == "multipart":
            return self._multipart(part, kind, params, context, depth)
        if handling == "cpim":
            return self._cpim(part, kind, context, depth)
        sdp = self._sdp.get(handling)
        body = sdp(part.body, context) if sdp else self._forms[handling](part.body)
        return None if body is None else _Kept(kind, body, (), True)

    def _cpim(self, part: _Part, kind: bytes, context: SdpContext, depth: int) -> _Kept | None:
        """Return an instant message whose header is cleaned and whose content was judged as if it stood alone."""
        if depth >= MAX_DEPTH:
            raise FormError(f"more than {MAX_DEPTH} multiparts stand in each other")
        headers, raw = cpim.read(part.body)
        inner = self.part(_read_part(raw), context, depth + 1)
        if inner is None:
            return None
        around = cpim.cleaned(headers, lambda category: self._actions[category] is not Action.KEEP)
        return _Kept(kind, around + _written(inner), (), True)

    def _may_pass(self, entry: BodyEntry) -> bool:
        return may_pass(entry, self._actions)

    def _formed_disposition(self, value: bytes) -> bytes | None:
        # Without its disposition a body would mean something else: what has no form takes the body with it.
        return self._disposition(value) if self._strict and self._disposition else value

    def _as_it_came(self, part: _Part, kind: bytes) -> _Kept:
        kept = (name + b": " + value for name, value in part.others if self._header_may_pass(name.lower(), value))
        content_type = kind if self._leaks and self._leaks(part.content_type) else part.content_type
        return _Kept(content_type, part.body, tuple(kept), False)

    def _header_may_pass(self, name: bytes, value: bytes) -> bool:
        category = self._catalogue.entry(name).category
        if self._leaks and self._leaks(value):
            return False
        return name != b"content-type" and (
            name in DESCRIPTIONS or self._actions[Category.UNKNOWN if category is None else category] is Action.KEEP
        )

    def _multipart(
        self, part: _Part, kind: bytes, params: Mapping[bytes, bytes], context: SdpContext, depth: int
    ) -> _Kept | None:
        if depth >= MAX_DEPTH:
            raise FormError(f"more than {MAX_DEPTH} multiparts stand in each other")
        boundary = params.get(b"boundary", b"")
        parts = [_read_part(part.body[start:end]) for start, end in spans(part.body, boundary)]
        judged = [self.part(inner, context, depth + 1) for inner in parts]
        if self._whole and kind != b"multipart/alternative":
            missing = (inner for inner, left in zip(parts, judged, strict=True) if left is None)
            if not all(OPTIONAL.search(inner.disposition) for inner in missing):
                raise _PartMissing
        if kind == b"multipart/related":
            return _related(parts, judged, params.get(b"start", b""), context)
        kept = [inner for inner in judged if inner]
        if len(kept) == 1 and _stands_alone(kept[0]):
            return kept[0]
        return _joined(kind, kept, context) if kept else None


class _PartMissing(Exception):  # noqa: N818 -- a verdict on the whole, not an accident
    """A part may not pass that its sender did not call optional."""


def _stands_alone(kept: _Kept) -> bool:
    # RFC 3261 §20.11: a session description without Content-Disposition is a session
    session = (b"Content-Disposition: session",)
    return not kept.headers or (kept.content_type == SESSION and kept.headers == session)


def _related(parts: Sequence[_Part], judged: Sequence[_Kept | None], start: bytes, context: SdpContext) -> _Kept | None:
    """Put a multipart/related together; without its root, the part of start or the first, it is nothing (RFC 2387)."""
    ids = [part.content_id for part in parts]
    if start and start not in ids:
        raise FormError("the start of multipart/related is none of its parts")
    root = judged[ids.index(start) if start else 0]
    kept = [inner for inner in judged if inner]
    if not root or (len(kept) == 1 and _stands_alone(root)):
        return root
    params = b';type="' + media_type(root.content_type)[0] + b'"'
    if start and root.cleaned:
        kept[kept.index(root)] = root._replace(headers=(*root.headers, b"Content-ID: " + ROOT))
    reference = b';start="' + (ROOT if root.cleaned else start) + b'"' if start else b""
    return _joined(b"multipart/related", kept, context, params + reference)


def _joined(kind: bytes, kept: Sequence[_Kept], context: SdpContext, params: bytes = b"") -> _Kept:
    parts = list(map(_written, kept))
    boundary = _boundary(parts, context)
    line = b"--" + boundary
    body = b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"
    return _Kept(kind + b";boundary=" + boundary + params, body, (), True)


def _written(part: _Kept) -> bytes:
    return b"\r\n".join((b"Content-Type: " + part.content_type, *part.headers, b"", part.body))


def _boundary(parts: Iterable[bytes], context: SdpContext) -> bytes:
    """Return a boundary that no part holds; the same message gets the same one."""
    text = b"".join(parts)
    boundary = b"b" + context.pseudonym(b"boundary")[:48]
    while b"--" + boundary in text:
        boundary += b"0"
    if not BOUNDARY.fullmatch(boundary):
        raise FormError("no boundary can be found that the parts do not hold")
    return boundary


def _read_part(raw: bytes) -> _Part:
    head, start = head_of(raw)
    lines = tuple((field.name, field.value) for field in fields(raw[:head]))
    known = [(name.lower(), value) for name, value in lines if name.lower() in DESCRIPTIONS]
    if len(dict(known)) < len(known):
        raise FormError("a part repeats a header")
    values = dict(known)
    # RFC 2046 §5.1: text/plain is what a part is that does not say
    content_type = values.get(b"content-type", b"text/plain")
    disposition, encoding, transfer_encoding, content_id = (values.get(name, b"") for name in DESCRIPTIONS[1:])
    return _Part(content_type, disposition, encoding, transfer_encoding, content_id, raw[start:], lines)


# ---- forms of small bodies ------------------------------------------------------------------------------

# RFC 3420: a status line, its reason phrase replaced, for it is free text; never by none, which phones refuse (baresip)
STATUS_LINE = re.compile(rb"SIP/2\.0 ([1-6]\d\d)(?: [^\r\n]*)?(?:\r?\n.*)?", re.DOTALL)
# Possessive: blanks that end in nothing would else be divided between three rules in every possible way.
DTMF_RELAY = re.compile(
    rb"\s*+Signal[ \t]*+=[ \t]*+(1[0-6]|[0-9A-D*#]|flash)"
    rb"(?:[ \t]*+\r?\n\s*+Duration[ \t]*+=[ \t]*+(\d{1,5}))?\s*+",
    re.IGNORECASE,
)
DTMF = re.compile(rb"1[0-6]|[0-9A-D*#]", re.IGNORECASE)
# RFC 3842 §5.2: msg-status-line [msg-account] [*(msg-summary-line)] [*opt-msg-headers]; only the counts say nothing
SUMMARY_LINE = re.compile(
    rb"(?:Messages-Waiting[ \t]*:[ \t]*(?:yes|no)"
    rb"|(?:voice|fax|pager|multimedia|text|none)-message[ \t]*:[ \t]*\d{1,5}/\d{1,5}"
    rb"(?:[ \t]*\(\d{1,5}/\d{1,5}\))?)[ \t]*",
    re.IGNORECASE,
)
# RFC 5168 §5: the only command that phones send
PICTURE_FAST_UPDATE = (
    b'<?xml version="1.0" encoding="utf-8" ?>\r\n<media_control><vc_primitive><to_encoder><picture_fast_update/>'
    b"</to_encoder></vc_primitive></media_control>\r\n"
)


def _whole(body: bytes) -> bytes | None:
    return body


def _sipfrag(body: bytes) -> bytes | None:
    found = STATUS_LINE.fullmatch(body)
    return status_line(int(found[1])) + b"\r\n" if found else None


def _dtmf_relay(body: bytes) -> bytes | None:
    found = DTMF_RELAY.fullmatch(body)
    if not found:
        return None
    duration = b"Duration=" + found[2] + b"\r\n" if found[2] else b""
    return b"Signal=" + found[1] + b"\r\n" + duration


def _dtmf(body: bytes) -> bytes | None:
    digit = body.strip()
    return digit if DTMF.fullmatch(digit) else None


def _message_summary(body: bytes) -> bytes | None:
    kept = [line for line in body.splitlines() if SUMMARY_LINE.fullmatch(line)]
    return b"\r\n".join([*kept, b""]) if kept else None


def _media_control(body: bytes) -> bytes | None:
    return PICTURE_FAST_UPDATE if b"picture_fast_update" in body else None


_FORMS: Mapping[str, Callable[[bytes], bytes | None]] = {
    "sipfrag": _sipfrag, "dtmf-relay": _dtmf_relay, "dtmf": _dtmf, "message-summary": _message_summary,
    "media-control": _media_control,
}  # fmt: skip
_NAMING = {name: _FORMS[name] for name in ("sipfrag", "message-summary")}
"""Those whose form cuts out names and numbers: it holds even where the unknown may be seen."""
