"""What the hot path asks: whose settings are these? Answered from memory, without waiting for anything.

Somebody else (tap/subscriber_watch) reads the store and puts here what it says, in a thread of its own: every step is
one operation on a dictionary, so that who asks sees each subscriber either as before or as after.

    FRESH        the store says what stands here
    LAST_KNOWN   the store cannot be read: the last known settings hold
    UNKNOWN      it never could be read, or not for too long: everybody gets the strict profile
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from enum import IntEnum
from typing import NamedTuple

from config.accounts import NO_ACCOUNTS, Accounts, Realms
from config.subscriber import EVERYWHERE, STRICT, Profile


class Knowledge(IntEnum):
    """How much is known of subscribers' settings; the numbers are those of the metric."""

    FRESH = 0
    LAST_KNOWN = 1
    UNKNOWN = 2


class Mark(NamedTuple):
    """Up to where a store was read: the number of its last change and, as a store restored from a backup counts
    the same numbers again, a number drawn for that change."""

    revision: int
    nonce: int


class Subscribers:
    """Settings by address of record."""

    def __init__(self, stale_after: float | None = None) -> None:
        """Know nothing yet, and hide everything; without stale_after (seconds) there is no store to know anything of.

        Then everybody gets the default profile of the configuration.
        """
        self.mark: Mark | None = None
        self.accounts = Accounts()
        """Who phones may prove to be: kept in the same store, read with it."""
        self.are_kept = stale_after is not None
        """Whether there is a store at all; where there is none, nobody has to be looked for."""
        self.knowledge = Knowledge.FRESH if stale_after is None else Knowledge.UNKNOWN
        self._stale_after = stale_after or 0.0
        self._read_at: float | None = None
        self._profiles: dict[bytes, Profile] = {}

    def find(self, *addresses: bytes) -> Profile | None:
        """Return the settings of a subscriber, None for those who have said nothing and get the default profile.

        Args:
            addresses: canonical ones (config.subscriber_address.forms), of which the first that is stored counts.
        """
        if self.knowledge is Knowledge.UNKNOWN:
            return STRICT
        profiles = self._profiles
        for address in addresses:
            profile = profiles.get(address)
            if profile is not None:
                return profile
        return None

    def __len__(self) -> int:
        """Return how many are known, whether or not their settings hold."""
        return len(self._profiles)

    def exceptions(self) -> Counter[str]:
        """Return how many have exceptions for each trunk that they name."""
        return Counter(
            trunk
            for profile in tuple(self._profiles.values())
            for trunk in {*profile.exceptions, *profile.abroad} - {EVERYWHERE}
        )

    def age(self, now: float) -> float | None:
        """Return the seconds since the store was last read, None if it never was."""
        return None if self._read_at is None else now - self._read_at

    def replace(self, profiles: dict[bytes, Profile], mark: Mark, now: float, accounts: Realms = NO_ACCOUNTS) -> None:
        """Take over all that a store says; now in monotonic seconds, as everywhere."""
        self._profiles = profiles
        self.accounts.replace(accounts)
        self.are_kept = True
        self.mark = mark
        self.confirm(now)

    def patch(
        self, changed: Mapping[bytes, Profile], remaining: Set[bytes] | None, mark: Mark, now: float,
        accounts: Realms = NO_ACCOUNTS, remaining_accounts: Set[tuple[bytes, bytes]] | None = None,
    ) -> None:  # fmt: skip
        """Take over what has changed; where somebody was removed, remaining is everybody who is still there."""
        self.accounts.patch(accounts, remaining_accounts)
        self._profiles.update(changed)
        if remaining is not None:
            for address in tuple(self._profiles):
                if address not in remaining:
                    self._profiles.pop(address, None)
        self.mark = mark
        self.confirm(now)

    def confirm(self, now: float) -> None:
        """Take note that the store was read and says what stands here."""
        self._read_at = now
        self.knowledge = Knowledge.FRESH
        self.accounts.are_known = True

    def doubt(self, now: float) -> None:
        """Take note that the store cannot be read, or has not answered."""
        age = self.age(now)
        known = age is not None and age <= self._stale_after
        self.knowledge = Knowledge.LAST_KNOWN if known else Knowledge.UNKNOWN
        self.accounts.are_known = known
