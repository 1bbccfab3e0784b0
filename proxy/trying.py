"""A look at 100 (Trying) instead of a parse: every call brings one, and nothing of it goes on.

It ends the retransmission of our request, and no more (RFC 3261 §16.7 item 3): all it has to say is which request
it is about. Only one that is beyond doubt as well-formed is read here, as nearly all stacks write it, with the
headers that it copies in the order of our request; anything else takes the ordinary path.
"""

from __future__ import annotations

import re

from config.settings import Limits
from proxy.errors import Malformed
from proxy.grammar import TOKEN_CLASS
from proxy.headers import parse_via
from proxy.matching import client_key
from proxy.memo import remembered
from proxy.message import Message

START = b"SIP/2.0 100 "
# One line each of what a message has once, and `name: value` without folds for all others.
_ONCE = rb"(?:from|to|call-id|cseq|max-forwards|content-length|[ftil])[ \t]*+:"
_OTHERS = rb"(?:(?!" + _ONCE + rb")" + TOKEN_CLASS + rb"++:[^\r\n]*+\r\n)*+"
# What a next hop adds to our Via (RFC 3581 §4), and the bare rport of ours.
_SOURCE = rb"(?:;(?:rport|received)(?:=[0-9A-Fa-f.:\[\]]++)?+)*+"
_USUAL = re.compile(
    rb"SIP/2\.0 100 [^\r\n]*+\r\n"
    rb"Via: ([^\r\n;,\"]++);branch=(" + TOKEN_CLASS + rb"++)" + _SOURCE + rb"\r\n" + _OTHERS +
    rb"From: [^\r\n]*+\r\nTo: [^\r\n]*+\r\nCall-ID: [^\r\n]*+\r\n"
    rb"CSeq: \d{1,9} ([A-Z]++)\r\n" + _OTHERS +
    rb"(?:Content-Length: 0\r\n" + _OTHERS + rb")?+\r\n",
    re.IGNORECASE,
)  # fmt: skip


def request_of(data: bytes, limits: Limits) -> bytes | None:
    """Return the key of the client transaction that a 100 is for; None where it has to be parsed.

    Args:
        data: a datagram that begins with `START`.
        limits: what a message may measure.
    """
    found = _USUAL.fullmatch(data)
    if found is None or len(data) > limits.line or data.count(b"\n") > limits.headers:
        return None
    return client_key(found[2], found[3]) if _is_sent_by(found[1]) else None


@remembered
def _is_sent_by(value: bytes) -> bool:
    """Tell whether sent-protocol and sent-by of a Via follow the grammar; those of ours are always the same few."""
    try:
        parse_via(value)
    except Malformed:
        return False
    return True


def _trying() -> Message:
    message = Message()
    message.status = 100
    return message


TRYING = _trying()
"""What stands for all of them: nothing but the status is ever asked for."""
