"""Two kinds of error (style.md, habit 8): theirs is answered and counted, ours fails closed.

No error carries a value of a message in its text: texts reach logs.
"""

from __future__ import annotations


class Malformed(Exception):  # noqa: N818 -- names what the message is, not what went wrong with us
    """The peer's fault: bytes that do not follow the grammar, or that exceed a limit.

    Args:
        why: what is wrong, from a closed set of sentences, used as Reason-Phrase.
        code: the response that RFC 3261 wants for it.
    """

    def __init__(self, why: str, code: int = 400) -> None:
        """Keep the reason and the status code."""
        super().__init__(why)
        self.why = why
        self.code = code
        self.partial: object = None
        """What could be read of the message, for the answer (`parse.partial`)."""


class Refused(Exception):  # noqa: N818 -- a decision, not an accident
    """A request that is understood and will not be forwarded.

    Args:
        code: status code of the answer.
        why: Reason-Phrase, from a closed set.
        extra: complete header lines to add to the answer.
    """

    def __init__(self, code: int, why: str, *extra: bytes) -> None:
        """Keep what the answer needs."""
        super().__init__(why)
        self.code = code
        self.why = why
        self.extra = extra


class PassedOver(Refused):
    """A trunk that may not have a request, or has no room for it; others may, and a fork goes on without it."""


class NotRecorded(Refused):
    """A message of a recording session that goes nowhere.

    Args:
        reason: why, as COUNTERS has it.
        code: status code of the answer.
    """

    def __init__(self, reason: str, code: int = 403) -> None:
        """Say why, in words that tell nothing of anybody."""
        super().__init__(code, "Recording Not Allowed", b'Warning: 399 sipveil "%b"' % _NOT_RECORDED[reason])
        self.reason = reason


_NO_CIPHER = b"Metadata of the recording cannot be encrypted, or decrypted"
_NOT_RECORDED = {
    "client": b"Only configured clients may record",
    "recorder": b"Only recording sessions go to recorders, and to nobody else",
    "subscriber": b"Somebody who takes part may not be recorded",
    "way": b"Recording sessions go over mutual TLS alone",
    "media": b"Media of a recording have to be encrypted",
    "metadata": b"Metadata of the recording cannot be read",
    "encryption": _NO_CIPHER,
    "expired": _NO_CIPHER,  # which certificates have ended is the operator's business
}


class EditConflict(Exception):  # noqa: N818
    """Our fault: two stages edited the same header line of a draft."""
