"""What a message of a call asks to be hidden of its sender in recordings (RFC 3323), for `proxy.wishes`."""

from __future__ import annotations

from typing import Final

from config.vocabulary import Category
from filters.request import ANONYMOUS, asked
from proxy.dialled import Wish
from proxy.errors import Malformed
from proxy.memo import Recent
from proxy.message import Message
from proxy.policy import action, pack, stricter
from proxy.uri import parse_sip_uri

_TOLD: Final = (Category.NAME, Category.NUMBER, Category.DEVICE, Category.NETWORK, Category.LOCATION)
"""What metadata tell of a participant."""
_BESIDE: Final = (b"remote-party-id", b"diversion")
"""Headers with a `privacy` parameter, which hold somebody's address too and so hardly come twice."""
_LONGEST: Final = 64
"""Bytes of a Privacy header whose meaning is remembered."""
_USER: Final = b"anonymous"
_HOST: Final = b"anonymous.invalid"


class Withheld:
    """Reads wishes; a Privacy header has one of a few values, each of which is read once."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        """Know of none."""
        self._known: Recent[bytes, int] = Recent()

    def of(self, message: Message, wish: Wish) -> int:
        """Return what is to be hidden of the sender, packed; 0 for nothing.

        By its Privacy header, what stands for one, or the prefix that was dialled (`wish`), or by a From that is
        nobody's.
        """
        index = message.index
        if wish is not Wish.NONE or _BESIDE[0] in index or _BESIDE[1] in index:
            found = _told(message, wish)
        else:
            found = self._written(message)
        return stricter(found, _ANONYMOUS) if message.method and is_anonymous(message.from_.uri) else found

    def _written(self, message: Message) -> int:
        """Return what a Privacy header asks for, where nothing else asks."""
        if b"privacy" not in message.index:
            return 0
        lines = message.values(b"privacy")
        key = lines[0] if len(lines) == 1 else b",".join(lines)
        known = self._known.get(key)
        if known is None:
            known = _told(message, Wish.NONE)
            if len(key) <= _LONGEST:
                self._known.put(key, known)
        return known


def is_anonymous(uri: bytes) -> bool:
    """Tell whether a From is nobody's, in the form of RFC 3323 §4.1.1.3 or as carriers write it, at their own host."""
    try:
        parsed = parse_sip_uri(uri)
    except Malformed:
        return False
    return parsed is not None and (parsed.host.lower() == _HOST or parsed.user.partition(b";")[0].lower() == _USER)


def _told(message: Message, wish: Wish) -> int:
    wanted = asked(message, wish, session="degrade", refuse=False).actions
    return pack({category: one for category, one in wanted.items() if category in _TOLD})


_ANONYMOUS: Final = pack({category: action(ANONYMOUS, category) for category in _TOLD})
