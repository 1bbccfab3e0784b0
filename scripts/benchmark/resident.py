"""Resident memory of a process tree in which pages that processes share count once (PSS).

Kamailio's processes share one pool of memory, as workers share what they had before they were forked: the sum of their
resident sets would count it many times.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from scripts.load.account import tree


def proportional(*pids: int) -> int:
    """Return the bytes that processes and their descendants have resident, shared pages counted once."""
    total = 0
    for pid in tree(*pids):
        with contextlib.suppress(OSError):  # it ended while it was being read
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
    return total
