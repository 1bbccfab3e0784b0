"""What is dialled in front of a number, and what it asks for: *67 withholds the caller's number for one call, *82
shows it (47 CFR 64.1601(b)). The prefix is for us; what goes on is the number behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from proxy.grammar import PERCENT
from proxy.uri import parse_sip_uri

SEPARATORS = b"-.()"
"""visual-separator (RFC 3966 §3)."""
_LETTER = re.compile(rb"%[0-9A-Fa-f]{2}|.", re.DOTALL)
"""One letter of a user part, escaped or not (RFC 3261 §25.1)."""
_NUMBER = re.compile(rb"\+?[0-9*#]+")
_ODD = b"%;-.()"
"""Without any of these a number stands as it is dialled."""


def canonical(user: bytes) -> bytes:
    """Return a user part as the prefixes of a routing table are held against it: a number as it would be dialled.

    Who writes it otherwise shall not come to another line: escapes (RFC 3261 §19.1.4), visual separators (RFC 3966
    §5.1.1), and a local number with the beginning of the global one in its phone-context (§5.1.5). What is no number is
    only unescaped.
    """
    if len(user.translate(None, _ODD)) == len(user):
        return user
    plain = unquote_to_bytes(user)
    head, _, params = plain.partition(b";")
    number = head.translate(None, SEPARATORS)
    if _NUMBER.fullmatch(number) is None:
        return plain
    if number[:1] != b"+":
        for item in params.split(b";"):
            name, _, context = item.partition(b"=")
            if name.lower() == b"phone-context" and context[:1] == b"+":
                return context.translate(None, SEPARATORS) + number
    return number


class Wish(StrEnum):
    """What a prefix asks for."""

    NONE = "nothing"
    WITHHOLD = "withhold the number"
    SHOW = "show the number"


class Dialled(NamedTuple):
    """A dialled user part, or the URI that holds it, told apart."""

    wish: Wish
    number: bytes
    """What is left of it; parameters of a telephone number included."""


class Prefixes:
    """The prefixes of one configuration."""

    def __init__(self, withhold: Iterable[str], show: Iterable[str], spared: Iterable[str] = ()) -> None:
        """Keep both kinds; where one prefix begins another, the longer is tried first.

        Args:
            withhold: what withholds the number.
            show: what shows it.
            spared: emergency numbers, which no prefix is taken off.
        """
        self._spared = frozenset(map(str.encode, spared))
        self._longest = max(map(len, self._spared), default=0)
        known = [(text.encode(), Wish.WITHHOLD) for text in withhold] + [(text.encode(), Wish.SHOW) for text in show]
        self._known = sorted(known, key=lambda pair: -len(pair[0]))
        self._firsts = frozenset(b"%" + b"".join(text[:1] for text, _ in known))

    def may_begin(self, user: bytes) -> bool:
        """Tell whether a user part may begin with a prefix, escaped or not; of most the first letter tells."""
        return bool(user) and user[0] in self._firsts

    def read(self, user: bytes) -> Dialled:
        """Tell the prefix of a user part from its number.

        A prefix that nothing follows is no prefix: the code itself was dialled. Phones escape `*` or leave it
        (RFC 3261 §19.1.4), and several prefixes may stand in a row; then whatever withholds holds. What stands behind
        stays as it is written: unescaped, a `@` or `;` of the number would become one of the URI.
        """
        if not self.may_begin(user):
            return Dialled(Wish.NONE, user)
        wish, done = Wish.NONE, 0
        plain = unquote_to_bytes(user) if PERCENT in user else user
        number = plain.partition(b";")[0]
        bare = number.translate(None, SEPARATORS)  # where prefixes are in front: they have no separators
        # Each turn looks at a few letters: prefixes may fill the longest line, and nobody was asked yet who dials.
        while True:
            found = self._prefix(number, done)
            if found is None or len(number) == done + len(found[0]) or self._is_spared(bare, done):
                break
            done += len(found[0])
            wish = Wish.WITHHOLD if Wish.WITHHOLD in (wish, found[1]) else found[1]
        if not done:
            return Dialled(wish, user)
        return Dialled(wish, user[done:] if plain is user else b"".join(_LETTER.findall(user)[done:]))

    def _prefix(self, number: bytes, start: int) -> tuple[bytes, Wish] | None:
        """Return the longest prefix that stands at a place of a number."""
        for known in self._known:
            if number.startswith(known[0], start):
                return known
        return None

    def _is_spared(self, bare: bytes, start: int) -> bool:
        return len(bare) - start <= self._longest and bare[start:] in self._spared

    def in_uri(self, uri: bytes) -> Dialled:
        """Tell the prefix in a dialled URI from the URI that is left: sip, sips, or tel, as handsets write it.

        Raises:
            Malformed: for what is no URI.
        """
        if uri[:4].lower() == b"tel:":
            wish, number = self.read(uri[4:])
            return Dialled(wish, uri[:4] + number)
        parsed = parse_sip_uri(uri)
        if parsed is None or not parsed.user:
            return Dialled(Wish.NONE, uri)
        wish, number = self.read(parsed.user)
        return Dialled(wish, uri if wish is Wish.NONE else bytes(parsed.replaced(user=number)))
