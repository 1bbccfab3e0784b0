"""Looks at the letters of a message: what all of them are read with, and nothing that needs to know SIP's words.

This file says what each function does, and is what runs where nothing is compiled. The compiled core has `scan.c` in
its place (`scripts/native`), which makes nothing that nobody asked for: no list of places, no pair of halves. Both are
held against each other by `tests/proxy/test_scan.py`.
"""

from __future__ import annotations

from typing import TypeVar

from proxy.grammar import CALL_ID, LF, QUESTION, TAB, is_token
from proxy.shape import clue_of

T = TypeVar("T")

MOST = 256
"""Most header lines of what is taken apart here."""


def scan(
    data: bytes, known: dict[bytes, tuple[tuple[bytes, ...], T]], most: int, longest: int
) -> tuple[bytes, T, list[bytes], bytes] | None:
    """Take a message apart whose header lines begin as those of one before; None for any other.

    Args:
        data: the message.
        known: by the clue of header lines, what each of them begins with, and whatever is known of such messages.
        most: header lines that are allowed; MOST at most.
        longest: bytes of a line that are allowed.

    Returns:
        The start line, what is known, the header lines, and the body. Each line ended with CRLF, and holds neither
        of the two.
    """
    head, end, body = data.partition(b"\r\n\r\n")
    start, *lines = head.split(b"\r\n")
    if not end or not 0 < len(lines) <= min(most, MOST) or max(map(len, (start, *lines))) > longest:
        return None
    starts, what = known.get(clue_of(lines), (None, None))
    if (
        starts is None
        or what is None
        or len(starts) != len(lines)
        or not all(map(bytes.startswith, lines, starts))
        or not head.count(b"\r") == head.count(b"\n") == len(lines)
    ):
        return None
    return start, what, lines, body


def request_line(line: bytes) -> tuple[bytes, bytes] | None:
    """Return what should be method and Request-URI, each with one space behind it and SIP/2.0 at the end; or None."""
    words = line.split(b" ")
    if len(words) != 3 or not words[0] or not words[1] or TAB in words[1] or words[2] != b"SIP/2.0":
        return None
    return words[0], words[1]


def cut(line: bytes, mark: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Return what stands before the first mark, the token behind it, and what follows from a semicolon on.

    None where there is no mark, or where something else than a token stands between it and semicolon or end.
    """
    front, _, rest = line.partition(mark)
    token, _, _ = rest.partition(b";")
    return (front, token, rest[len(token) :]) if is_token(token) else None


def plain_value(line: bytes) -> bytes | None:
    """Return what stands behind the colon, without blanks around it; None where the line is folded."""
    return None if LF in line else line.partition(b":")[2].strip(b" \t")


def call_id(line: bytes) -> bytes | None:
    """Return the value of a line if it is a Call-ID (RFC 3261 §25.1: word [ "@" word ]), and the line not folded."""
    found = plain_value(line)
    return found if found and CALL_ID.fullmatch(found) else None


def sip_user(uri: bytes) -> tuple[bytes, bytes] | None:
    """Return the user part of a sip URI, and what stands behind the @, which nobody has looked at yet.

    None for a URI without user part, with a password, or with headers.
    """
    scheme, _, rest = uri.partition(b":")
    user, at, where = rest.partition(b"@")
    if not at or scheme != b"sip" or not user or QUESTION in where or user.translate(None, _PLAIN_USER):
        return None
    return user, where


_PLAIN_USER = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()&=+$,;/%#"
"""Letters of a user part (RFC 3261 §25.1), less the `?`."""
