"""Values that hide under XOR with something that the same message shows.

Kamailio's and OpenSIPS' `uac_replace_from` write the original caller XORed with the replacement into Record-Route,
and the replacement stands in the same message's From.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from filters.decodings import tokens
from filters.places import places

LEAST_UNDER_XOR = 8
"""Shortest value that is looked for, in bytes: chance would find shorter ones."""
MAX_UNDER_XOR = 1 << 16
"""Bytes of visible text and of tokens that are tried against each other."""

_URI = re.compile(rb"(?:sips?|tel):[^\s<>\",;?]{3,255}", re.IGNORECASE)
_HEAD = 3
"""Bytes by which values and keys are looked up before whole ones are compared."""


def found_by_xor(data: bytes, planted: Iterable[bytes]) -> set[bytes]:
    """Return those values that a token gives away when XORed with something else that is visible.

    A value v masked as v XOR k shows when k is text of the same message, the mask of another token, or one
    repeated byte. Values under eight bytes are left out: chance would find them.
    """
    return {value for value, _ in unmasked(data, [value for value in planted if len(value) >= LEAST_UNDER_XOR])}


def unmasked(data: bytes, values: Sequence[bytes]) -> Iterator[tuple[bytes, tuple[str, str]]]:
    """Yield (value, (place, form)) for each value that XOR with something visible brings to light."""
    yield from Unmasking(values)(data)


class Unmasking:
    """Values of eight bytes at least, prepared for being looked for in many messages."""

    __slots__ = ("_heads", "_longest", "_steps", "_values")

    def __init__(self, values: Sequence[bytes]) -> None:
        """Sort them by their beginnings, of which thousands of values may have few."""
        self._values = values
        self._longest = max(map(len, values), default=0)
        self._heads: dict[bytes, set[bytes]] = {}
        self._steps: dict[bytes, list[tuple[bytes, bytes]]] = {}
        for value in values:
            steps = _differences(value)
            self._steps.setdefault(steps[:_HEAD], []).append((value, steps))
            for spelling in (value, value.lower()):
                self._heads.setdefault(spelling[:_HEAD], set()).add(spelling)

    def __call__(self, data: bytes) -> Iterator[tuple[bytes, tuple[str, str]]]:
        """Yield (value, (place, form)) for each that XOR with something visible in a message brings to light."""
        if not self._values:
            return
        pieces = list(places(data[:MAX_UNDER_XOR]))
        masked = _bounded((place, token) for place, text in pieces for token in tokens(text))
        for place, token in masked:
            yield from ((value, (place, "XOR with one byte")) for value in self._under_one_byte(token))
        if masked:
            yield from self._by_key(masked, _bounded(_keys(pieces, masked)))

    def _under_one_byte(self, token: bytes) -> list[bytes]:
        """Return the values that stand in a token under one repeated byte."""
        seen = _differences(token)
        alike = [values for head, values in self._steps.items() if head in seen]
        return [value for values in alike for value, steps in values if steps in seen]

    def _by_key(
        self, masked: Sequence[tuple[str, bytes]], keys: Sequence[tuple[str, bytes]]
    ) -> Iterator[tuple[bytes, tuple[str, str]]]:
        """Yield what some stretch of a key unmasks."""
        where, longest = _grams(keys), self._longest
        for (place, token), (head, spellings) in product(masked, self._heads.items()):
            for start, gram in _wanted(token, head):
                for number, at in where.get(gram, ()):
                    named, text = keys[number]
                    clear = _xor(token[start:], text[at : at + longest])
                    if any(map(clear.startswith, spellings)):
                        found = [value for value in self._values if clear.startswith((value, value.lower()))]
                        yield from ((value, (place, f"XOR with {named}")) for value in found)


def _keys(
    pieces: Sequence[tuple[str, bytes]], masked: Sequence[tuple[str, bytes]]
) -> Iterator[tuple[str, bytes]]:  # fmt: skip
    """Yield (place, text) of everything that may have been a key.

    Where the original was longer than its replacement, Kamailio leaves the rest of it as it is: the key goes on in
    zeros (src/modules/uac/replace.c, `replace_uri`).
    """
    yield from pieces
    for place, text in pieces:
        for uri in _URI.findall(text):
            yield place, uri + bytes(64)
    yield from (("another token of " + place, token) for place, token in masked)


def _bounded(pieces: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Return as many pieces as may be tried."""
    kept, size = [], 0
    for place, text in pieces:
        size += len(text)
        if size > MAX_UNDER_XOR:
            break
        kept.append((place, text))
    return kept


def _grams(keys: Sequence[tuple[str, bytes]]) -> dict[bytes, list[tuple[int, int]]]:
    """Return where each run of `_HEAD` bytes stands: number of the key, and place in it."""
    where: dict[bytes, list[tuple[int, int]]] = {}
    for number, (_, text) in enumerate(keys):
        for at in range(len(text) - _HEAD + 1):
            where.setdefault(text[at : at + _HEAD], []).append((number, at))
    where.pop(bytes(_HEAD), None)  # zeros unmask nothing: what they show stands there already
    return where


def _wanted(token: bytes, head: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (place, key) for each place of token: what the key must be if the value begins there."""
    for phase in range(_HEAD):
        part = token[phase:]
        clear = _xor(part, head * (len(part) // _HEAD + 1))
        for start in range(0, len(part) - _HEAD + 1, _HEAD):
            yield phase + start, clear[start : start + _HEAD]


def _xor(one: bytes, other: bytes) -> bytes:
    size = min(len(one), len(other))
    return (int.from_bytes(one[:size], "big") ^ int.from_bytes(other[:size], "big")).to_bytes(size, "big")


def _differences(data: bytes) -> bytes:
    """Return each byte XORed with the next: the same for data under any one repeated byte."""
    return _xor(data, data[1:])
