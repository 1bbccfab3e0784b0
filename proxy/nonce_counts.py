"""Which nonce counts were used: a response that was right once is never right again (RFC 7616 §3.4, §5.5).

Bounded, and closed where it ends: what has to be forgotten while it could still be used raises `floor`, and all nonces
issued up to then count as old. So does the start, for what was used before it nobody knows.

`NonceCounts` is what one process alone knows; workers have their counts in common (`tap/shared_nonce_counts.py`).
"""

from __future__ import annotations

from typing import Protocol

MOST = 200_000
"""Nonces that are kept, some 40 MB: three minutes of 1,000 calls a second of phones that take a new one for each."""


class Counts(Protocol):
    """What knows which counts were used."""

    @property
    def floor(self) -> int:
        """Return until when nonces were issued that are old (Unix seconds)."""

    def use(self, nonce: bytes, user: bytes, count: int, issued: int, wall: int) -> bool:
        """Use a count up; False where that may not be, as of `NonceCounts`."""


class NonceCounts:
    """The highest count that each user has used with a nonce, in two halves; the older is forgotten as a whole."""

    __slots__ = ("_began", "_half", "_life", "_newest", "_newest_old", "_old", "_young", "floor")

    def __init__(self, wall: int, life: int, most: int = MOST) -> None:
        """Begin at wall (Unix seconds) with nothing, for nonces that hold for life seconds."""
        self.floor = wall
        """Nonces issued up to then are old (Unix seconds)."""
        self._life = life
        self._half = most // 2
        self._began = wall
        self._young: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}
        self._newest = self._newest_old = 0

    def __len__(self) -> int:
        """Return how many nonces are kept."""
        return len(self._young) + len(self._old)

    def use(self, nonce: bytes, user: bytes, count: int, issued: int, wall: int) -> bool:
        """Use a count up; False where it, or one behind it, was used before.

        Args:
            nonce: a fresh one, whose response was right.
            user: who has proved it. A proof is one user's; counted together, who shares the address and overhears the
                nonce could use up another's counts.
            count: its nc.
            issued: when it was made, Unix seconds.
            wall: now.
        """
        key = nonce + user  # nonces of ours are all of one length
        last = self._young.get(key)
        if last is None:
            last = self._old.get(key, 0)
        if count <= last:
            return False
        if key not in self._young and (len(self._young) >= self._half or wall - self._began > self._life):
            self._turn(wall)
        self._young[key] = count
        self._newest = max(self._newest, issued)
        return True

    def _turn(self, wall: int) -> None:
        """Forget the older half; what of it has not run out by itself counts as old from now on."""
        if self._old and wall - self._newest_old <= self._life:
            self.floor = max(self.floor, self._newest_old)
        self._old, self._young = self._young, {}
        self._newest_old, self._newest = self._newest, 0
        self._began = wall
