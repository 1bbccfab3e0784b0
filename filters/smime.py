"""Parts of a body that travel encrypted (RFC 8591 §5, RFC 8551 §3, RFC 3261 §23.3), and back.

A part becomes `application/pkcs7-mime`, binary. What describes it goes inside, as the head of an inner entity; what
the rest of the message refers to it by (Content-Disposition, Content-ID) stays outside. Every octet of a multipart
beside it stays as it was: so the boundary stays too, and what would hold it is encrypted anew.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from filters.ber import CmsError
from filters.bodies import DESCRIPTIONS, PLAIN_ENCODINGS, media_type
from filters.cms_algorithms import CIPHERS, Cipher, KeyTransport
from filters.cms_make import Recipient, make
from filters.cms_open import Opener, open_cms
from filters.forms import FormError
from filters.multipart import MAX_DEPTH, Field, fields, head_of, spans
from proxy.recording_bodies import ENCRYPTED

_OPENED = frozenset((b"", b"auth-enveloped-data", b"authenveloped-data", b"enveloped-data"))
"""Values of smime-type that say that something is encrypted; without it only the content tells.

RFC 8591 §4.2 spells the second one so; RFC 8551 §3.2.2 and with it OpenSSL write `authEnveloped-data`.
"""
_OUTSIDE = frozenset((b"content-disposition", b"content-id"))
_SINGLE = frozenset((*DESCRIPTIONS, b"content-length"))
_TRIES = 16
"""Encryptions until the boundary is not in one; one of a single letter is in 1 of 4,000 bodies of 4 KiB."""
_HANDLING = re.compile(rb"[ \t]*handling[ \t]*=[ \t]*[A-Za-z]+[ \t]*", re.IGNORECASE)  # RFC 3261 §20.11
_BINARY = b"Content-Transfer-Encoding: binary"  # RFC 8591 §5


class Entity(NamedTuple):
    """A body, with those headers of its message that describe it; their values, empty where it has none."""

    content_type: bytes
    content_encoding: bytes
    body: bytes


class Part(NamedTuple):
    """What one may choose a part by."""

    kind: bytes
    """Type and subtype, lower case."""
    disposition: bytes
    """Content-Disposition; of a body that is no multipart, it is the message's, and empty here."""
    body: bytes


class Swapped(NamedTuple):
    """A body in which parts were exchanged."""

    entity: Entity
    number: int
    """How many."""


class Unsealed(NamedTuple):
    """A body in which parts were opened."""

    entity: Entity
    number: int
    """How many."""
    places: frozenset[int] = frozenset()
    """By which of our keys, from 0."""


class Sealing(NamedTuple):
    """To whom and how."""

    recipients: Sequence[Recipient]
    cipher: Cipher = Cipher.AES_128_GCM
    transport: KeyTransport = KeyTransport.OAEP


class Changed(NamedTuple):
    """What stands in a part's place."""

    kind: bytes
    """Its media type."""
    body: bytes


Change = Callable[[Part, bytes, bool], Changed | None]
"""Takes a part, its Content-Type, and whether it stands there as it is, neither compressed nor encoded."""
Chosen = Callable[[Part], bool]
"""Tells whether a part is to be encrypted. A multipart is asked about before its parts are."""


def seal_parts(entity: Entity, chosen: Chosen, sealing: Sealing, wall: float) -> Swapped:
    """Encrypt all chosen parts of a body, or the body itself where it is chosen.

    Args:
        entity: the body.
        chosen: says which.
        sealing: to whom.
        wall: Unix seconds now.

    Raises:
        FormError: the body cannot be read in full.
        CmsError: a FormError too: as `make`.
    """
    return _swap(entity, _Sealer(chosen, sealing, wall))


def open_parts(entity: Entity, openers: Sequence[Opener], wall: float, *, unauthenticated: bool = False) -> Unsealed:
    """Open all parts of a body that are encrypted, or the body itself. What comes out is not looked into again.

    Args:
        entity: the body.
        openers: our keys.
        wall: Unix seconds now.
        unauthenticated: whether EnvelopedData is opened too.

    Raises:
        FormError: the body cannot be read in full.
        CmsError: a FormError too: as `open_cms`, or what was encrypted is no MIME entity.
    """
    opener = _Opener(openers, wall, unauthenticated=unauthenticated)
    swapped = _swap(entity, opener)
    return Unsealed(swapped.entity, swapped.number, frozenset(opener.places))


def change_parts(entity: Entity, change: Change) -> Swapped:
    """Exchange the content of parts of a body; of what described them only what refers to them and handles them stays.

    Args:
        entity: the body.
        change: returns a part's new content, with its media type, or None where it stays; raises what it likes.

    Raises:
        FormError: the body cannot be read in full.
    """
    return _swap(entity, _Changer(change))


def content_type_of(cipher: Cipher) -> bytes:
    """Return the Content-Type of what a cipher makes (RFC 8591 §5, RFC 8551 §3.2.2)."""
    smime_type = b"auth-enveloped-data" if CIPHERS[cipher].authenticated else b"enveloped-data"
    return b"application/pkcs7-mime; smime-type=" + smime_type + b"; name=smime.p7m"


class _Swapper:
    """Exchanges single parts."""

    def swapped(self, head: Sequence[Field], part: Part, body: bytes, boundaries: Sequence[bytes]) -> _Raw | None:
        """Return what stands in a part's place, None where it stays."""
        raise NotImplementedError


class _Raw(NamedTuple):
    """A part, as it will stand."""

    head: Sequence[bytes]
    body: bytes


class _Sealer(_Swapper):
    def __init__(self, chosen: Chosen, sealing: Sealing, wall: float) -> None:
        self._chosen, self._sealing, self._wall = chosen, sealing, wall

    def swapped(self, head: Sequence[Field], part: Part, body: bytes, boundaries: Sequence[bytes]) -> _Raw | None:
        if not self._chosen(part):
            return None
        outside = [_outside(field) for field in head if field.name.lower() in _OUTSIDE]
        inside = [field.raw for field in head if _outside(field) != field.raw or field.name.lower() not in _OUTSIDE]
        if not any(field.name.lower() == b"content-type" for field in head):
            inside.append(b"Content-Type: text/plain")  # RFC 2046 §5.1
        sealed = self._sealed(_joined(inside, body), boundaries)
        content_type = b"Content-Type: " + content_type_of(self._sealing.cipher)
        return _Raw([content_type, *outside, _BINARY], sealed)

    def _sealed(self, inner: bytes, boundaries: Sequence[bytes]) -> bytes:
        sealing = self._sealing
        for _ in range(_TRIES):
            sealed = make(inner, sealing.recipients, self._wall, cipher=sealing.cipher, transport=sealing.transport)
            # A CR at the end would go to a delimiter that comes with LF alone.
            if not sealed.endswith(b"\r") and not _collides(sealed, boundaries):
                return sealed
        raise CmsError("CMS would hold the boundary of its multipart")


class _Changer(_Swapper):
    def __init__(self, change: Change) -> None:
        self._change = change

    def swapped(self, head: Sequence[Field], part: Part, body: bytes, boundaries: Sequence[bytes]) -> _Raw | None:
        values = {field.name.lower(): field.value for field in head}
        changed = self._change(part, values.get(b"content-type", b""), _is_plain(values))
        if changed is None:
            return None
        if _ends_part(changed.body, boundaries):
            raise FormError("a part would hold the boundary of its multipart")
        # A Content-Description, or a file's name, may tell what was taken out.
        kept = [_outside(field) for field in head if field.name.lower() in _OUTSIDE]
        return _Raw([b"Content-Type: " + changed.kind, *kept], changed.body)


def _outside(field: Field) -> bytes:
    """Return the line of a header that stays outside: of Content-Disposition what tells how to handle a part."""
    if field.name.lower() != b"content-disposition":
        return field.raw
    handled = how_to_handle(field.value)
    return field.raw if handled == field.value else field.name + b": " + handled


def how_to_handle(disposition: bytes) -> bytes:
    """Return what of a Content-Disposition tells how to handle a part: its type, and `handling`."""
    kind, *params = disposition.split(b";")
    return b";".join((kind, *filter(_HANDLING.fullmatch, params)))


def _is_plain(values: Mapping[bytes, bytes]) -> bool:
    """Tell whether a part, with these headers, stands there as it is."""
    encodings = values.get(b"content-encoding", b""), values.get(b"content-transfer-encoding", b"")
    return all(encoding.strip().lower() in PLAIN_ENCODINGS for encoding in encodings)


class _Opener(_Swapper):
    def __init__(self, openers: Sequence[Opener], wall: float, *, unauthenticated: bool) -> None:
        self._openers, self._wall, self._unauthenticated = openers, wall, unauthenticated
        self.places: set[int] = set()

    def swapped(self, head: Sequence[Field], part: Part, body: bytes, boundaries: Sequence[bytes]) -> _Raw | None:
        if part.kind not in ENCRYPTED:
            return None
        values = {field.name.lower(): field.value for field in head}
        if media_type(values[b"content-type"])[1].get(b"smime-type", b"").lower() not in _OPENED:
            return None
        if values.get(b"content-encoding", b"").strip().lower() not in PLAIN_ENCODINGS:
            raise CmsError("CMS is compressed")
        data = _decoded(body, values.get(b"content-transfer-encoding", b"").strip().lower())
        opened = open_cms(data, self._openers, self._wall, unauthenticated=self._unauthenticated)
        self.places.add(opened.place)
        plain = opened.content
        length, start = head_of(plain)
        inner = _once(fields(plain[:length]))
        names = {field.name.lower() for field in inner}
        if b"content-type" not in names:
            raise CmsError("CMS holds no MIME entity")
        # An attacker could else add parts of his own to what we hand on.
        if _ends_part(plain[start:], boundaries):
            raise CmsError("CMS holds the boundary of its multipart")
        names |= {b"content-type", b"content-transfer-encoding", b"content-length"}
        outside = [field.raw for field in head if field.name.lower() not in names]
        return _Raw([*(field.raw for field in inner), *outside], plain[start:])


def _swap(entity: Entity, swapper: _Swapper) -> Swapped:
    """Exchange what is to be exchanged of a message's body."""
    head = [Field(b"Content-Type", entity.content_type, b"Content-Type: " + entity.content_type)]
    if entity.content_encoding:
        encoding = entity.content_encoding
        head.append(Field(b"Content-Encoding", encoding, b"Content-Encoding: " + encoding))
    if any(letter in field.value for field in head for letter in (b"\r", b"\n")):
        raise FormError("the Content-Type is no media type")
    found, count = _in_part(head, entity.body, (), 0, swapper)
    if found is None:
        return Swapped(entity, 0)
    values = {field.name.lower(): field.value for field in fields(b"\r\n".join(found.head))}
    # A message has no Content-Transfer-Encoding (RFC 3261 §7.4.1: its body is binary).
    if values.get(b"content-transfer-encoding", b"").strip().lower() not in PLAIN_ENCODINGS:
        raise CmsError("CMS holds text that is encoded once more")
    return Swapped(Entity(values[b"content-type"], values.get(b"content-encoding", b""), found.body), count)


def _in_part(
    head: Sequence[Field], body: bytes, boundaries: Sequence[bytes], depth: int, swapper: _Swapper
) -> tuple[_Raw | None, int]:
    """Return a part with what was exchanged in it, None where nothing was, and how often."""
    values = {field.name.lower(): field.value for field in head}
    kind, params = media_type(values.get(b"content-type", b"text/plain"))
    swapped = swapper.swapped(head, Part(kind, values.get(b"content-disposition", b""), body), body, boundaries)
    if swapped is not None:
        return swapped, 1
    if (
        not kind.startswith(b"multipart/")
        or values.get(b"content-encoding", b"").strip().lower() not in PLAIN_ENCODINGS
    ):
        return None, 0
    if depth >= MAX_DEPTH:
        raise FormError(f"more than {MAX_DEPTH} multiparts stand in each other")
    boundary = params.get(b"boundary", b"")
    made, count = _in_multipart(body, boundary, (*boundaries, boundary), depth + 1, swapper)
    return (_Raw([_with_length(field, len(made)) for field in head], made) if count else None), count


def _in_multipart(
    body: bytes, boundary: bytes, boundaries: Sequence[bytes], depth: int, swapper: _Swapper
) -> tuple[bytes, int]:
    pieces, at, total = [], 0, 0
    for start, end in spans(body, boundary):
        raw = body[start:end]
        length, content = head_of(raw)
        found, count = _in_part(_once(fields(raw[:length])), raw[content:], boundaries, depth, swapper)
        if found is not None:
            pieces += [body[at:start], _joined(found.head, found.body)]
            at = end
            total += count
    return b"".join([*pieces, body[at:]]), total


def _once(found: Iterable[Field]) -> Sequence[Field]:
    """Return fields, of which those that count are there once: which one does would be everybody's guess."""
    head = tuple(found)
    counting = [name for field in head if (name := field.name.lower()) in _SINGLE]
    if len(set(counting)) < len(counting):
        raise FormError("a part repeats a header")
    return head


def _joined(head: Sequence[bytes], body: bytes) -> bytes:
    return b"\r\n".join((*head, b"", body))


def _with_length(field: Field, length: int) -> bytes:
    """Return a line of a multipart within another, with its length where it is the one that tells it."""
    return b"Content-Length: %d" % length if field.name.lower() == b"content-length" else field.raw


def _ends_part(data: bytes, boundaries: Sequence[bytes]) -> bool:
    """Tell whether text in a part would end it, or one of those around it: a line that begins as `spans` looks for."""
    return any(b"\n--" + each in b"\n" + data for each in boundaries)


def _collides(data: bytes, boundaries: Sequence[bytes]) -> bool:
    """Tell whether data in a part would end it, or one of those around it."""
    return any(b"--" + each in data for each in boundaries)


def cms_in(raw: bytes) -> bytes:
    """Return the CMS in a MIME entity, its head included.

    Raises:
        FormError: there is none.
    """
    length, start = head_of(raw)
    values = {field.name.lower(): field.value for field in _once(fields(raw[:length]))}
    if media_type(values.get(b"content-type", b""))[0] not in ENCRYPTED:
        raise CmsError("not CMS: the type is not application/pkcs7-mime")
    return _decoded(raw[start:], values.get(b"content-transfer-encoding", b"").strip().lower())


def _decoded(body: bytes, transfer_encoding: bytes) -> bytes:
    """Return CMS as octets: binary, or in base64, which may be received (RFC 3853 §3)."""
    if transfer_encoding in PLAIN_ENCODINGS:
        return body
    if transfer_encoding != b"base64":
        raise CmsError("CMS is encoded as nobody encodes it")
    try:
        return binascii.a2b_base64(body.translate(None, b" \t\r\n"), strict_mode=True)
    except binascii.Error:
        raise CmsError("CMS is no base64") from None
