"""A received message, and the draft of one that is to be sent.

A `Message` keeps the received bytes of every header line, folds included, and never changes. A `Draft`
is a fresh copy for one branch: stages edit its lines, read their own edits back, and what nobody
touched is sent as it was received. Two stages that edit the same line are a mistake of ours, and raise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from proxy.errors import EditConflict
from proxy.headers import NameAddr, Via, split_list, unfold


class Message:
    """A parsed request or response (RFC 3261 §7). Attributes are set by `parse` and then left alone."""

    __slots__ = (
        "body", "call_id", "cseq", "cseq_method", "from_", "from_tag", "index", "lines", "max_forwards", "method",
        "names", "raw", "reason", "start", "status", "to", "to_tag", "uri", "via",
    )  # fmt: skip

    raw: bytes
    """The message as it came, less trailing octets beyond Content-Length."""
    start: bytes
    """The start line, without CRLF."""
    method: bytes
    """Method of a request; b"" for a response."""
    uri: bytes
    """Request-URI as it stands."""
    status: int
    """Status code of a response; 0 for a request."""
    reason: bytes
    names: list[bytes]
    """Canonical lower-case name of each header line."""
    lines: list[bytes]
    """Each header line as it came: name, colon, value, inner folds; no final CRLF."""
    index: dict[bytes, Sequence[int]]
    """Positions of the lines of each canonical name."""
    body: bytes
    via: Via
    """The topmost Via value."""
    from_: NameAddr
    to: NameAddr
    from_tag: bytes
    to_tag: bytes
    call_id: bytes
    cseq: int
    cseq_method: bytes
    max_forwards: int | None

    def values(self, name: bytes) -> list[bytes]:
        """Return the unfolded value of every line of this name, in order; comma lists are not split."""
        return [unfold(self.lines[i].partition(b":")[2]) for i in self.index.get(name, ())]

    def value(self, name: bytes) -> bytes | None:
        """Return the unfolded value of the first line of this name, or None."""
        places = self.index.get(name)
        return unfold(self.lines[places[0]].partition(b":")[2]) if places else None

    def items(self, name: bytes) -> list[bytes]:
        """Return all values of a list header, over lines and commas alike (§7.3.1)."""
        return [item for value in self.values(name) for item in split_list(value)]


class Draft:
    """A message in the making: lines that may be replaced or removed, lines on top, and a body."""

    __slots__ = ("_edited", "_index", "body", "bottom", "lines", "names", "notes", "start", "top")

    def __init__(self, message: Message, notes: list[tuple[str, str]] | None = None) -> None:
        """Begin with an untouched copy of message; `notes` collects (field, reason) where somebody listens."""
        self.start = message.start
        self.names = message.names
        self._index = message.index
        self.lines: list[bytes | None] = list(message.lines)
        self.body = message.body
        self.top: list[bytes] = []
        self.bottom: list[bytes] = []
        self.notes = notes
        self._edited: set[int] = set()

    def adopt(self, name: bytes, line: bytes) -> None:
        """Add a line of another message, which later stages then edit as if it had come with this one."""
        place = len(self.lines)
        self.names = [*self.names, name]
        self.lines.append(line)
        self._index = {**self._index, name: [*self._index.get(name, ()), place]}

    def find(self, name: bytes) -> Iterator[int]:
        """Yield the positions of the lines of this name that are still there."""
        for position in self._index.get(name, ()):
            if self.lines[position] is not None:
                yield position

    def value(self, position: int) -> bytes:
        """Return the unfolded value of a line, edits included."""
        line = self.lines[position]
        return unfold(line.partition(b":")[2]) if line is not None else b""

    def first(self, name: bytes) -> bytes | None:
        """Return the unfolded value of the first line of this name, edits included."""
        for position in self.find(name):
            return self.value(position)
        return None

    def replace(self, position: int, value: bytes, why: str) -> None:
        """Give a line a new value under its received spelling of the name.

        Raises:
            EditConflict: when the line was edited before.
        """
        line = self.lines[position]
        self._claim(position, why)
        if line is not None:
            self.lines[position] = line.partition(b":")[0].rstrip(b" \t") + b": " + value

    def remove(self, position: int, why: str) -> None:
        """Take a line out.

        Raises:
            EditConflict: when the line was edited before.
        """
        self._claim(position, why)
        self.lines[position] = None

    def set_only(self, name: bytes, value: bytes, why: str) -> None:
        """Replace the first line of this name by value and remove its further lines."""
        for nth, position in enumerate(list(self.find(name))):
            if nth:
                self.remove(position, why)
            else:
                self.replace(position, value, why)

    def remove_all(self, name: bytes, why: str) -> None:
        """Remove every line of this name."""
        for position in list(self.find(name)):
            self.remove(position, why)

    def note(self, field: str, why: str) -> None:
        """Tell whoever listens why a field changed."""
        if self.notes is not None:
            self.notes.append((field, why))

    def _claim(self, position: int, why: str) -> None:
        if position in self._edited:
            raise EditConflict("one header line, two edits")
        self._edited.add(position)
        if self.notes is not None:
            self.notes.append((self.names[position].decode("ascii", "replace"), why))
