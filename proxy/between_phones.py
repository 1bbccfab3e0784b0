"""Phones ask each other for no password: a called phone that answers with a challenge is after the caller's.

Most phones answer a challenge with the one password that they have, whoever asks and for whatever realm, also when a
BYE or a re-INVITE of theirs is challenged. The answer is a hash by which passwords can be tried out at leisure. So
challenges go from no phone to another, nor does what answers them: there the core or Sipveil asks, or nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.message import Draft, Message

if TYPE_CHECKING:
    from proxy.crossing import Crossing

CREDENTIALS: Final = (b"authorization", b"proxy-authorization")
CHALLENGES: Final = (b"www-authenticate", b"proxy-authenticate", b"authentication-info", b"proxy-authentication-info")
_WHY = "phones ask each other for no password"
_ASKING = (401, 407)


def are_both_phones(crossing: Crossing) -> bool:
    """Tell whether a request goes from one phone to another."""
    return crossing.source.in_access and crossing.hop.party.in_access


def remove(draft: Draft, message: Message, names: tuple[bytes, ...]) -> None:
    """Take out the lines with these names."""
    for name in names:
        if name in message.index:
            draft.remove_all(name, _WHY)


def outward(crossing: Crossing, status: int) -> int:
    """Return the status that a response goes on with: 503 as 500 (RFC 3261 §16.7 item 6); a challenge between phones,
    which has lost what it asks by, as 403."""
    if status == 503:
        return 500
    return 403 if status in _ASKING and are_both_phones(crossing) else status
