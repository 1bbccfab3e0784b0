"""The metadata of a recording session, edited before a recorder gets them (RFC 7865, RFC 7866 §9.1).

Each participant is told as its own settings say; elements and attributes outside the allow-list
(`metadata_fields`) do not pass; identifiers are pseudonyms that hold for the whole recording session; labels stay, for
the session description has them too. What cannot be read is refused: MetadataError.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from config.vocabulary import Action
from filters.metadata_fields import (
    DEFINED_BY,
    DEVICES,
    FEATURE_VALUE,
    FEATURES,
    ROOTS,
    SPACES,
    Field,
    Told,
    field,
)
from filters.metadata_names import STRICT, Names, Treatment
from filters.metadata_xml import XML_SPACE, Document, Element, MetadataError, Tag, read, write
from proxy.derive import plain_reason

MAX_TEXT: Final = 256
"""Letters of what a recorder says of itself."""

# RFC 4574 §4: label = "label:" pointer; pointer = token
_LABEL = re.compile(r"[A-Za-z0-9.!%*_+`'~#$&^{}|-]{1,64}")
# XML Schema dateTime; some leave the offset out
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?", re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")


class Edited(NamedTuple):
    """Metadata as they may go on, and how much of them does not."""

    body: bytes
    dropped: int
    """Elements and attributes that did not pass."""


def edit(body: bytes, names: Names, charset: str = "") -> Edited:
    """Return metadata as they may be told; the same for the same.

    Args:
        body: the XML of one part.
        names: of the recording session.
        charset: the parameter of its media type.

    Raises:
        MetadataError: for what cannot be read, or what no recorder could make sense of.
    """
    document = read(body, charset)
    space, local = document.root.tag
    if space not in SPACES or local not in ROOTS:
        raise MetadataError("the metadata are of an unknown kind")
    editor = _Editor(names, document.root)
    root = editor.element(document.root, None)
    if root is None:
        raise MetadataError("the metadata are of an unknown kind")
    return Edited(write(Document(root, document.prefixes)), editor.dropped)


class _Editor:
    """Goes through one document; a class because what an element may tell depends on others."""

    __slots__ = ("_names", "_participants", "dropped")

    def __init__(self, names: Names, root: Element) -> None:
        self._names = names
        self._participants: dict[str, Treatment] = {}
        self.dropped = 0
        self._look(root, set())

    def _look(self, element: Element, seen: set[tuple[str, str, str]]) -> None:
        """Note what may be told of each participant.

        Raises:
            MetadataError: where an identifier is of two things: which one a recorder takes nobody knows.
        """
        local = element.tag[1]
        attributes = _plain(element)
        for key in DEFINED_BY.get(local, ()):
            if key not in attributes:
                continue
            # BroadWorks repeats a participant in each session.
            one = (local, attributes[key].strip(), attributes.get("session", ""))
            if one in seen:
                raise MetadataError("the metadata use an identifier twice")
            seen.add(one)
            if local == "participant":
                self._note_participant(one[1], element)
        for child in element.children:
            self._look(child, seen)

    def _note_participant(self, identifier: str, element: Element) -> None:
        for child in element.children:
            address = _plain(child).get("aor") if child.tag[1] == "nameID" else child.text
            if child.tag[1] in ("nameID", "aor") and address is not None:
                told = self._names.treatment(address)
                before = self._participants.get(identifier)
                self._participants[identifier] = told if before is None else told.strictest(before)

    def element(self, element: Element, parent: Element | None) -> Element | None:
        """Return an element as it may pass, with what stands in it; None for nothing."""
        space, local = element.tag
        known = field(space, local)
        if known is None:
            return self._dropped()
        if space in SPACES and local == "param":
            return self._feature(element, parent)
        text = self._text(known, element, parent)
        if text is None:
            return self._dropped()
        edited = Element(element.tag, self._attributes(known, element, parent), text)
        for child in element.children:
            kept = self.element(child, element)
            if kept is not None:
                edited.children.append(kept)
        return edited

    def _dropped(self) -> Element | None:
        """Count, and return nothing."""
        self.dropped += 1
        return None

    def _attributes(self, known: Field, element: Element, parent: Element | None) -> dict[Tag, str]:
        kept: dict[Tag, str] = {}
        for (space, key), value in element.attributes.items():
            told = known.attributes.get(key) if space == (XML_SPACE if key == "lang" else "") else None
            edited = None if told is None else self._told(told, value, known, element, parent)
            if edited is None:
                self.dropped += 1
            else:
                kept[space, key] = edited
        return kept

    def _text(self, known: Field, element: Element, parent: Element | None) -> str | None:
        """Return the text of an element; None where it would be nothing without it."""
        text = element.text.strip()
        if known.text is Told.NOTHING or (element.children and not text):
            self.dropped += bool(text)
            return ""
        return self._told(known.text, text, known, element, parent)

    def _told(self, told: Told, text: str, known: Field, element: Element, parent: Element | None) -> str | None:
        """Return what may be told of a text that says so much; None for nothing."""
        names = self._names
        if told is Told.ID:
            return names.identifier(text)
        if told is Told.ADDRESS:
            return names.address(text)
        if told is Told.NAME:
            return names.name(text, _address_of(parent))
        if told is Told.LANGUAGE:
            shows = parent is not None and names.treatment(_address_of(parent)).location is Action.KEEP
            return text if shows and _LANGUAGE.fullmatch(text) else None
        if told is Told.HEADER:
            return names.header(text)
        if told is Told.SESSION:
            return names.session(text)
        return _plainly(told, text, known)

    def _feature(self, element: Element, parent: Element | None) -> Element | None:
        """Return a feature tag of a participant's Contact as it may be told."""
        values = _plain(element)
        name, value = values.get("pname", "").strip(), values.get("pval", "")
        tag = name.lower()
        identifier = _plain(parent).get("participant_id", "").strip() if parent is not None else ""
        shows = self._participants.get(identifier, STRICT).device is Action.KEEP
        if not (tag in FEATURES and FEATURE_VALUE.fullmatch(value)) and not (tag in DEVICES and shows):
            return self._dropped()
        self.dropped += len(element.children) + len(element.attributes) - ("pname" in values) - ("pval" in values)
        kept = {("", "pname"): name}
        if "pval" in values:
            kept["", "pval"] = value
        return Element(element.tag, kept)


def _plain(element: Element) -> Mapping[str, str]:
    """Return the attributes without a namespace."""
    return {key: value for (space, key), value in element.attributes.items() if not space}


def _address_of(element: Element | None) -> str:
    """Return whose a name is: the address beside it, "" for nobody's."""
    return _plain(element).get("aor", "") if element is not None and element.tag[1] == "nameID" else ""


def _plainly(told: Told, text: str, known: Field) -> str | None:
    """Return what may be told of a text that says nothing of a person."""
    if told is Told.WORD:
        if known.words is not None and known.words.fullmatch(text):
            return text
        if known.needed:
            raise MetadataError("the metadata are neither complete nor partial")
        return None
    if told is Told.LABEL:
        if _LABEL.fullmatch(text) is None:
            raise MetadataError("the metadata have a label that is none")
        return text
    if told is Told.TIME:
        return _time(text)
    if told is Told.CAUSE:
        return plain_reason(text.encode()).decode() or None
    return text if text.isprintable() and len(text) <= MAX_TEXT else None


def _time(text: str) -> str | None:
    """Return a time in UTC: its offset would tell where somebody is."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    if found[2] is None or found[2] in "Zz":
        return text
    try:
        moment = datetime.fromisoformat(text[:19] + found[2]).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (found[1] or "") + "Z"
