"""Recording metadata as XML: read within bounds or not at all, and written anew (RFC 7865, XML 1.0, RFC 7303).

Nothing of the text that came is copied into what leaves: elements, attributes and texts are, each escaped. There are
no document types, so there are no entities and nothing is fetched; comments and processing instructions are not read;
CDATA is text. One encoding is read, UTF-8: where a declaration says another, two readers might see two documents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast
from xml.sax import SAXException
from xml.sax.xmlreader import AttributesNSImpl

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

MAX_SIZE: Final = 65_536
"""Bytes of a document; a SIP message is no larger (config.settings.Limits)."""
MAX_DEPTH: Final = 12
"""Elements within elements; BroadWorks' extension stands six deep."""
MAX_ELEMENTS: Final = 2_000
"""Elements of a document: a conference of thirty has some 400."""
MAX_ATTRIBUTES: Final = 8
"""Attributes of one element; RFC 7865 knows two."""
MAX_NAMESPACES: Final = 64
"""Declarations of namespaces in a document; Acme repeats its own in each participant."""
MAX_NAME: Final = 64
"""Letters of a name of element or attribute; RFC 7865's longest has 23."""
MAX_SPACE: Final = 256
"""Letters of a namespace."""
XML_SPACE: Final = "http://www.w3.org/XML/1998/namespace"

_DECLARATION = re.compile(r"<\?xml\s[^>]*?\bencoding\s*=\s*[\"']([^\"']*)[\"']")
_ENCODINGS: Final = ("utf-8", "utf8", "us-ascii", "ascii")
_NCNAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")

Tag = tuple[str, str]
"""Namespace ("" for none) and local name."""
Name = tuple[str | None, ...]
"""The same as the parser says it; more than two where it was misled."""


class MetadataError(ValueError):
    """Metadata that must not go on; says what is wrong from a closed set of sentences, never what stands there."""


class Element:
    """An element with what stands in it; texts between its children are joined, for metadata have none."""

    __slots__ = ("attributes", "children", "tag", "text")

    def __init__(self, tag: Tag, attributes: dict[Tag, str] | None = None, text: str = "") -> None:
        """Make one without children."""
        self.tag = tag
        self.attributes: dict[Tag, str] = {} if attributes is None else attributes
        self.text = text
        self.children: list[Element] = []


class Document:
    """A root, and the prefixes by which the document called its namespaces ("" for the default)."""

    __slots__ = ("prefixes", "root")

    def __init__(self, root: Element, prefixes: Mapping[str, str]) -> None:
        """Hold both."""
        self.root = root
        self.prefixes = prefixes


def read(data: bytes, charset: str = "") -> Document:
    """Read a document; charset is the parameter of its media type, which has the first word (RFC 7303 §3.2).

    Raises:
        MetadataError: for all that is not well-formed, has a document type, or exceeds a bound.
    """
    if len(data) > MAX_SIZE:
        raise MetadataError("the metadata are longer than any")
    text = _decoded(data, charset)
    builder = _Builder()
    parser = DefusedExpatParser(namespaceHandling=1, forbid_dtd=True)
    parser.setContentHandler(cast(Any, builder))  # one by its methods: compiled classes inherit from none of Python's
    try:
        try:
            parser.feed(text)
        finally:
            parser.close()  # which also lets go of itself: nothing waits for the garbage collector
    except DefusedXmlException:
        raise MetadataError("the metadata have a document type") from None
    except SAXException:
        raise MetadataError("the metadata are not well-formed") from None
    if builder.root is None:
        raise MetadataError("the metadata are not well-formed")
    return Document(builder.root, builder.prefixes)


def _decoded(data: bytes, charset: str) -> str:
    if charset and charset.strip().lower() not in _ENCODINGS:
        raise MetadataError("the metadata are not in UTF-8")
    try:
        text = data.decode("utf-8").removeprefix("\ufeff").strip(" \t\r\n")
    except UnicodeDecodeError:
        raise MetadataError("the metadata are not in UTF-8") from None
    if "\0" in text:
        raise MetadataError("the metadata are not in UTF-8")  # but in UTF-16, whose zero bytes are UTF-8 too
    declared = _DECLARATION.match(text)
    if declared is not None and declared[1].lower() not in _ENCODINGS:
        raise MetadataError("the metadata are not in UTF-8")
    return text


class _Builder:
    """Makes elements of what the parser reads, and stops it at the first bound; speaks SAX2 (xml.sax.handler)."""

    __slots__ = ("_count", "_path", "_spaces", "_texts", "prefixes", "root")

    def __init__(self) -> None:
        self.root: Element | None = None
        self.prefixes: dict[str, str] = {}
        self._path: list[Element] = []
        self._texts: list[list[str]] = []
        self._count = 0
        self._spaces = 0

    def startPrefixMapping(self, prefix: str | None, uri: str | None) -> None:  # noqa: N802 -- SAX2's name
        self._spaces += 1
        space = uri or ""
        if self._spaces > MAX_NAMESPACES:
            raise MetadataError("the metadata declare more namespaces than any")
        if len(space) > MAX_SPACE or any(map(str.isspace, space)):
            # The parser parts namespace and name by a blank: one within would name another element.
            raise MetadataError("the metadata declare a namespace that is none")
        taken = prefix in self.prefixes.values()
        usable = prefix and not taken and len(prefix) <= MAX_NAME and _NCNAME.fullmatch(prefix)
        self.prefixes.setdefault(space, cast(str, prefix) if usable else "")

    def startElementNS(self, name: Name, qname: str | None, attributes: AttributesNSImpl) -> None:  # noqa: N802
        self._count += 1
        if self._count > MAX_ELEMENTS or len(self._path) >= MAX_DEPTH or len(attributes) > MAX_ATTRIBUTES:
            raise MetadataError("the metadata hold more elements or attributes than any")
        element = Element(_tag(name), {_tag(key): value for key, value in attributes.items()})
        if self._path:
            self._path[-1].children.append(element)
        else:
            self.root = element
        self._path.append(element)
        self._texts.append([])

    def endElementNS(self, name: Name, qname: str | None) -> None:  # noqa: N802
        self._path.pop().text = "".join(self._texts.pop())

    def characters(self, content: str) -> None:
        if self._texts:
            self._texts[-1].append(content)

    def ignorableWhitespace(self, content: str) -> None:  # noqa: N802
        """Be told of nothing: there is no document type to say what can be ignored."""

    def endPrefixMapping(self, prefix: str | None) -> None:  # noqa: N802
        """Need not know: names come with their namespaces."""

    def setDocumentLocator(self, locator: object) -> None:  # noqa: N802
        """Need not know where: what is wrong is not told with its place."""

    def startDocument(self) -> None:  # noqa: N802
        """Have nothing to do yet."""

    def endDocument(self) -> None:  # noqa: N802
        """Have nothing to do any more."""

    def processingInstruction(self, target: str, data: str) -> None:  # noqa: N802
        """Leave it out."""

    def skippedEntity(self, name: str) -> None:  # noqa: N802
        """Refuse: an entity that nobody has declared."""
        raise MetadataError("the metadata are not well-formed")


def _tag(name: Name) -> Tag:
    if len(name) != 2:
        raise MetadataError("the metadata declare a namespace that is none")
    space, local = name
    if local is None or len(local) > MAX_NAME or _NCNAME.fullmatch(local) is None:
        raise MetadataError("the metadata have a name that is none")
    return space or "", local


def write(document: Document) -> bytes:
    """Return a document in UTF-8, the same for the same; prefixes are those that it came with."""
    used: dict[str, str] = {}
    _collect(document.root, document.prefixes, used)
    pieces = ['<?xml version="1.0" encoding="UTF-8"?>\r\n']
    declared = "".join(f' xmlns:{prefix}="{_quoted(space)}"' for space, prefix in sorted(used.items()))
    _write(document.root, document.prefixes, "", declared, pieces)
    return "".join(pieces).encode() + b"\r\n"


def _collect(element: Element, prefixes: Mapping[str, str], used: dict[str, str]) -> None:
    """Note the prefixes that stand in a tree, to be declared at its root."""
    prefix = prefixes.get(element.tag[0], "")
    if prefix:
        used[element.tag[0]] = prefix
    for child in element.children:
        _collect(child, prefixes, used)


def _write(element: Element, prefixes: Mapping[str, str], default: str, declared: str, pieces: list[str]) -> None:
    """Append the text of an element; default is the namespace of names without a prefix where it stands."""
    space, local = element.tag
    prefix = prefixes.get(space, "")
    if not prefix and space != default:
        declared += f' xmlns="{_quoted(space)}"'
        default = space
    name = f"{prefix}:{local}" if prefix else local
    attributes = "".join(
        f' {"xml:" if where == XML_SPACE else ""}{key}="{_quoted(value)}"'
        for (where, key), value in element.attributes.items()
    )
    pieces.append(f"<{name}{declared}{attributes}>{_escaped(element.text)}")
    for child in element.children:
        _write(child, prefixes, default, "", pieces)
    pieces.append(f"</{name}>")


def _escaped(text: str) -> str:
    return text.translate(_IN_TEXT)


def _quoted(text: str) -> str:
    return text.translate(_IN_VALUE)


# XML 1.0 §2.4; `>` for "]]>". §3.3.3 and §2.11: what a reader would else turn into a blank or a line end
_IN_TEXT: Final = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}
_IN_VALUE: Final = _IN_TEXT | {ord('"'): "&quot;", ord("\t"): "&#9;", ord("\n"): "&#10;"}
