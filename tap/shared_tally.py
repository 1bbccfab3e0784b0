"""How many connections each source has in all workers together (`proxy.tally.Tally`), since the kernel spreads them.

Memory that all have in common: rows, which a keyed hash of the source chooses three of, and in each a number for each
worker, which that one alone writes. So nobody waits and nothing is lost. Sources that share a row are counted together
there; of the three rows the least counts, which is more than there are only where others are in all of them (a
count-min sketch). Two workers that take a connection at the same moment may make one too many of them.
"""

from __future__ import annotations

import mmap
import os
from hashlib import blake2b

ROWS = 65_536
"""10,000 sources at once share all their rows by a chance of 5 %, and a row is then another's two or three."""
_CHOICES = 3


class SharedTally:
    """The numbers of all workers; one of them writes."""

    def __init__(self, workers: int, rows: int = ROWS) -> None:
        """Begin with none; what is forked from this process has them in common with it."""
        self._memory = memoryview(mmap.mmap(-1, 4 * workers * rows)).cast("I")
        self._workers = workers
        self._rows = rows
        self._worker = 0
        self._key = os.urandom(16)

    def begin(self, worker: int) -> None:
        """Be the one who writes a worker's numbers, which its predecessor may have left: its connections are gone."""
        self._worker = worker
        self._memory[worker :: self._workers] = memoryview(bytes(4 * self._rows)).cast("I")

    def total(self, source: str) -> int:
        """Return how many a source has in all workers."""
        memory, workers = self._memory, self._workers
        return min(sum(memory[row * workers : (row + 1) * workers].tolist()) for row in self._chosen(source))

    def add(self, source: str, number: int) -> None:
        """Count more of ours, or fewer."""
        for row in self._chosen(source):
            self._memory[row * self._workers + self._worker] += number

    def _chosen(self, source: str) -> set[int]:
        digest = blake2b(source.encode(), digest_size=4 * _CHOICES, key=self._key).digest()
        return {int.from_bytes(digest[at : at + 4], "big") % self._rows for at in range(0, len(digest), 4)}
