"""Which headers a message has, in which order: a phone sends the same ones in every INVITE.

Whatever follows from the names of the header lines alone is worked out once for each such row of names, and found
again by it: where each header stands (here), and what a plan does with each line (`filters/plan.py`).
"""

from __future__ import annotations

from typing import Final

from proxy.grammar import COMPACT

#: A message has exactly one of each (RFC 3261 §7.3.1, §20); a second would be read by the next hop at its whim.
SINGLE = (b"from", b"to", b"call-id", b"cseq", b"max-forwards", b"content-length")
#: By these a sender may ask for privacy, in the older two by a parameter (`filters/request.py`).
ASKING = frozenset((b"privacy", b"remote-party-id", b"diversion"))
MAX_NAME = 64
"""Longest header name that is remembered, in bytes."""
MAX_NAMES = 4096
"""Spellings of header names that are remembered; invented ones beyond it are worked out each time."""
MAX_SHAPES = 1024
"""Shapes that are remembered; they are forgotten together, and those in use are soon back."""
_PLACES = tuple((place,) for place in range(1024))
"""Positions of names that stand once, for as many header lines as `limits.headers` allows."""


class Names:
    """Header names that a stage looks for; where a message has them is worked out once for each shape."""

    __slots__ = ("names",)

    def __init__(self, *names: bytes) -> None:
        """Name them in lower case."""
        self.names = names


_KNOWN = {
    name: name
    for name in (
        b"via", b"route", b"record-route", b"max-forwards", b"from", b"to", b"call-id", b"cseq", b"contact", b"privacy",
        b"p-asserted-identity", b"supported", b"require", b"proxy-require", b"authorization", b"proxy-authorization",
        b"user-agent", b"allow", b"accept", b"content-type", b"content-length",
    )
} | COMPACT  # fmt: skip
"""Names that nearly all messages have, by their long and short forms: the very objects that compiled stages look for,
so that nothing compares letters."""


class _Canonical(dict[bytes, bytes]):
    """Header names as they stand to their canonical form; a dictionary that works out what it does not hold."""

    def __missing__(self, name: bytes) -> bytes:
        lower = name.rstrip(b" \t").lower()
        canonical = _KNOWN.get(lower, lower)
        if len(self) < MAX_NAMES and len(name) <= MAX_NAME:
            self[name] = canonical
        return canonical


canonical = _Canonical().__getitem__
"""Return the canonical form of a header name as it stands."""


class Shape:
    """The names of a message's header lines in their order; shared among messages, and never changed."""

    __slots__ = (
        "_places", "asks", "call_id", "content_length", "cseq", "from_", "heads", "index", "max_forwards", "names",
        "repeated", "shared", "starts", "to", "via",
    )  # fmt: skip

    def __init__(self, spelled: list[bytes]) -> None:
        """Note where each name stands; of more lines than `limits.headers` may allow, only the first ones."""
        self.names = names = list(map(canonical, spelled))
        """Canonical names."""
        self.heads = [name.rstrip(b" \t") + b": " for name in spelled]
        """What a line begins with whose value is edited: the name as it was spelled."""
        self.starts = tuple([name + b":" for name in spelled])
        """What each line begins with."""
        self.index = _index_of(names[: len(_PLACES)])
        """Positions of the lines of each name."""
        # Where that stands first which every message is asked for; -1 for what is missing.
        self.via = self._first(b"via")
        self.from_ = self._first(b"from")
        self.to = self._first(b"to")
        self.call_id = self._first(b"call-id")
        self.cseq = self._first(b"cseq")
        self.max_forwards = self._first(b"max-forwards")
        self.content_length = self._first(b"content-length")
        self.repeated = next((name for name in SINGLE if len(self.index.get(name, ())) > 1), b"")
        """A name that stands more than once and must not."""
        self.asks = not ASKING.isdisjoint(names)
        """Whether the sender may have asked for privacy."""
        self.shared = False
        """Whether other messages get this very object, so that something may be kept under it."""
        self._places: dict[Names, tuple[int, ...]] = {}

    def places(self, wanted: Names) -> tuple[int, ...]:
        """Return where lines with these names stand, in the order of the names; () where there is none."""
        places = self._places.get(wanted)
        if places is None:
            index = self.index
            places = tuple([place for name in wanted.names for place in index.get(name, ())])
            self._places[wanted] = places
        return places

    def _first(self, name: bytes) -> int:
        places = self.index.get(name)
        return places[0] if places else -1


def _index_of(names: list[bytes]) -> dict[bytes, tuple[int, ...]]:
    """Return where each name stands; `zip` with ready-made places replaces a loop where no name stands twice."""
    index: dict[bytes, tuple[int, ...]] = dict(zip(names, _PLACES, strict=False))
    if len(index) != len(names):
        index = {}
        for position, name in enumerate(names):
            index[name] = (*index.get(name, ()), position)
    return index


CLUE: Final = 3
"""How many bytes of each line tell which shape to expect: enough for `To:`, and none of most values."""
_shapes: dict[tuple[bytes, ...], Shape] = {}
expected: Final[dict[bytes, tuple[tuple[bytes, ...], Shape]]] = {}
"""By the clue of header lines, what each line of the latest message with that clue began with, and its shape."""


def clue_of(lines: list[bytes]) -> bytes:
    """Return what header lines begin with, CLUE bytes each."""
    return b"".join([line[:CLUE] for line in lines])


def shape_of(spelled: list[bytes], clue: bytes = b"") -> Shape:
    """Return the shape of a message whose header names are spelled so.

    Args:
        spelled: the names as they stand, all that is in front of their colons.
        clue: of the header lines; the next message with the same is expected to have this shape.
    """
    key = tuple(spelled)
    shape = _shapes.get(key)
    if shape is None:
        shape = Shape(spelled)
        if all(len(name) <= MAX_NAME for name in spelled):
            if len(_shapes) >= MAX_SHAPES:
                _shapes.clear()
            shape.shared = True
            _shapes[key] = shape
    if shape.shared and clue:
        if len(expected) >= MAX_SHAPES:
            expected.clear()
        expected[clue] = shape.starts, shape
    return shape


EMPTY = Shape([])
"""Of no header lines at all."""
