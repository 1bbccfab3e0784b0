"""What a body says of recording (RFC 7866 §9, §11.3; RFC 7865), in whatever multipart it stands.

This looks as leniently as the most lenient recorder reads: a part that only one reader in ten would find must not
cross unnoticed. What may pass is for the plan to say, which reads strictly (`filters/bodies.py`).
"""

from __future__ import annotations

import re

from proxy.grammar import COMPACT
from proxy.headers import unfold

MAX_DEPTH = 8
"""Bodies within bodies that are looked into; real ones nest two or three deep."""
MAX_PARTS = 64
"""Parts of one message that are looked at, at all depths together; real ones have two to four."""
MAX_PROLOGUE = 4096
"""Bytes of a part in which the start tag of its root is looked for: declarations and comments stand before it."""

_TYPES = (b"application/rs-metadata", b"application/rs-metadata+xml", b"application/rs-metadata-request")
# RFC 7865 §6, and what Acme and BroadWorks write (standards.md §5 R4); BroadWorks' own extension (R15)
_NAMESPACES = (
    b"urn:ietf:params:xml:ns:recording:1", b"urn:ietf:params:xml:ns:recording", b"urn:ietf:params:xml:ns:siprec",
)  # fmt: skip
_EXTENSION = b"http://schema.broadsoft.com/broadworkscallrecording"
_ROOTS = (b"recording", b"recording_metadata", b"requestsnapshot")

_BOUNDARY = re.compile(rb";[ \t]*boundary[ \t]*=[ \t]*(?:\"([^\"]*)\"|([^\s;\"]+))", re.IGNORECASE)
_HEADER = re.compile(rb"([A-Za-z0-9-]+)[ \t]*:")
# XML 1.0: document ::= prolog element; prolog ::= XMLDecl? Misc* (doctypedecl Misc*)?
_BEFORE_ROOT = re.compile(rb"(?:\s++|<\?.*?\?>|<!--.*?-->|<![A-Za-z][^>\[]*(?:\[.*?\]\s*)?>)*+", re.DOTALL)
_START_TAG = re.compile(rb"<(?:([^\s:<>/=]+):)?([^\s:<>/=]+)([^<]*?)/?>", re.DOTALL)
_DECLARED = re.compile(rb"\sxmlns(?::([^\s=]+))?\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"<\x00": "utf-16-le", b"\x00<": "utf-16-be"}


class BodyReader:
    """Looks through one body; `rule` is the strongest rule of standards.md §5 that it found, "" for none."""

    __slots__ = ("_left", "rule", "texts")

    def __init__(self) -> None:
        """Begin with nothing found."""
        self.rule = ""
        self.texts: list[bytes] = []
        """Texts that stand in it, for whoever knows commands."""
        self._left = MAX_PARTS

    def read(self, content_type: bytes, disposition: bytes, body: bytes, depth: int = 0) -> None:
        """Look at a body, and at what it is put together from; `unread` where there is too much of it."""
        kind = _word(content_type)
        if kind in _TYPES:
            self.rule = "R2"
        elif _word(disposition) == b"recording-session":
            self.rule = self.rule or "R3"
        if kind.startswith(b"multipart/") or kind == b"message/cpim":
            if depth >= MAX_DEPTH:
                self.rule = self.rule or UNREAD
                return
            for part in _parts(content_type, body) if kind != b"message/cpim" else [_behind_head(body)]:
                self._left -= 1
                if self._left < 0:
                    self.rule = self.rule or UNREAD
                    return
                self.read(*_headed(part), depth + 1)
        elif is_recording_xml(body):
            self.rule = self.rule if self.rule == "R2" else "R4"
        elif kind.startswith(b"text/") or not kind:
            self.texts.append(body)


def holds_recording(body: bytes) -> bool:
    """Tell whether anything that can be read in a body names a namespace of recording metadata, wherever it stands.

    Before the first part and behind the last one too, where `BodyReader` sees no part.
    """
    lowered = body.lower()
    return any(space in lowered for space in (*_NAMESPACES, _EXTENSION))


UNREAD = "R2?"
"""More multiparts or parts than are looked at: what stands in them nobody knows."""


def is_recording_xml(body: bytes) -> bool:
    """Tell whether a text is XML whose root is one of the recording metadata's (RFC 7865 §6), in any dialect."""
    text = body[:MAX_PROLOGUE].removeprefix(b"\xef\xbb\xbf")
    encoding = _UTF_16.get(text[:2])
    if encoding is not None:
        text = text.decode(encoding, "replace").lstrip("\ufeff").encode()
    start = text.lstrip()
    if start[:1] != b"<":
        return False
    before = _BEFORE_ROOT.match(start)
    root = _START_TAG.match(start, before.end() if before else 0)
    if root is None:
        # Too long a prologue, or no start tag: named after all, it is taken for one.
        return any(space in start for space in _NAMESPACES)
    declared = {prefix: double or single for prefix, double, single in _DECLARED.findall(root[3])}
    space = declared.get(root[1] or b"", b"").strip()
    local = root[2].lower()
    return (local in _ROOTS and space.lower() in _NAMESPACES) or space.lower() == _EXTENSION


def _word(value: bytes) -> bytes:
    """Return what stands before the parameters, in lower case and without blanks."""
    return value.partition(b";")[0].strip().lower()


def _parts(content_type: bytes, body: bytes) -> list[bytes]:
    """Return the raw parts of a multipart; where no boundary is stated, by the first line that looks like one."""
    found = _BOUNDARY.search(content_type)
    boundary = (found[1] or found[2] or b"") if found else b""
    text = b"\n" + body
    if not boundary:
        boundary = text.partition(b"\n--")[2].partition(b"\n")[0].strip()
    if not boundary:
        return []
    chunks = text.split(b"\n--" + boundary, MAX_PARTS + 1)[1:]
    return [chunk.partition(b"\n")[2].removesuffix(b"\r") for chunk in chunks]


def _headed(part: bytes) -> tuple[bytes, bytes, bytes]:
    """Return Content-Type, Content-Disposition and body of a part; some leave out the blank line between them."""
    content_type = disposition = b""
    text = part
    while True:
        line, newline, rest = text.partition(b"\n")
        while newline and rest[:1] in (b" ", b"\t"):
            more, newline, rest = rest.partition(b"\n")
            line += b"\r\n" + more
        match = _HEADER.match(line)
        if match is None:
            return content_type, disposition, rest if newline and not line.strip() else text
        name = match[1].lower()
        value = unfold(line[match.end() :].rstrip(b"\r"))
        if COMPACT.get(name, name) == b"content-type":
            content_type = value
        elif name == b"content-disposition":
            disposition = value
        if not newline:
            return content_type, disposition, b""
        text = rest


def _behind_head(body: bytes) -> bytes:
    """Return the part that message/cpim wraps (RFC 3862 §2)."""
    head, end, part = body.partition(b"\r\n\r\n")
    return part if end else head.partition(b"\n\n")[2]
