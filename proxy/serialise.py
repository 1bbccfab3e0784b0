"""From draft to bytes: untouched lines leave as they came, Content-Length is always right."""

from __future__ import annotations

from proxy.message import Draft


def serialise(draft: Draft) -> bytes:
    """Return the bytes of a draft.

    A Content-Length line is rewritten only where it is wrong, and added where it is missing (RFC 3261
    §20.14: required on streams, and harmless on UDP).
    """
    has_length = draft.has_length
    if has_length and draft.body is not draft.received_body:
        _set_length(draft)
    pieces = [draft.start]
    pieces += draft.top
    for line in draft.lines:
        if line:  # None stands for a line that was removed
            pieces.append(line)
    pieces += draft.bottom
    if not has_length:
        pieces.append(b"Content-Length: %d" % len(draft.body))
    pieces += (b"", draft.body)
    return b"\r\n".join(pieces)


def _set_length(draft: Draft) -> None:
    """Write the length of a body that was edited, under the received spelling of its name."""
    position = draft.shape.content_length
    line = draft.lines[position]
    if line is not None:
        draft.lines[position] = line.partition(b":")[0] + b": %d" % len(draft.body)
