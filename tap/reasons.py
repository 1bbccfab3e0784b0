"""Why each line of a message is not what it was: the recorder's notes, and what a note does not go into.

A plan notes a body as a whole; which data category each of its lines discloses, the catalogue knows.
The core's own steps, which every message of a call meets, are named here once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from filters.catalogue import UNKNOWN, Catalogue, HeaderEntry

MECHANICS = {
    "via": "the sender's own path is restored",
    "record-route": "the dialog's record, sealed: it brings requests of the call back here",
    "route": "taken: it led here",
    "from": "the dialog as this end knows it",
    "to": "the dialog as this end knows it",
    "call-id": "the dialog as this end knows it",
    "cseq": "written anew",
    "contact": "sealed: only Sipveil can open it",
    "max-forwards": "one hop further",
    "max-breadth": "bounds forking (RFC 5393)",
    "content-length": "counts the body that passed",
    "start": "addressed to the next hop",
    "v=": "only the form that a call needs",
}
"""Field → what the core did, where it left no note."""

_FIELDS = {"request-uri": "start"}
_BODY = "body"


class Reasons:
    """The reasons of one message's edits, handed out to the lines that they are about."""

    def __init__(self, notes: Sequence[tuple[str, str]], catalogue: Catalogue) -> None:
        """Sort notes (field, why) by the field they are about."""
        self._catalogue = catalogue
        self._notes: dict[str, list[str]] = defaultdict(list)
        self._taken: set[str] = {_BODY, "content-type"}  # said of the lines of the body
        for name, why in notes:
            field = _FIELDS.get(name.lower(), name.lower())
            if why not in self._notes[field]:
                self._notes[field].append(why)

    def take(self, field: str) -> str:
        """Return why a line was edited; field: a header's lower-case name, `start`, `o=` or `a=candidate`."""
        self._taken.add(field)
        if field in self._notes:
            return "; ".join(self._notes[field])
        if "=" in field and _BODY in self._notes:
            return self._of_description(field)
        return MECHANICS.get(field, "")

    def rest(self) -> Iterator[str]:
        """Yield the reasons that no line was found for."""
        for field, texts in self._notes.items():
            if field not in self._taken:
                yield f"{field}: {'; '.join(texts)}"

    def _of_description(self, field: str) -> str:
        """Return what a line of a session description would disclose."""
        kind, _, attribute = field.partition("=")
        if kind == "a":
            return _words(self._catalogue.sdp_attributes.find(attribute.encode()))
        names = (b"o-user", b"o-address") if kind == "o" else (kind.encode(),)
        return _words(*(self._catalogue.sdp_lines.find(name) for name in names))


def _words(*entries: HeaderEntry) -> str:
    """Return the reason for entries: the categories they disclose, or that they are functions whose form counts."""
    if UNKNOWN in entries:
        return "nobody knows what it discloses"
    categories = [entry.category.name.lower() for entry in entries if entry.category is not None]
    return f"discloses {' and '.join(categories)}" if categories else "only the form that a call needs"
