"""Just enough SIP for the ends of a load: cut messages out of a stream, read a header, answer a request."""

from __future__ import annotations

from collections.abc import Iterator

COPIED = (b"via", b"from", b"call-id", b"cseq", b"record-route")
"""What a response copies besides To (RFC 3261 §8.2.6.2 and §12.1.1)."""
PING, PONG = b"\r\n\r\n", b"\r\n"


def headers(message: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name in lower case and whole line of each header."""
    for line in message.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
        yield line.partition(b":")[0].strip().lower(), line


def values(message: bytes, name: bytes) -> list[bytes]:
    """Return the values of all lines of a name, which is in lower case."""
    return [line.partition(b":")[2].strip() for key, line in headers(message) if key == name]


def value(message: bytes, name: bytes) -> bytes:
    """Return the first of them, empty where there is none."""
    return next(iter(values(message, name)), b"")


def status(message: bytes) -> int:
    """Return the status code, 0 of a request."""
    return int(message[8:11]) if message.startswith(b"SIP/2.0 ") else 0


def uri_in(text: bytes) -> bytes:
    """Return the URI of a Contact, which stands in angle brackets."""
    return text.partition(b"<")[2].partition(b">")[0]


def reply(request: bytes, line: bytes, tag: bytes, *more: bytes, body: bytes = b"") -> bytes:
    """Return a response; To gets the tag where it has none."""
    lines = [b"SIP/2.0 " + line]
    for name, each in headers(request):
        if name in COPIED:
            lines.append(each)
        elif name == b"to":
            lines.append(each if b";tag=" in each else each + b";tag=" + tag)
    return b"\r\n".join((*lines, *more, b"Content-Length: %d" % len(body), b"", body))


def cut(buffer: bytearray) -> Iterator[bytes]:
    """Take whole messages and PONGs off the front of what a proxy has sent, and yield them."""
    while buffer:
        if buffer.startswith(PONG):
            del buffer[:2]
            yield PONG
            continue
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        size = end + 4 + int(value(bytes(buffer[: end + 4]), b"content-length") or 0)
        if len(buffer) < size:
            return
        yield bytes(buffer[:size])
        del buffer[:size]
