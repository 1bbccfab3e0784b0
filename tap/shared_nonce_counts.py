"""Which nonce counts were used, by any worker: what one has taken, none of the others takes (RFC 7616 §3.4, §5.5).

A table in memory that all workers have in common, in buckets. Who uses a count has its bucket to itself meanwhile, by
a lock of one byte (fcntl), which the kernel takes back from whoever is killed. Nobody waits for it but for a moment:
what cannot be had is refused, and its phone answers anew. So of two workers that meet one proof at once one takes it at
most.

A bucket that is full gives up the nonce that was issued first, and `floor` rises to it first: all nonces issued up to
then count as old, in all workers. So nothing hangs on how long a nonce holds, and a worker that is started anew goes on
with what its predecessor has counted. The start of the supervisor is the first floor. A clock that is set back raises
it beyond what was issued before: else nobody would find room until the clock is there again.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b

BUCKETS = 4096
WAYS = 64
"""Nonces in a bucket: all buckets together have room for 262,144, in 6 MB. Some 160,000 that hold at once fill none:
chance spreads them by a keyed hash of ours, which nobody chooses."""
TRIES = 50
"""How often a bucket is asked for. Who has one has it for some 5 µs, unless the system stops it just there."""
KEY_SIZE = 16
_FREE = bytes(KEY_SIZE)


class _Busy(Exception):  # noqa: N818 -- no mistake: somebody is stopped at the wrong moment
    """A lock could not be had."""


class SharedNonceCounts:
    """The highest count that each user has used with a nonce (`proxy.nonce_counts.Counts`)."""

    def __init__(self, wall: int, buckets: int = BUCKETS, ways: int = WAYS) -> None:
        """Begin at wall (Unix seconds) with nothing; what is forked from this process has it in common with it."""
        places = buckets * ways
        memory = memoryview(mmap.mmap(-1, 4 + places * (KEY_SIZE + 8)))
        self._buckets, self._ways = buckets, ways
        self._floor = memory[:4].cast("I")
        self._issued = memory[4 : 4 + 4 * places].cast("I")
        self._counts = memory[4 + 4 * places : 4 + 8 * places].cast("I")
        self._keys = memory[4 + 8 * places :]
        self._locks = os.memfd_create("nonce-counts", os.MFD_CLOEXEC)
        """A file for its locks alone: they are a process's, so workers that have it by fork have locks of their own."""
        self._secret = os.urandom(16)
        """Else who draws many nonces could send those of one bucket alone, and have those of others count as old."""
        self._floor[0] = wall

    @property
    def floor(self) -> int:
        """Return until when nonces were issued that are old (Unix seconds)."""
        return self._floor[0]

    def use(self, nonce: bytes, user: bytes, count: int, issued: int, wall: int) -> bool:
        """Use a count up; False where it, or one behind it, was used before, or nobody can tell for now.

        Args:
            nonce: a fresh one, whose response was right.
            user: who has proved it.
            count: its nc.
            issued: when it was made, Unix seconds.
            wall: now. It tells where the clock was set back, and else nothing hangs on it.
        """
        # Nonces of ours are all of one length.
        key = blake2b(nonce + user, digest_size=KEY_SIZE, key=self._secret).digest()
        bucket = int.from_bytes(key[:4], "big") % self._buckets
        with suppress(_Busy), self._locked(bucket):
            return self._use(bucket * self._ways, key, count, issued, wall)
        return False

    def close(self) -> None:
        """Let go of the locks; the memory goes with the last who has it."""
        os.close(self._locks)

    # --- with the bucket to ourselves

    def _use(self, first: int, key: bytes, count: int, issued: int, wall: int) -> bool:
        if issued <= self._floor[0]:  # it has risen since the nonce was judged
            return False
        place = self._find(first, key)
        if place is None:
            if count <= 0:
                return False
            place = self._room(first, issued, wall)
            if place is None:
                return False
            # The key comes last: who is killed before has taken nothing, and left nothing that could be found.
            self._counts[place], self._issued[place] = count, issued
            self._keys[place * KEY_SIZE : (place + 1) * KEY_SIZE] = key
            return True
        if count <= self._counts[place]:
            return False
        self._counts[place] = count
        return True

    def _find(self, first: int, key: bytes) -> int | None:
        """Return the place of a key in a bucket."""
        keys = bytes(self._keys[first * KEY_SIZE : (first + self._ways) * KEY_SIZE])
        at = keys.find(key)
        while at >= 0 and at % KEY_SIZE:
            at = keys.find(key, at + 1)
        return first + at // KEY_SIZE if at >= 0 else None

    def _room(self, first: int, issued: int, wall: int) -> int | None:
        """Return an empty place; where there is none that of the eldest, unless the nonce is older still."""
        row = self._issued[first : first + self._ways].tolist()
        eldest = min(row)
        if eldest >= issued:
            if eldest >= wall:  # the clock was set back: until it is there again new nonces would all be older
                self._raise(eldest)
            return None
        self._raise(eldest)
        place = first + row.index(eldest)
        self._keys[place * KEY_SIZE : (place + 1) * KEY_SIZE] = _FREE
        return place

    def _raise(self, floor: int) -> None:
        """Have all nonces count as old that were issued up to then, before any of them is forgotten."""
        if floor > self._floor[0]:
            with self._locked(self._buckets):  # two that raise it at once must not lower it
                self._floor[0] = max(floor, self._floor[0])

    @contextmanager
    def _locked(self, byte: int) -> Iterator[None]:
        """Have one byte's lock.

        Raises:
            _Busy: another process keeps it.
        """
        for _ in range(TRIES):
            with suppress(OSError):
                fcntl.lockf(self._locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
                break
            os.sched_yield()
        else:
            raise _Busy
        try:
            yield
        finally:
            fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, byte)
