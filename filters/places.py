"""Where in a message something stands: start line, header, line of a session description, body."""

from __future__ import annotations

import re
from collections.abc import Iterator

from proxy.grammar import COMPACT
from proxy.headers import unfold


def places(message: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield (place, text) for the start line, each header line with its folds, and each line of the body."""
    head, _, body = message.partition(b"\r\n\r\n")
    lines = re.split(rb"\r?\n(?![ \t])", head)
    yield "start line", lines[0]
    for line in lines[1:]:
        name, colon, _ = line.partition(b":")
        yield (header_name(name) if colon else "a broken header line"), unfold(line)
    if body.startswith(b"v=0"):
        for line in body.splitlines():
            yield sdp_field(line), line
    elif body:
        yield "body", body


def header_name(name: bytes) -> str:
    """Return a header's name as people write it; what is no name is not repeated."""
    text = name.strip()
    full = COMPACT.get(text.lower())
    if full is not None:
        return full.decode().title()
    return text.decode("ascii", "replace") if re.fullmatch(rb"[A-Za-z0-9.!%*_+`'~-]{1,64}", text) else "a header"


def sdp_field(line: bytes) -> str:
    """Return `o=`, or `a=candidate` for attributes."""
    found = re.match(rb"a=[A-Za-z0-9_.-]{1,40}|[a-z]=", line)
    return found[0].decode() if found else "body"
