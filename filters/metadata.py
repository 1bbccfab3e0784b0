"""The metadata of a recording session, edited before a recorder gets them (RFC 7865, RFC 7866 §9.1).

Each participant is told as its own settings say; elements and attributes outside the allow-list
(`metadata_fields`) do not pass; identifiers are pseudonyms that hold for the whole recording session; labels stay, for
the session description has them too. What cannot be read is refused: MetadataError.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from config.vocabulary import Action
from filters.metadata_fields import (
    DEFINED_BY,
    DEVICES,
    FEATURES,
    NO_MORE,
    ROOTS,
    SPACES,
    Field,
    Further,
    Told,
    field,
)
from filters.metadata_names import OPEN, STRICT, Names, Treatment, canonical, digits_in_row, digits_of, uri_of
from filters.metadata_xml import XML_SPACE, Document, Element, MetadataError, Tag, read, write
from proxy.derive import plain_reason

MAX_TEXT: Final = 256
"""Letters of what a recorder says of itself, and of what operators let pass."""
_SHORT: Final = 3
"""Letters that a name has to have so that a text that holds them tells it."""

# RFC 4574 §4: label = "label:" pointer; pointer = token
_LABEL = re.compile(r"[A-Za-z0-9.!%*_+`'~#$&^{}|-]{1,64}")
# XML Schema dateTime; some leave the offset out
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?", re.IGNORECASE)
# What stands between the words of a name: alice.smith
_NO_LETTERS = re.compile(r"[\W_]+")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")


class Edited(NamedTuple):
    """Metadata as they may go on, and how much of them does not."""

    body: bytes
    dropped: int
    """Elements and attributes that did not pass."""


def edit(body: bytes, names: Names, charset: str = "", further: Further = NO_MORE) -> Edited:
    """Return metadata as they may be told; the same for the same.

    Args:
        body: the XML of one part.
        names: of the recording session.
        charset: the parameter of its media type.
        further: elements that the operator lets pass besides.

    Raises:
        MetadataError: for what cannot be read, or what no recorder could make sense of.
    """
    document = read(body, charset)
    space, local = document.root.tag
    if space not in SPACES or local not in ROOTS:
        raise MetadataError("the metadata are of an unknown kind")
    editor = _Editor(names, document.root, further)
    root = editor.element(document.root, None)
    if root is None:
        raise MetadataError("the metadata are of an unknown kind")
    return Edited(write(Document(root, document.prefixes)), editor.dropped)


class _Editor:
    """Goes through one document; a class because what an element may tell depends on others."""

    __slots__ = (
        "_asks", "_digits", "_everybody", "_further", "_hidden_digits", "_hidden_words", "_named", "_names",
        "_participants", "_whose", "dropped",
    )  # fmt: skip

    def __init__(self, names: Names, root: Element, further: Further) -> None:
        self._names = names
        self._further = further
        self._asks = root.tag[1] == "requestsnapshot"
        self._participants: dict[str, Treatment] = {}
        self._named: dict[bytes, Treatment] = {}
        """What may be told of a participant, by each of its addresses."""
        self._hidden_words: set[str] = set()
        """Words of names and addresses that participants hide, as they are compared."""
        self._hidden_digits: set[str] = set()
        """Digits of addresses that participants hide."""
        self._whose: Treatment | None = None
        """What may be told of the participant that is edited; None outside of one."""
        self._digits: frozenset[str] = frozenset()
        """Digits of its addresses, where it hides these."""
        self.dropped = 0
        self._look(root, set())
        self._note_addresses(root)
        # Of a document that names no participant nobody can say whose an address is.
        self._everybody = STRICT if not self._named else OPEN
        for told in self._named.values():
            self._everybody = self._everybody.strictest(told)

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
        # Who has no address is somebody all the same, of whom nobody knows whether that one may be recorded.
        for address, _ in _addresses_of(element) or [("", "")]:
            told = self._names.treatment(address)
            before = self._participants.get(identifier, OPEN)
            self._participants[identifier] = told.strictest(before)

    def _note_addresses(self, element: Element) -> None:
        """Note what may be told of each address of participants, once all that is said of these is known."""
        if _is_participant(element):
            told = self._of(element)
            for address, name in _addresses_of(element):
                uri = canonical(address)
                self._named[uri] = told.strictest(self._named.get(uri, OPEN))
                if told.number is not Action.KEEP:
                    self._hidden_words |= _words(_user_of(address))
                    self._hidden_digits |= digits_of(address)
                if told.name is not Action.KEEP:
                    self._hidden_words |= _words(name)
        for child in element.children:
            self._note_addresses(child)

    def _of(self, participant: Element) -> Treatment:
        """Return what may be told of a participant: the strictest of what its addresses say, wherever it has them."""
        attributes = _plain(participant)
        identifiers = [attributes[key].strip() for key in DEFINED_BY["participant"] if key in attributes]
        said = [self._participants[one] for one in identifiers if one in self._participants]
        said += [self._names.treatment(address) for address, _ in _addresses_of(participant)]
        told = OPEN if said else STRICT
        for each in said:
            told = told.strictest(each)
        return told

    def element(self, element: Element, parent: Element | None) -> Element | None:
        """Return an element as it may pass, with what stands in it; None for nothing."""
        if _is_participant(element):
            around = self._whose, self._digits
            self._whose = self._of(element)
            addresses = _addresses_of(element) if self._whose.number is not Action.KEEP else []
            self._digits = frozenset([each for address, _ in addresses for each in digits_of(address)])
            edited = self._element(element, parent)
            self._whose, self._digits = around
            return edited
        return self._element(element, parent)

    def _element(self, element: Element, parent: Element | None) -> Element | None:
        space, local = element.tag
        known = field(space, local, self._further)
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
            return names.address(text, self._most(text))
        if told is Told.NAME:
            return self._name(text, _address_of(parent))
        if told is Told.LANGUAGE:
            address = _address_of(parent)
            shows = names.treatment(address).strictest(self._most(address)).location is Action.KEEP
            return text if shows and _LANGUAGE.fullmatch(text) else None
        if told is Told.HEADER:
            return names.header(text, self._most(uri_of(text)))
        if told is Told.TEXT and not self._asks:
            return None  # a recorder's word; whoever else says something there tells whom it likes
        if told is Told.OTHER and self._tells_of_somebody(text):
            return None
        if told is Told.SESSION:
            return names.session(text)
        if told is Told.CALL:
            return names.call(text)
        return _plainly(told, text, known)

    def _name(self, text: str, address: str) -> str | None:
        """Return the name beside an address as it may be told: with no digits of another one that is hidden, either."""
        most = self._most(address)
        if most.name is Action.KEEP and not self._digits.isdisjoint(digits_in_row(text)):
            return None
        return self._names.name(text, address, most)

    def _most(self, address: str) -> Treatment:
        """Return what may be told of an address at most.

        That is what may be told of the participant who has it, and of the one within which it stands. Where nobody has
        it, it may be one of them all the same, in other words: the digits that were dialled.
        """
        most = self._named.get(canonical(address), self._everybody)
        return most if self._whose is None else most.strictest(self._whose)

    def _tells_of_somebody(self, text: str) -> bool:
        """Tell whether a text holds a name or an address, or digits of one, that a participant hides."""
        folded = _folded(text)
        return not self._hidden_digits.isdisjoint(digits_in_row(text)) or any(
            word in folded for word in self._hidden_words
        )

    def _feature(self, element: Element, parent: Element | None) -> Element | None:
        """Return a feature tag of a participant's Contact as it may be told."""
        values = _plain(element)
        name, value = values.get("pname", "").strip(), values.get("pval", "")
        tag = name.lower()
        identifier = _plain(parent).get("participant_id", "").strip() if parent is not None else ""
        shows = self._participants.get(identifier, STRICT).device is Action.KEEP
        known = FEATURES.get(tag) or (DEVICES.get(tag) if shows else None)
        if known is None or not known.fullmatch(value):
            return self._dropped()
        self.dropped += len(element.children) + len(element.attributes) - ("pname" in values) - ("pval" in values)
        kept = {("", "pname"): name}
        if "pval" in values:
            kept["", "pval"] = value
        return Element(element.tag, kept)


def _is_participant(element: Element) -> bool:
    return element.tag[0] in SPACES and element.tag[1] == "participant"


def _addresses_of(participant: Element) -> list[tuple[str, str]]:
    """Return the addresses of a participant, each with the display name beside it."""
    found = []
    for child in participant.children:
        if child.tag[1] == "nameID":
            beside = " ".join(name.text for name in child.children if name.tag[1] == "name")
            found.append((_plain(child).get("aor", ""), beside.strip()))
        elif child.tag[1] == "aor":
            found.append((child.text, ""))
    return found


def _folded(text: str) -> str:
    """Return a text as words in it are looked for: letters that look alike are alike."""
    return unicodedata.normalize("NFKC", text).casefold()


def _words(text: str) -> set[str]:
    """Return the words of a name, or of the user of an address, by which a text would tell it."""
    return {word for word in _NO_LETTERS.split(_folded(text)) if len(word) >= _SHORT}


def _user_of(address: str) -> str:
    """Return what stands before the host of an address; the whole where there is none, or it cannot be read."""
    uri = canonical(address).decode("utf-8", "replace") or address
    return uri.partition("@")[0].partition(":")[2] or address.partition("@")[0]


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
