"""The C library's allocator, told to give large blocks back (issue 3: measured, not guessed).

The tables of transactions are blocks of some megabytes that grow and shrink with the load. glibc takes such blocks from
the system and gives them back, until the first one was freed: from then on it keeps blocks of that size among the
small ones, up to 32 MB (mallopt(3), "dynamic mmap threshold"), and the holes that they leave are too torn to be used
again. Over 300,000 calls a process grew by 13 MB, in steps, though what it had in use stayed the same. A threshold
that was set by hand stays where it is.
"""

from __future__ import annotations

import ctypes

M_MMAP_THRESHOLD = -3
"""Its number in malloc.h, for 30 years now."""
LARGE = 256 << 10
"""Bytes from which a block is the system's own: larger than any message, smaller than a table of 10,000 calls."""


def give_back() -> bool:
    """Have large blocks given back at once; False where the C library knows no such wish (musl, macOS)."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGE))
