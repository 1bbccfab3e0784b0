"""A received message, and the draft of one that is to be sent.

A `Message` keeps the received bytes of every header line, folds included, and never changes. A `Draft`
is a fresh copy for one branch: stages edit its lines, read their own edits back, and what nobody
touched is sent as it was received. Two stages that edit the same line are a mistake of ours, and raise.
"""

from __future__ import annotations

from proxy.errors import EditConflict
from proxy.headers import NameAddr, Via, parse_name_addr, split_list, value_of
from proxy.memo import remembered
from proxy.shape import EMPTY, Shape


class Message:
    """A parsed request or response (RFC 3261 §7). Attributes are set by `parse` and then left alone."""

    __slots__ = (
        "body", "call_id", "callee", "caller", "cseq", "cseq_method", "echo", "foreign", "from_", "from_tag", "index",
        "lines", "max_forwards", "method", "names", "raw", "reason", "shape", "start", "status", "to", "to_tag", "uri",
        "via",
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
    index: dict[bytes, tuple[int, ...]]
    """Positions of the lines of each canonical name."""
    shape: Shape
    """What names and index are of, as long as nothing of the message was released."""
    body: bytes
    via: Via
    """The topmost Via value."""
    from_: NameAddr
    """Display name and URI of From, without header parameters."""
    to: NameAddr
    """The same of To."""
    from_tag: bytes
    to_tag: bytes
    call_id: bytes
    cseq: int
    cseq_method: bytes
    max_forwards: int | None
    caller: NameAddr | None
    """Who a request is from by authentication, where its From does not tell (`account_identity`)."""
    foreign: tuple[bytes, ...]
    """Names of its headers that name somebody else in place of whose account it is (`claimed`)."""
    callee: bytes
    """URI of whom a request is for, where its Request-URI names an instance of theirs; b"" where that tells."""
    echo: tuple[bytes, bytes] | None
    """What responses repeat of a request, up to the end of To and behind it; kept here by `reply.echo`."""

    def take(self, shape: Shape) -> None:
        """Have the header names of a shape."""
        self.shape, self.names, self.index = shape, shape.names, shape.index

    def release(self) -> None:
        """Let go of everything that a forwarded request is not asked for any more: 5 kB of 6 while a call rings.

        What stays: the values that were read, Record-Route lines, and `echo`, which must have been made.
        """
        places = self.index.get(b"record-route", ())
        self.lines = [self.lines[position] for position in places]
        self.take(Shape([b"record-route"] * len(places)) if places else EMPTY)
        self.start = self.uri = self.raw = self.body = b""
        self.via = self.via.bare

    def values(self, name: bytes) -> list[bytes]:
        """Return the unfolded value of every line of this name, in order; comma lists are not split."""
        return [value_of(self.lines[i]) for i in self.index.get(name, ())]

    def value(self, name: bytes) -> bytes | None:
        """Return the unfolded value of the first line of this name, or None."""
        places = self.index.get(name)
        return value_of(self.lines[places[0]]) if places else None

    def address(self, name: bytes) -> NameAddr | None:
        """Return the first value of a header that is a list of addresses, or None.

        Raises:
            Malformed: when it cannot be read.
        """
        places = self.index.get(name)
        return _first_address(self.lines[places[0]]) if places else None

    def items(self, name: bytes) -> list[bytes]:
        """Return all values of a list header, over lines and commas alike (§7.3.1)."""
        if name not in self.index:
            return []
        return [item for value in self.values(name) for item in split_list(value)]


def with_value(line: bytes, value: bytes) -> bytes:
    """Return a header line with another value, under its received spelling of the name."""
    return line.partition(b":")[0].rstrip(b" \t") + b": " + value


@remembered
def _first_address(line: bytes) -> NameAddr | None:
    items = split_list(value_of(line))
    return parse_name_addr(items[0]) if items else None


class Draft:
    """A message in the making: lines that may be replaced or removed, lines on top, and a body."""

    __slots__ = (
        "_heads", "_index", "_received", "body", "bottom", "lines", "names", "notes", "received_body", "shape", "start",
        "top",
    )  # fmt: skip

    def __init__(self, message: Message, notes: list[tuple[str, str]] | None = None) -> None:
        """Begin with an untouched copy of message; `notes` collects (field, reason) where somebody listens."""
        self.start = message.start
        self.shape = message.shape
        """The message's; lines that were adopted stand behind those that it is of."""
        self.names = message.names
        self._index = message.index
        self._heads = message.shape.heads
        self.lines: list[bytes | None] = list(message.lines)
        self.body = self.received_body = message.body
        self.top: list[bytes] = []
        """What routes and counts, and is made when the plan was applied, or holds nothing that it could hide."""
        self.bottom: list[bytes] = []
        """The same, and what is made of the message as it leaves (`Plan.vouch`). All else that is added is adopted."""
        self.notes = notes
        self._received: list[bytes] = message.lines
        """As they came: a line that is another object by now was edited."""

    def adopt(self, name: bytes, line: bytes) -> None:
        """Add a line, which later stages read and edit as if it had come with this message; so no plan misses it."""
        place = len(self.lines)
        self.names = [*self.names, name]
        self._heads = [*self._heads, line.partition(b":")[0].rstrip(b" \t") + b": "]
        self.lines.append(line)
        self._received = [*self._received, line]
        self._index = {**self._index, name: (*self._index.get(name, ()), place)}

    def became(self, name: bytes, value: bytes) -> None:
        """Give the first line of this name a new value as if it had come so; a plan then edits it as any other."""
        position = self.find(name)[0]
        line = self.with_value(position, value)
        self._received = [*self._received]
        self.lines[position] = self._received[position] = line

    def __contains__(self, name: bytes) -> bool:
        """Tell whether the message came with lines of this name, or adopted one."""
        return name in self._index

    @property
    def has_length(self) -> bool:
        """Whether there is a Content-Length; nobody takes it away (`parse` has checked it against the body)."""
        return self.shape.content_length >= 0

    def find(self, name: bytes) -> list[int]:
        """Return the positions of the lines of this name that are still there."""
        places = self._index.get(name)
        if places is None:
            return []
        lines = self.lines
        return [position for position in places if lines[position] is not None]

    def value(self, position: int) -> bytes:
        """Return the unfolded value of a line, edits included."""
        line = self.lines[position]
        return value_of(line) if line is not None else b""

    def first(self, name: bytes) -> bytes | None:
        """Return the unfolded value of the first line of this name, edits included."""
        for position in self.find(name):
            return self.value(position)
        return None

    def with_value(self, position: int, value: bytes) -> bytes:
        """Return a line with another value, under its received spelling of the name."""
        return self._heads[position] + value

    def replace(self, position: int, value: bytes, why: str) -> None:
        """Give a line a new value under its received spelling of the name.

        Raises:
            EditConflict: when the line was edited before.
        """
        self.put(position, self.with_value(position, value), why)

    def remove(self, position: int, why: str) -> None:
        """Take a line out.

        Raises:
            EditConflict: when the line was edited before.
        """
        self.put(position, None, why)

    def set_only(self, name: bytes, value: bytes, why: str) -> None:
        """Replace the first line of this name by value and remove its further lines."""
        places = self._index.get(name)
        if places is None:
            return
        first = True
        for position in places:
            if self.lines[position] is not None:
                self.put(position, self.with_value(position, value) if first else None, why)
                first = False

    def put(self, position: int, line: bytes | None, why: str) -> None:
        """Set a whole line, name and all, or take it out; `replace` and `remove` for who has worked out either.

        Raises:
            EditConflict: when the line was edited before.
        """
        if self.lines[position] is not self._received[position]:
            raise EditConflict("one header line, two edits")
        if self.notes is not None:
            self.notes.append((self.names[position].decode("ascii", "replace"), why))
        self.lines[position] = line

    def settle(self, position: int, line: bytes | None, why: str) -> None:
        """Set a whole line or take it out, whoever edited it before: only for what has the last word (`Plan.vouch`)."""
        self.lines[position] = line
        self.note(self.names[position].decode("ascii", "replace"), why)

    def remove_all(self, name: bytes, why: str) -> None:
        """Remove every line of this name."""
        places = self._index.get(name)
        if places is not None:
            self.clear(places, why)

    def clear(self, places: tuple[int, ...], why: str) -> None:
        """Remove the lines at these positions that are still there."""
        for position in places:
            if self.lines[position] is not None:
                self.put(position, None, why)

    def note(self, field: str, why: str) -> None:
        """Tell whoever listens why a field changed."""
        if self.notes is not None:
            self.notes.append((field, why))
