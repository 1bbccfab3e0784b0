"""No answer of ours is much larger than its question, where the question may have come from somebody else's address.

Over UDP anybody may write the address of a victim, and an answer larger than its question would make us a weapon
(RFC 5358 has the same of DNS). So what we say ourselves to a phone is cut to what RFC 3261 §8.2.6.2 demands where it
would be larger, and not said where even that exceeds the question by more than the RFCs have us add. What an answer
has to tell, a challenge or what we would accept, may make it three times as large: the bound of RFC 9000 §8.1 for an
address that is not proven yet. A 2xx is never cut: the 200 to a REGISTER is its bindings (RFC 3261 §10.3 item 8), and
goes to who was let in.
"""

from __future__ import annotations

from proxy.message import Message

ADDED = 80
"""Bytes that an answer may be larger by: received with an IPv6 address, the port behind rport (RFC 3581 §4), a To tag.
A request as short as can be would get no answer otherwise, and whoever sent it would not know why."""
TELLING = 3
"""Times the size of the question that an answer may have which is of no use without what it tells."""
_OF_USE = frozenset((b"401", b"407", b"415", b"420", b"423"))
"""Challenges (RFC 3261 §22.1), Accept (§21.4.13), Unsupported (§21.4.15), Min-Expires (§21.4.17)."""
_ECHOED = (b"via:", b"v:", b"from:", b"f:", b"to:", b"t:", b"call-id:", b"i:", b"cseq:")
_TELLING = (b"www-authenticate:", b"proxy-authenticate:", b"retry-after:", b"unsupported:", b"min-expires:", b"accept:")


def modest(answer: bytes, question: Message) -> bytes:
    """Return an answer of ours that is at most ADDED larger than its question; b"" where there is none.

    Args:
        answer: a response without body, as `reply` makes it.
        question: the request; one that was released has been forwarded, and so was judged.
    """
    if not question.raw or answer[8:9] == b"2":
        return answer
    room = len(question.raw)
    tells = answer[8:11] in _OF_USE
    if tells:
        room *= TELLING
    if len(answer) <= room:
        return answer
    room += 0 if tells else ADDED
    start, *lines = answer[:-4].split(b"\r\n")
    start = start[:12]  # Reason-Phrase may be empty (RFC 3261 §7.2)
    for kept in (_ECHOED + _TELLING,) if tells else (_ECHOED + _TELLING, _ECHOED):
        shorter = b"\r\n".join([start, *_only(lines, kept), b"", b""])
        if len(shorter) <= room:
            return shorter
    return b""


def _only(lines: list[bytes], names: tuple[bytes, ...]) -> list[bytes]:
    """Return the lines of these names, with their folds; over UDP the length needs not be told (RFC 3261 §20.14)."""
    kept: list[bytes] = []
    keep = False
    for line in lines:
        if line[:1] not in (b" ", b"\t"):
            name = line.partition(b":")[0].rstrip(b" \t").lower() + b":"
            keep = name in names
        if keep:
            kept.append(line)
    return kept
