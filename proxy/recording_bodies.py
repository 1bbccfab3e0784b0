"""What a body says of recording (RFC 7866 §9, §11.3; RFC 7865), in whatever multipart it stands.

This looks as leniently as the most lenient recorder reads: a part that only one reader in ten would find must not
cross unnoticed. Where readers differ (a header twice, a boundary written two ways, what is encoded), it looks at what
each of them would see. What may pass is for the plan to say, which reads strictly (`filters/bodies.py`).
"""

from __future__ import annotations

import binascii
import quopri
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from proxy.grammar import COMPACT
from proxy.headers import unfold
from proxy.message import Message

MAX_DEPTH = 8
"""Bodies within bodies that are looked into; real ones nest two or three deep."""
MAX_PARTS = 64
"""Parts of one message that are looked at, at all depths together; real ones have two to four."""
MAX_UNPACKED = 262_144
"""Octets that what is compressed may become; metadata of a large conference take a tenth of it."""

_TYPE: Final = b"rs-metadata"
"""What all types of metadata have in common: `application/rs-metadata`, `…+xml`, `…-request`, and misspelt ones."""
_DISPOSITION: Final = b"recording-session"
# RFC 7865 §6, and what Acme and BroadWorks write (standards.md §5 R4); BroadWorks' own extension (R15)
_NAMESPACES = (b"urn:ietf:params:xml:ns:recording", b"urn:ietf:params:xml:ns:siprec")
_EXTENSION = b"http://schema.broadsoft.com/broadworkscallrecording"
_ROOTS = (b"recording", b"recording_metadata", b"requestsnapshot")

_BOUNDARY = re.compile(
    rb";[ \t]*boundary[ \t]*=[ \t]*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;\"]+))", re.IGNORECASE | re.DOTALL
)
_HEADER = re.compile(rb"([A-Za-z0-9-]+)[ \t]*:")
# XML 1.0: document ::= prolog element; prolog ::= XMLDecl? Misc* (doctypedecl Misc*)?
_BEFORE_ROOT = re.compile(rb"(?>(?:\s++|<\?.*?\?>|<!--.*?-->|<![A-Za-z][^>\[]*(?:\[.*?\]\s*)?>)*)", re.DOTALL)
_NAME = rb"[^\s:<>/=!?\"'\[\]]+"
_START_TAG = re.compile(
    rb"<(?:(" + _NAME + rb"):)?(" + _NAME + rb")(?![^\s/>])((?>(?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*))>", re.DOTALL
)
_ATTRIBUTE = re.compile(rb"(?<=[\s\"'])([^\s=<>/\"']++)\s*=\s*(?:\"([^\"]*+)\"|'([^']*+)')")
_CHARACTER = re.compile(rb"&#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}));")
_SUBSET = re.compile(rb"<![A-Za-z][^<>\[]*\[")
"""A document type that declares something: attributes, namespaces among them, may come from there (XML 1.0 §3.3.2)."""
_MENTIONED = re.compile(
    rb"<(?:[^\s:<>/=!?]+:)?(?:" + b"|".join(_ROOTS) + rb")[\s/>]|"
    + b"|".join(map(re.escape, (*_NAMESPACES, _EXTENSION))), re.IGNORECASE,
)  # fmt: skip
ENCRYPTED: Final = frozenset((b"application/pkcs7-mime", b"application/x-pkcs7-mime"))
"""Types of CMS (RFC 8551 §3.2); the second is what it was called before it was registered."""
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_PLAIN = frozenset((b"", b"identity", b"7bit", b"8bit", b"binary"))
_DEFLATED = frozenset((b"gzip", b"x-gzip", b"deflate", b"zlib"))
_NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class _Body(NamedTuple):
    """A body, with the values of all lines that describe it."""

    types: Sequence[bytes]
    dispositions: Sequence[bytes]
    encodings: Sequence[bytes]
    content: bytes


class BodyReader:
    """Looks through one body; `rule` is the strongest rule of standards.md §5 that it found, "" for none."""

    __slots__ = ("_left", "encrypted", "leaves", "rule", "texts")

    def __init__(self) -> None:
        """Begin with nothing found."""
        self.rule = ""
        self.texts: list[bytes] = []
        """Texts that stand in it, for whoever knows commands."""
        self.leaves: list[bytes] = []
        """All that is no multipart, no metadata and not encrypted, as it stands and decoded."""
        self.encrypted: list[bytes] = []
        """CMS, as it stands and decoded, in which any letters may stand by accident."""
        self._left = MAX_PARTS

    def read(self, content_type: bytes, disposition: bytes, body: bytes) -> None:
        """Look at a body, and at what it is put together from; `unread` where there is too much of it."""
        self._look(_Body((content_type,), (disposition,), (), body), 0)

    def read_message(self, message: Message) -> None:
        """Look at the body of a message, by all that its headers say of it."""
        values = message.values
        encodings = [*values(b"content-encoding"), *values(b"content-transfer-encoding")]
        self._look(_Body(values(b"content-type"), values(b"content-disposition"), encodings, message.body), 0)

    def _look(self, body: _Body, depth: int) -> None:
        kinds = [_word(each) for each in body.types] or [b""]
        if any(_TYPE in kind for kind in kinds):
            self.rule = "R2"
        elif any(_DISPOSITION in _word(each) for each in body.dispositions):
            self.rule = self.rule or "R3"
        for content in self._contents(body):
            nested = [part for kind in dict.fromkeys(kinds) for part in _nested(kind, body.types, content)]
            if nested and depth >= MAX_DEPTH:
                self.rule = self.rule or UNREAD
            elif nested:
                self._look_into(nested, depth)
            elif is_recording_xml(content):
                self.rule = self.rule if self.rule == "R2" else "R4"
            elif ENCRYPTED.issuperset(kinds):
                self.encrypted.append(content)
            else:
                self.leaves.append(content)
                if any(kind.startswith(b"text/") or not kind for kind in kinds):
                    self.texts.append(content)

    def _look_into(self, parts: Iterable[bytes], depth: int) -> None:
        for part in parts:
            self._left -= 1
            if self._left < 0:
                self.rule = self.rule or UNREAD
                return
            self._look(_headed(part), depth + 1)

    def _contents(self, body: _Body) -> Iterator[bytes]:
        """Yield a body as it stands, for who does not decode, and decoded."""
        yield body.content
        encodings = [each.strip().lower() for value in body.encodings for each in value.split(b",")]
        if _PLAIN.issuperset(encodings):
            return
        content = body.content
        for encoding in reversed(encodings):
            decoded = _decoded(encoding, content)
            if decoded is None:
                self.rule = self.rule or UNREAD
                return
            content = decoded
        if content != body.content:
            yield content


def holds_recording(body: bytes) -> bool:
    """Tell whether anything that can be read in a body names a namespace of recording metadata, wherever it stands.

    Before the first part and behind the last one too, where `BodyReader` sees no part.
    """
    lowered = body.lower()
    return any(space in lowered for space in (*_NAMESPACES, _EXTENSION))


UNREAD = "R2-unread"
"""More multiparts or parts than are looked at, or encoded as nobody here decodes: what stands there nobody knows."""


def is_recording_xml(body: bytes) -> bool:
    """Tell whether a text is XML whose root is one of the recording metadata's (RFC 7865 §6), in any dialect."""
    text = body
    if b"\0" in text[:4]:
        text = text.replace(b"\0", b"")  # UTF-16 and UTF-32: all that tells is ASCII
    for mark in _MARKS:
        text = text.removeprefix(mark)
    start = text.lstrip()
    if start[:1] != b"<":
        return False
    before = _BEFORE_ROOT.match(start)
    end = before.end() if before is not None else 0
    root = _START_TAG.match(start, end)
    if root is None:
        # A prologue or start tag that cannot be read: what names it is taken for one.
        return _MENTIONED.search(start) is not None
    local = root[2].lower()
    if local in _ROOTS and _SUBSET.search(start, 0, end) is not None:
        return True
    declared: dict[bytes, bytes] = {}
    for name, double, single in _ATTRIBUTE.findall(root[3]):
        declared.setdefault(name, _resolved(double or single))
    space = declared.get(b"xmlns:" + root[1] if root[1] else b"xmlns", b"").strip().lower()
    return (local in _ROOTS and space.startswith(_NAMESPACES)) or space == _EXTENSION


def _resolved(value: bytes) -> bytes:
    """Return the value of an attribute with its character references resolved (XML 1.0 §4.1); only ASCII tells."""

    def letter(found: re.Match[bytes]) -> bytes:
        number = int(found[1], 16) if found[1] else int(found[2])
        return b"%c" % number if number < 128 else found[0]

    return _CHARACTER.sub(letter, value) if b"&" in value else value


def _word(value: bytes) -> bytes:
    """Return what stands before the parameters, in lower case, without blanks (SLASH has some, RFC 3261 §25.1)."""
    return b"".join(value.partition(b";")[0].lower().split()).strip(b'"')


def _nested(kind: bytes, types: Sequence[bytes], content: bytes) -> list[bytes]:
    """Return the raw parts of a multipart, or what a message holds."""
    if kind.startswith(b"multipart/"):
        return _parts(types, content)
    if kind == b"message/cpim":
        return [_behind_head(content)]
    if not kind.startswith(b"message/"):
        return []
    first, _, rest = content.partition(b"\n")
    return [content if _HEADER.match(first) else rest]  # RFC 3420, RFC 3261 §27.5: a start line before the headers


def _parts(types: Sequence[bytes], body: bytes) -> list[bytes]:
    """Return the raw parts of a multipart, by each boundary that somebody may take for its own.

    Those are the declared ones, and the first line that looks like one: some state none, or another.
    """
    text = b"\n" + body
    boundaries: list[bytes] = []
    for found in (each for value in types for each in _BOUNDARY.finditer(value)):
        boundaries += [found[2] or found[1], re.sub(rb"\\(.)", rb"\1", found[1] or b"")]
    boundaries.append(text.partition(b"\n--")[2].partition(b"\n")[0])
    parts: list[bytes] = []
    for boundary in dict.fromkeys(each.strip() for each in boundaries if each and each.strip()):
        chunks = text.split(b"\n--" + boundary, MAX_PARTS + 1)[1:]
        parts += [chunk.partition(b"\n")[2].removesuffix(b"\r") for chunk in chunks]
    return parts


def _headed(part: bytes) -> _Body:
    """Return a part, taken apart; some leave out the blank line between head and body."""
    types: list[bytes] = []
    dispositions: list[bytes] = []
    encodings: list[bytes] = []
    told = {
        b"content-type": types, b"content-disposition": dispositions, b"content-encoding": encodings,
        b"content-transfer-encoding": encodings,
    }  # fmt: skip
    text = part
    while True:
        line, newline, rest = text.partition(b"\n")
        while newline and rest[:1] in (b" ", b"\t"):
            more, newline, rest = rest.partition(b"\n")
            line += b"\r\n" + more
        match = _HEADER.match(line)
        if match is None:
            return _Body(types, dispositions, encodings, rest if newline and not line.strip() else text)
        name = match[1].lower()
        values = told.get(COMPACT.get(name, name))
        if values is not None:
            values.append(unfold(line[match.end() :].rstrip(b"\r")))
        if not newline:
            return _Body(types, dispositions, encodings, b"")
        text = rest


def _decoded(encoding: bytes, content: bytes) -> bytes | None:
    """Return what an encoding made content of; None for what nobody here can decode."""
    if encoding in _PLAIN:
        return content
    if encoding == b"quoted-printable":
        return quopri.decodestring(content)
    if encoding == b"base64":
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", content)
        whole = len(letters) - (len(letters) % 4 == 1)  # one letter more is six bits, and no octet
        return binascii.a2b_base64(letters[:whole] + b"==")
    unpacked = _unpacked(content) if encoding in _DEFLATED else None
    if unpacked is None and not _NO_TEXT.search(content):
        return content  # a word that means nothing, such as a charset: it stands there as it is
    return unpacked


def _unpacked(content: bytes) -> bytes | None:
    """Return what was compressed (RFC 1952, RFC 1950, RFC 1951); None where it does not open, or is too much."""
    for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        machine = zlib.decompressobj(window)
        try:
            text = machine.decompress(content, MAX_UNPACKED)
        except zlib.error:
            continue
        return None if machine.unconsumed_tail else text
    return None


def _behind_head(body: bytes) -> bytes:
    """Return the part that message/cpim wraps (RFC 3862 §2)."""
    head, end, part = body.partition(b"\r\n\r\n")
    return part if end else head.partition(b"\n\n")[2]
