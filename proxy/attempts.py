"""Wrong answers, counted against where they came from: who guesses is slowed down, and nobody else.

Never an account as such: it would be enough to know its name to keep its owner out. What counts is an address together
with the account, and an address for all accounts; a nonce is bound to the address that it was sent to, so nobody can be
made to look as if they guessed. Where an account was proved before is counted by itself, port and all: a guesser behind
the same address translator does not reach it. Bounded: what has not been seen for longest is forgotten.
"""

from __future__ import annotations

from proxy.memo import Recent

WINDOW = 60
"""Seconds in which wrong answers are counted together, by the clock on the wall."""
MAX_NAME = 64
"""Bytes of a username that count: what is alike so far is slowed down together."""
MOST = 100_000
"""Addresses, and pairs of address and account, that are remembered at once."""


class Sender:
    """Where a request comes from."""

    __slots__ = ("origin", "place")

    def __init__(self, origin: bytes, place: bytes) -> None:
        """Note both.

        Args:
            origin: IPv4 address, or IPv6 network of 64 bits, which one host has to itself.
            place: address and port.
        """
        self.origin = origin
        self.place = place


class Attempts:
    """Counts of one worker, which has its share of the limits (`proxy/rate.py` `part_of`)."""

    __slots__ = ("_counts", "_proved", "failures", "source_failures")

    def __init__(self, failures: int, source_failures: int, most: int = MOST) -> None:
        """Allow so many wrong answers a window for an account from an address, and for all accounts from there."""
        self.failures = failures
        self.source_failures = source_failures
        self._counts: Recent[bytes, tuple[int, int]] = Recent(most)
        self._proved: Recent[bytes, bool] = Recent(most)

    def blocks(self, sender: Sender, username: bytes, wall: int) -> bool:
        """Tell whether answers for an account count as wrong from there, whatever they say; wall in Unix seconds."""
        own = _pair(sender.place, username)
        if self._proved.get(own):
            return self._count(own, wall) >= self.failures
        if self._count(_pair(sender.origin, username), wall) >= self.failures:
            return True
        return self._count(sender.origin, wall) >= self.source_failures

    def failed(self, sender: Sender, username: bytes, wall: int) -> None:
        """Count a wrong answer to a nonce that this sender was given."""
        own = _pair(sender.place, username)
        if self._proved.get(own):
            self._add(own, wall)
            return
        self._add(_pair(sender.origin, username), wall)
        self._add(sender.origin, wall)

    def proved(self, sender: Sender, username: bytes) -> None:
        """Note that somebody there knows the password."""
        self._proved.put(_pair(sender.place, username), True)

    def __len__(self) -> int:
        """Return how many counts and places are remembered."""
        return len(self._counts) + len(self._proved)

    def _count(self, key: bytes, wall: int) -> int:
        found = self._counts.get(key)
        return found[1] if found is not None and found[0] == wall // WINDOW else 0

    def _add(self, key: bytes, wall: int) -> None:
        self._counts.put(key, (wall // WINDOW, self._count(key, wall) + 1))


def _pair(where: bytes, username: bytes) -> bytes:
    # Neither addresses nor ports have a blank in them.
    return where + b" " + username[:MAX_NAME]
