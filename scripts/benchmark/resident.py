"""Resident memory of a process tree in which pages that processes share count once (PSS), without those of files.

Kamailio's processes share one pool of memory, as workers share what they had before they were forked: the sum of their
resident sets would count it many times. Pages of programs and libraries are shared with whatever else runs: when
another Python ends, our share of them grows by megabytes, and nothing of ours has.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from scripts.load.account import tree

_PSS = re.compile(r"^Pss_(?:Anon|Shmem):\s+(\d+) kB", re.MULTILINE)


def proportional(*pids: int) -> int:
    """Return the bytes that processes and their descendants have resident, pages of files aside."""
    total = 0
    for pid in tree(*pids):
        with contextlib.suppress(OSError):  # it ended while it was being read
            total += sum(map(int, _PSS.findall(Path(f"/proc/{pid}/smaps_rollup").read_text()))) * 1024
    return total
