"""From the bytes of a stream to whole messages and keep-alives (RFC 3261 §18.3 and §7.5, RFC 5626 §3.5.1).

However the bytes were cut on their way, the same comes out: a byte is searched once, and what is incomplete waits
within `limits.message`. Between messages only CRLF may stand; one is the pong to a ping of ours, two others are a ping.
STUN is for datagrams alone: on a stream its first byte, 0 or 1, begins no message.
"""

from __future__ import annotations

import re

PING = b"\r\n\r\n"
"""What `feed` returns for a keep-alive that wants an answer (RFC 5626 §4.4.1)."""
PONG = b"\r\n"
_EMPTY_LINE = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*+:((?>(?:[^\r\n]++|\r\n[ \t])*))", re.IGNORECASE)
_START = re.compile(rb"[!-~]")
_HTTP = re.compile(rb"[^\r\n]* HTTP/\d", re.IGNORECASE)
"""The start line of a web browser's request, which may have a Content-Length as well; in its body a page puts what it
likes, and it goes on sending as long as somebody listens."""
_LONGEST_NUMBER = 9
"""Digits of a Content-Length that is looked at, as in proxy/parse.py."""


class Unframed(Exception):  # noqa: N818 -- names what the stream is, not what went wrong with us
    """Where the next message begins cannot be told, so the stream has to end (RFC 3261 §18.3).

    Args:
        why: what is wrong, from a closed set of sentences, used as Reason-Phrase.
        code: the answer to whoever sent it, 0 where nothing was said that could be answered.
        head: start line and headers as far as they came, for the answer.
    """

    def __init__(self, why: str, code: int = 0, head: bytes = b"") -> None:
        """Keep what the answer needs."""
        super().__init__(why)
        self.why = why
        self.code = code
        self.head = head


class Framing:
    """One stream's bytes that are no message yet."""

    def __init__(self, most: int) -> None:
        """Begin between messages; most: bytes of the largest message."""
        self.most = most
        self.broken: Unframed | None = None
        """Set by `feed` when nothing that follows can be read any longer."""
        self._buffer = bytearray()
        self._searched = 0
        """Bytes of the buffer in which no empty line begins."""
        self._whole = 0
        """Bytes of the message at the buffer's start, 0 until its headers are complete."""
        self._half_ping = False
        """Whether one CRLF came since the last message or ping."""
        self._awaits_pong = False
        """Whether a ping of ours was not answered yet."""

    @property
    def begun(self) -> bool:
        """Whether a part of a message waits for the rest."""
        return bool(self._buffer)

    def pinged(self) -> None:
        """Learn that we have sent a ping: the next CRLF is its pong (RFC 5626 §3.5.1), and no half of the peer's own.

        One is waited for at most. Where a ping of the peer's comes before it, that is answered when the pong is there.
        """
        self._awaits_pong = True

    def feed(self, data: bytes) -> list[bytes]:
        """Return what has become complete with data: messages as they came, and PING for each ping.

        What came before a mistake is returned; the mistake is in `broken`, and what comes later is nothing.
        """
        found: list[bytes] = []
        if self.broken is None:
            self._buffer += data
            try:
                while self._next(found):
                    pass
            except Unframed as error:
                self.broken = error
                self._buffer.clear()
        return found

    def _next(self, found: list[bytes]) -> bool:
        """Take one thing off the buffer; False where more bytes have to come first."""
        if not self._whole:
            if not self._searched and not self._begins(found):
                return False
            self._whole = self._size()
        if not self._whole or len(self._buffer) < self._whole:
            return False
        found.append(bytes(self._buffer[: self._whole]))
        del self._buffer[: self._whole]
        self._whole = self._searched = 0
        self._half_ping = False
        return True

    def _begins(self, found: list[bytes]) -> bool:
        """Take CRLFs off the buffer; tell whether a message begins behind them."""
        buffer = self._buffer
        place = 0
        while buffer.startswith(b"\r\n", place):
            place += 2
            if self._awaits_pong:
                self._awaits_pong = False
                continue
            if self._half_ping:
                found.append(PING)
            self._half_ping = not self._half_ping
        del buffer[:place]
        if not buffer or buffer == b"\r":
            return False
        if _START.match(buffer) is None:
            raise Unframed("Not SIP")
        return True

    def _size(self) -> int:
        """Return the size of the message at the buffer's start, 0 while its headers are incomplete.

        Raises:
            Unframed: nobody can tell, or it is too large.
        """
        end = _EMPTY_LINE.search(self._buffer, max(0, self._searched - 3), self.most + 1)
        if end is None:
            if len(self._buffer) > self.most:
                raise Unframed("Message Too Large", 513, bytes(self._buffer[: self.most + 1]))
            self._searched = len(self._buffer)
            return 0
        head = bytes(self._buffer[: end.end()])
        if _HTTP.match(head) is not None:
            raise Unframed("Not SIP")
        if end[0] != b"\r\n\r\n" or not head.count(b"\r\n") == head.count(b"\r") == head.count(b"\n"):
            raise Unframed("Bare line end in headers", 400, head)
        size = len(head) + content_length(head)
        if size > self.most:
            raise Unframed("Message Too Large", 513, head)
        return size


def content_length(head: bytes) -> int:
    """Return how many bytes of body follow a header block, which a stream has no other way to tell (§18.3).

    Raises:
        Unframed: it is missing, stands there twice, or is no number.
    """
    values = _LENGTH.findall(head)
    if len(values) != 1:
        raise Unframed("Repeated Content-Length" if values else "Missing Content-Length", 400, head)
    value = values[0].replace(b"\r\n", b"").strip(b" \t")
    if not value.isdigit():
        raise Unframed("Malformed Content-Length", 400, head)
    if len(value.lstrip(b"0")) > _LONGEST_NUMBER:
        raise Unframed("Message Too Large", 513, head)
    return int(value)
