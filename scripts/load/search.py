"""Searching messages for canaries: in clear always, decoded as far as time allows.

Looking for 50 values in the clear text of a message costs some ten microseconds. Undoing percent, hexadecimal,
base32 and base64 at every alignment costs a millisecond, which nobody has 9,000 times a second on the core that the
callers and the trunk need: so a share of the time is spent on it, and the result says how many messages that were.
At a few hundred messages a second it is all of them.
"""

from __future__ import annotations

import re
from base64 import b32decode, b64decode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote_to_bytes

DEEP_SHARE = 0.15
"""Part of the time that may go into decoding."""
AHEAD = 0.1
"""How much a kind of message may be ahead of all in the part of it that was decoded. An ACK always comes just after an
INVITE has used the time up: without this it would never have its turn."""

_HEX = re.compile(rb"[0-9A-Fa-f]{8,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}")
_BASE32 = re.compile(rb"[A-Za-z2-7]{8,}")
_URLSAFE = bytes.maketrans(b"-_", b"+/")


class Search:
    """Takes messages and counts what it finds in them."""

    def __init__(self, canaries: Mapping[str, bytes], clock: Callable[[], float]) -> None:
        """Look for these values; place → value. clock: seconds, to keep to the share."""
        self._canaries = {place: value.lower() for place, value in canaries.items()}
        self._clock, self._start, self._spent = clock, clock(), 0.0
        self.leaks: Counter[tuple[str, str]] = Counter()
        """(place, message type) → messages in which its value arrived."""
        self._seen: Counter[str] = Counter()
        self._decoded: Counter[str] = Counter()

    @property
    def messages(self) -> int:
        """Return how many messages were searched."""
        return self._seen.total()

    @property
    def decoded(self) -> int:
        """Return how many of them were searched decoded too."""
        return self._decoded.total()

    def message(self, data: bytes) -> None:
        """Search one message."""
        which = kind(data)
        found = self._found(data)
        began = self._clock()
        if self._spent <= (began - self._start) * DEEP_SHARE and self._in_turn(which):
            self._decoded[which] += 1
            found |= self._found(b"\0".join(decodings(data)))
            self._spent += self._clock() - began
        self._seen[which] += 1
        for place in found:
            self.leaks[place, which] += 1

    def _in_turn(self, which: str) -> bool:
        of_this = self._decoded[which] / max(1, self._seen[which])
        return of_this <= self.decoded / max(1, self.messages) + AHEAD

    def _found(self, data: bytes) -> set[str]:
        text = data.lower()
        return {place for place, value in self._canaries.items() if value in text}


def kind(message: bytes) -> str:
    """Return `INVITE` for a request, `200 to INVITE` for a response."""
    first = message.partition(b"\r\n")[0].split(b" ")
    if first[0] != b"SIP/2.0":
        return first[0].decode("ascii", "replace")
    code = first[1].decode("ascii", "replace") if len(first) > 1 else "?"
    method = re.search(rb"(?im)^cseq\s*:\s*\d+\s+([A-Z]+)", message)
    return f"{code} to {method[1].decode() if method else '?'}"


def decodings(data: bytes) -> Iterator[bytes]:
    """Yield what data decodes to: percent, hexadecimal, base64 and base32 at every alignment."""
    yield unquote_to_bytes(data)
    for run in _HEX.findall(data):
        for start in (0, 1):
            yield bytes.fromhex(run[start : start + (len(run) - start) // 2 * 2].decode())
    for run in _BASE64.findall(data):
        letters = run.translate(_URLSAFE)
        for start in range(4):
            yield b64decode(_whole(letters[start:], 4, (2, 3)))
    for run in _BASE32.findall(data.upper()):
        for start in range(8):
            yield b32decode(_whole(run[start:], 8, (2, 4, 5, 7)))


def _whole(letters: bytes, group: int, tails: tuple[int, ...]) -> bytes:
    """Return letters with padding; of a last group only as many as stand for whole bytes."""
    rest = len(letters) % group
    kept = max((tail for tail in tails if tail <= rest), default=0)
    return letters[: len(letters) - rest + kept] + b"=" * ((group - kept) % group)
