"""CSeq towards a trunk that asks for a password (dialogs.md "CSeq when Sipveil answers a trunk's challenge").

A request that is repeated with credentials needs the next CSeq (RFC 3261 §22.2), which its sender will give to its own
next request. So the numbers that such a trunk sees are 4·n + attempt: they rise strictly, whatever is challenged, and
without a table, since n comes back by a division. The trunk's own requests count by themselves and pass untouched.

| what the sender's side says | what the trunk sees |
|---|---|
| CSeq n | 4·n + the attempt of this request |
| ACK of a 2xx, CSeq n | 4·n + the attempt that was answered |
| RAck r n INVITE (RFC 3262 §7.2) | r and 4·n + the attempt that was answered |
| Event: refer;id=n in SUBSCRIBE (RFC 3515 §2.4.6) | 4·n + the attempt of that REFER |
| back: Event: refer;id=m in NOTIFY | m / 4 |
| back: CSeq in responses | the sender's own, as in every response |
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from proxy.errors import Malformed, Refused
from proxy.message import Draft, Message
from proxy.record import Mark

if TYPE_CHECKING:
    from proxy.crossing import Crossing

STEP: Final = 4
LAST_ATTEMPT: Final = 3
"""The first try is attempt 0. Two proxies that challenge in a row take two, a nonce that went stale one."""
END: Final = 2**29
"""Numbers from here on would leave the 31 bits that a CSeq has (RFC 3261 §8.1.1.5)."""
MAPPED: Final = Mark.CSEQ_MAPPED | Mark.CSEQ_MAPPED_BACK

# RAck = response-num LWS CSeq-num LWS Method (RFC 3262 §10)
_RACK = re.compile(rb"[ \t]*(\d{1,10})[ \t\r\n]+(\d{1,10})[ \t\r\n]+([^ \t\r\n]+)[ \t]*")
# Event = event-type *( SEMI event-param ); id = the CSeq of a REFER (RFC 3515 §2.4.6)
_REFER_ID = re.compile(rb"([ \t]*refer[ \t]*;(?:[^;]*;)*?[ \t]*id[ \t]*=[ \t]*)(\d{1,10})(?![0-9])(.*)", re.IGNORECASE)
_WHY = "counts in steps of four, to leave room for answers to challenges"


def outward(number: int, attempt: int) -> int:
    """Return what the trunk sees for a number of the other side's."""
    return number * STEP + attempt


def check(number: int) -> None:
    """Refuse a CSeq that leaves no room.

    Raises:
        Refused: 500, which tells a core to try another trunk, while a 4xx would call the request wrong: it is not.
    """
    if number >= END:
        raise Refused(500, "CSeq Too High")


def towards(marks: int, *, callee: bool) -> bool:
    """Tell whether requests to a side of a dialog are numbered so, by the marks of its record."""
    return bool(marks & (Mark.CSEQ_MAPPED if callee else Mark.CSEQ_MAPPED_BACK))


def acknowledged(request: Message) -> int:
    """Return the CSeq of the INVITE that a PRACK is about; -1 where it does not say so."""
    read = _RACK.fullmatch(request.value(b"rack") or b"")
    return int(read[2]) if read is not None else -1


def subscribed(request: Message) -> int:
    """Return the CSeq of the REFER that a SUBSCRIBE is about; -1 for any other."""
    read = _REFER_ID.fullmatch(request.value(b"event") or b"")
    return int(read[2]) if read is not None else -1


def carry(draft: Draft, crossing: Crossing) -> None:
    """Write the numbers of a request as its far side knows them; after the plan, which lets them pass.

    Raises:
        Malformed: for a RAck beyond what can be mapped.
    """
    request, login = crossing.request, crossing.login
    if login is not None:
        number = outward(request.cseq, login.attempt)
        _set(draft, b"cseq", lambda _: b"%d %b" % (number, request.method))
        if request.method == b"PRACK":
            _set(draft, b"rack", lambda value: _rack(value, login.about))
        elif request.method == b"SUBSCRIBE":
            _set(draft, b"event", lambda value: _refer_id(value, lambda n: outward(n, login.about)))
    if request.method == b"NOTIFY" and towards(crossing.base.marks, callee=not crossing.near_is_caller):
        _set(draft, b"event", lambda value: _refer_id(value, lambda m: m // STEP))


def _set(draft: Draft, name: bytes, edit: Callable[[bytes], bytes]) -> None:
    for position in draft.find(name):
        value = draft.value(position)
        edited = edit(value)
        if edited != value:
            draft.settle(position, draft.with_value(position, edited), _WHY)


def _rack(value: bytes, attempt: int) -> bytes:
    read = _RACK.fullmatch(value)
    if read is None:
        return value
    if int(read[2]) >= END:
        raise Malformed("Malformed RAck")
    return b"%b %d %b" % (read[1], outward(int(read[2]), attempt), read[3])


def _refer_id(value: bytes, number: Callable[[int], int]) -> bytes:
    read = _REFER_ID.fullmatch(value)
    return b"%b%d%b" % (read[1], number(int(read[2])), read[3]) if read is not None else value
