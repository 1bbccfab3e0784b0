"""Whose an address is: the accounts that have it besides others, so that a call to it finds who registered another.

A number is the same at every host and alone (RFC 3261 §19.1.6), so it is kept by its digits. Who has one address has no
other to be found by, and is not here: most accounts take no room. It is followed by the thread that reads the store,
one dictionary operation at a time. What is found is where to look: whether an address is an account's, that has to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# RFC 3966 §3: global-number-digits = "+" *phonedigit DIGIT *phonedigit; phonedigit = DIGIT / visual-separator
_GLOBAL = re.compile(rb"\+[0-9.()-]*[0-9][0-9.()-]*")


class AccountAddresses:
    """Usernames by address, for each realm."""

    def __init__(self) -> None:
        """Know none."""
        self._realms: dict[bytes, dict[bytes, tuple[bytes, ...]]] = {}

    def find(self, realm: bytes, address: bytes) -> tuple[bytes, ...]:
        """Return the usernames of accounts that have a canonical address, and others besides."""
        names = self._realms.get(realm)
        return () if names is None else names.get(_key(address), ())

    def replace(self, realms: Mapping[bytes, Iterable[tuple[bytes, tuple[bytes, ...]]]]) -> None:
        """Know these and no others: realm → (username, its addresses)."""
        made = {}
        for realm, accounts in realms.items():
            found: dict[bytes, list[bytes]] = {}
            for username, addresses in accounts:
                for key in _keys(addresses):
                    found.setdefault(key, []).append(username)
            made[realm] = {key: tuple(names) for key, names in found.items()}
        self._realms = made

    def change(self, realm: bytes, username: bytes, before: tuple[bytes, ...], after: tuple[bytes, ...]) -> None:
        """Follow an account from the addresses that it had to those that it has; () where there is, or was, none."""
        names = self._realms.setdefault(realm, {})
        old, new = _keys(before), _keys(after)
        for key in old - new:
            left = tuple([each for each in names.get(key, ()) if each != username])
            if left:
                names[key] = left
            else:
                names.pop(key, None)
        for key in new - old:
            names[key] = (*names.get(key, ()), username)


def _keys(addresses: tuple[bytes, ...]) -> set[bytes]:
    return set(map(_key, addresses)) if len(addresses) > 1 else set()


def _key(address: bytes) -> bytes:
    """Return an address without what does not tell it from others: all but the digits, where it is a number."""
    user, at, _ = address.rpartition(b"@")
    number = (user if at else address).partition(b";")[0]
    return number.translate(None, b"-.()") if _GLOBAL.fullmatch(number) else address
