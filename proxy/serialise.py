"""From draft to bytes: untouched lines leave as they came, Content-Length is always right."""

from __future__ import annotations

from proxy.message import Draft


def serialise(draft: Draft) -> bytes:
    """Return the bytes of a draft.

    A Content-Length line is rewritten only where it is wrong, and added where it is missing (RFC 3261
    §20.14: required on streams, and harmless on UDP).
    """
    if draft.has_length:
        if draft.body is not draft.received_body:
            _set_length(draft)
        bottom = draft.bottom
    else:
        bottom = [*draft.bottom, b"Content-Length: %d" % len(draft.body)]
    # None stands for a line that was removed.
    return b"\r\n".join([draft.start, *draft.top, *filter(None, draft.lines), *bottom, b"", draft.body])


def _set_length(draft: Draft) -> None:
    """Write the length of a body that was edited, under the received spelling of its name."""
    position = draft.find(b"content-length")[0]
    line = draft.lines[position]
    if line is not None:
        draft.lines[position] = line.partition(b":")[0] + b": %d" % len(draft.body)
