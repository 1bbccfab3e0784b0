"""SIP messages out of a text file, as people keep and edit them: several of them, LF alone, Content-Length wrong."""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_FILE = 1 << 22
"""Bytes of a file of messages; what is larger is a capture or a mistake."""

_START = re.compile(rb"^(?:SIP/2\.0 \d{3}(?: .*)?|[A-Za-z][A-Za-z0-9_-]{0,31} [^\s]+ SIP/2\.0)\r?$", re.MULTILINE)
_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_BLANK = re.compile(rb"\r?\n\r?\n")
_BARE_ENDS = "lines ended with LF alone; they end with CRLF now"
_BARE = re.compile(rb"(?<!\r)\n")


class Written(NamedTuple):
    """A message of a file."""

    data: bytes
    """As it is sent, whole and with its length."""
    mended: tuple[str, ...]
    """What was mended, in sentences."""


def messages(text: bytes) -> tuple[list[Written], list[str]]:
    """Return the messages in text, and what was left out besides."""
    text = text.removeprefix(b"\xef\xbb\xbf")
    bare = b"\r" not in text
    if bare:
        text = text.replace(b"\n", b"\r\n")
    found: list[Written] = []
    remarks: list[str] = []
    start = _START.search(text)
    if start is not None and text[: start.start()].strip():
        remarks.append("what stands before the first message was left out")
    while start is not None:
        place = start.start()
        end, following = _end(text, start, bare=bare)
        found.append(_mend(text[place:end], bare=bare))
        start = following
    return found, remarks


def _end(text: bytes, start: re.Match[bytes], *, bare: bool) -> tuple[int, re.Match[bytes] | None]:
    """Return where a message ends, and the start line of the next.

    Content-Length is believed where a start line or the end of the file follows; a body may hold what looks like one.
    """
    blank = _BLANK.search(text, start.end() - 1)
    if blank is None:
        return len(text), None
    stated = _stated(text[start.start() : blank.start()])
    if stated is not None and not _counts_lf(text, blank.end(), stated, bare=bare):
        end = blank.end() + stated
        if end <= len(text) and not text[end:].strip():
            return end, None
        after = re.compile(rb"\s*").match(text, end)
        following = _START.match(text, after.end()) if after and end <= len(text) else None
        if following is not None:
            return end, following
    following = _START.search(text, blank.end() - 1)
    return (following.start() if following else len(text)), following


def _counts_lf(text: bytes, begin: int, stated: int, *, bare: bool) -> bool:
    """Tell whether a length would end a body within a line: it was counted before LF became CRLF here."""
    body = text[begin : begin + stated]
    return bare and b"\n" in body and not body.endswith(b"\n")


def _stated(head: bytes) -> int | None:
    """Return the Content-Length that a head states, None without or with nonsense."""
    found = _LENGTH.search(head)
    return int(found[1]) if found and re.fullmatch(rb"\d{1,8}", found[1]) else None


def _mend(data: bytes, *, bare: bool) -> Written:
    """Return a message with CRLF, an end of its headers, and the length of its body."""
    mended = [_BARE_ENDS] if bare else []
    blank = _BLANK.search(data)
    head, body = (data[: blank.start()], data[blank.end() :]) if blank else (data.rstrip(b"\r\n"), b"")
    if blank is None:
        mended.append("the empty line behind the headers was missing")
    stated = _stated(head)
    if _BARE.search(head) or (_BARE.search(body) and body.startswith(b"v=")):
        same = stated == len(body)
        head, body = _BARE.sub(b"\r\n", head), _BARE.sub(b"\r\n", body)
        stated = len(body) if same else stated
        head = _with_length(head, len(body)) if same else head
        mended.append(_BARE_ENDS)
    if stated != len(body):
        # Empty lines at the end are an editor's, or stand between two messages.
        body = body.rstrip(b"\r\n")
        body += b"\r\n" if body else b""
        if stated != len(body):
            was = "was missing or no number" if stated is None else f"said {stated}"
            mended.append(f"Content-Length {was}; the body has {len(body)} bytes")
            head = _with_length(head, len(body))
    return Written(head + b"\r\n\r\n" + body, tuple(mended))


def _with_length(head: bytes, length: int) -> bytes:
    """Return a head with one Content-Length."""
    line = b"Content-Length: %d" % length
    if _LENGTH.search(head) is None:
        return head + b"\r\n" + line
    return _LENGTH.sub(line + b"\r" if b"\r" in head else line, head, count=1).rstrip(b"\r\n")
