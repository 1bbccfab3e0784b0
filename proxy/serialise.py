"""From draft to bytes: untouched lines leave as they came, Content-Length is always right."""

from __future__ import annotations

from proxy.message import Draft


def serialise(draft: Draft) -> bytes:
    """Return the bytes of a draft.

    A Content-Length line is rewritten only where it is wrong, and added where it is missing (RFC 3261
    §20.14: required on streams, and harmless on UDP).
    """
    length = b"%d" % len(draft.body)
    lines = [draft.start, *draft.top]
    seen = False
    for name, line in zip(draft.names, draft.lines, strict=True):
        if line is None:
            continue
        if name == b"content-length":
            if seen:
                continue
            seen = True
            head, _, value = line.partition(b":")
            if value.strip() != length:
                line = head + b": " + length  # noqa: PLW2901 -- the one line that the draft cannot know earlier
        lines.append(line)
    lines += draft.bottom
    if not seen:
        lines.append(b"Content-Length: " + length)
    lines.append(b"")
    lines.append(draft.body)
    return b"\r\n".join(lines)
