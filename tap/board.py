"""The board: memory that supervisor and workers share, where each worker writes its numbers and nobody waits.

A worker copies all its numbers to its own row twice a second; the supervisor reads the rows when somebody scrapes. So a
worker that hangs holds up no page, and what a worker had counted outlives it, kill -9 or not, but for its last half
second. Rows need no lock: a copy that is read half-way is some numbers of one moment and some of the next, each of
them whole (eight bytes, aligned).
"""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Iterable

_SIZE = 8
"""Bytes of a number: a double, whole up to 2^53."""


class Board:
    """Rows of numbers, one a worker."""

    def __init__(self, workers: int, width: int) -> None:
        """Make rows of zeros; what is forked from this process has them in common with it."""
        self._row = width * _SIZE
        self._memory = mmap.mmap(-1, max(workers * self._row, 1))

    def write(self, worker: int, numbers: Iterable[float]) -> None:
        """Replace a worker's row; as many numbers as the row is wide."""
        row = array("d", numbers).tobytes()
        if len(row) != self._row:
            raise ValueError("a row has another width")
        self._memory[worker * self._row : (worker + 1) * self._row] = row

    def read(self, worker: int) -> list[float]:
        """Return a worker's row."""
        row = array("d")
        row.frombytes(self._memory[worker * self._row : (worker + 1) * self._row])
        return row.tolist()

    def clear(self, worker: int) -> None:
        """Write zeros."""
        self._memory[worker * self._row : (worker + 1) * self._row] = bytes(self._row)

    def close(self) -> None:
        """Let go of the memory; safe to call twice."""
        self._memory.close()
