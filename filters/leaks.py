"""Finding given values in a message that left: in clear, decoded in every usual way, and under XOR.

This is what somebody with a capture and some patience would try: `decodings` undoes what needs no key, `masks`
tries everything visible as a key.

Nothing here knows a socket, a file or a clock; what is too big to be searched whole is said in the result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from filters.decodings import CLEAR, PERCENT, PRINTABLE, labelled
from filters.masks import LEAST_UNDER_XOR, Unmasking
from filters.places import places
from proxy.headers import unfold

LEAST = 3
"""Shortest value that can be looked for, in bytes: shorter ones stand in every message."""
LEAST_DECODED = 4
"""Shortest that is looked for in what decodes from hex, base32 and base64: chance would find shorter ones there."""
LEAST_DIGITS = 6
"""Fewest digits of a number that is also looked for without its prefix and with separators."""
MAX_SEARCHED = 1 << 18
"""Bytes of one message that are searched: four times the largest datagram. A longer one is searched in part."""

_SEPARATORS = re.compile(rb"(?<=[0-9A-Fa-f)])[-.:()/ ]{1,2}(?=[(0-9A-Fa-f])")
"""What may stand between the digits of a number or a device id (RFC 3966 §5.1.1; MACs)."""
_SPELLED = re.compile(rb"\+?[(]?[0-9A-Fa-f](?:[-:()/. ]{0,2}[0-9A-Fa-f])+")
_ADDRESS = re.compile(rb"\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?:::?[0-9A-Fa-f]{0,4}){2,7}")
_MAC = re.compile(rb"[0-9A-Fa-f]{2}([:.-])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){4}")


class SecretError(ValueError):
    """A value that cannot be looked for."""


class Finding(NamedTuple):
    """A value that stands in a message."""

    secret: int
    """Which one: its place among those that were given."""
    place: str
    """Header name, `start line`, `a=candidate` and the like, or `body`."""
    form: str
    """How it is written there: `in clear`, `base64`, `percent in base64`, `XOR with From`, …"""


class Search:
    """A list of values, prepared for being looked for in many messages."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        """Prepare.

        Raises:
            SecretError: for a value too short to be looked for; says which, not what.
        """
        for number, secret in enumerate(secrets, 1):
            if len(secret) < LEAST:
                raise SecretError(f"secret {number} has fewer than {LEAST} characters, which stand in every message")
        self.secrets = tuple(secrets)
        self._spellings = [frozenset(_spellings(secret)) for secret in secrets]
        self._squeezed = [squeezed(secret) for secret in secrets]
        self._unmasked = Unmasking([value for value in secrets if len(value) >= LEAST_UNDER_XOR])

    def left_out(self) -> list[str]:
        """Return what is not looked for, in sentences."""
        found = []
        for number, secret in enumerate(self.secrets, 1):
            if len(secret) < LEAST_DECODED:
                found.append(f"secret {number}: too short to be looked for in hex, base32 and base64")
            if len(secret) < LEAST_UNDER_XOR:
                found.append(f"secret {number}: under {LEAST_UNDER_XOR} bytes, not looked for under XOR")
        return found

    def __call__(self, message: bytes) -> list[Finding]:
        """Return where the values stand in a message, each place once for each value."""
        message = message[:MAX_SEARCHED]
        head, blank, body = message.partition(b"\r\n\r\n")
        all_forms = list(labelled(unfold(head) + blank + body))
        found: list[Finding] = []
        suspects = [number for number in range(len(self.secrets)) if self._stands(number, all_forms)]
        if suspects:
            pieces = [(place, list(labelled(text))) for place, text in places(message)]
            for number in suspects:
                here = [
                    Finding(number, place, form) for place, forms in pieces if (form := self._stands(number, forms))
                ]
                # It may begin on one line and end on the next.
                found += here or [Finding(number, "several lines", self._stands(number, all_forms))]
        for value, place in self._unmasked(message):
            numbers = [number for number, secret in enumerate(self.secrets) if secret == value]
            found += [Finding(number, *place) for number in numbers]
        return list(dict.fromkeys(found))

    def _stands(self, number: int, forms: Sequence[tuple[str, bytes]]) -> str:
        """Return the first form in which a value stands, or ""."""
        spellings, digits = self._spellings[number], self._squeezed[number]
        short = len(self.secrets[number]) < LEAST_DECODED
        for form, text in forms:
            if short and _is_chancy(form):
                continue
            lower = text.lower()
            if any(spelling in lower for spelling in spellings):
                return form
            if digits and digits in squeeze(lower):
                return "otherwise written" if form == CLEAR else f"otherwise written, {form}"
        return ""


def _is_chancy(form: str) -> bool:
    """Tell whether a form turns any text into something, so that short values turn up by chance."""
    return form not in (CLEAR, PERCENT, PRINTABLE)


def _spellings(secret: bytes) -> Iterator[bytes]:
    """Yield the bytes by which a value is found in text that was brought to lower case."""
    yield secret.lower()
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        return
    for way in (text.lower(), text.upper(), text):
        yield way.encode().lower()  # lowers ASCII alone: letters beyond it stand as somebody wrote them
        try:
            yield way.encode("latin-1").lower()
        except UnicodeEncodeError:
            continue


def squeezed(secret: bytes) -> bytes:
    """Return the digits of a number or device id, however they are grouped, less `+` or `00`; b"" for other values."""
    if not _SPELLED.fullmatch(secret) or (_ADDRESS.fullmatch(secret) and not _MAC.fullmatch(secret)):
        return b""
    digits = re.sub(rb"[^0-9A-Fa-f]", b"", secret).lower()
    if digits.isdigit() and digits.startswith(b"00"):
        digits = digits[2:]
    return digits if len(digits) >= LEAST_DIGITS and any(48 <= letter <= 57 for letter in digits) else b""


def squeeze(text: bytes) -> bytes:
    """Return text without the separators between digits."""
    return _SEPARATORS.sub(b"", text)


def found_in(data: bytes, planted: Iterable[bytes]) -> set[bytes]:
    """Return those values that stand in data in any form that needs no key."""
    texts = b"\0".join(text for _, text in labelled(data)).lower()
    digits = squeeze(texts)
    return {
        value
        for value in planted
        if value.lower() in texts or ((number := squeezed(value)) and number in digits)
    }  # fmt: skip
