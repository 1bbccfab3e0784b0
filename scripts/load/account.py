"""CPU and memory of a process and all its descendants, by the scheduler's own account.

The first field of /proc/PID/task/TID/schedstat is the time on a core in nanoseconds. Ticks (/proc/PID/stat) sample
instead, and see little of a process that wakes up thousands of times a second for microseconds.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Account(NamedTuple):
    """What a tree of processes has used so far; the difference of two is what it used in between."""

    cpu: dict[int, float]
    """Process id → microseconds on a core since it started, all its threads together."""
    resident: int
    """Bytes of memory that all of them have resident; pages that they share count once for each."""

    @property
    def total(self) -> float:
        """Return the microseconds of all processes."""
        return sum(self.cpu.values())

    def since(self, earlier: Account) -> Account:
        """Return what was used after earlier; a process that is gone by now counts nothing, a new one all it has.

        Threads and processes that have ended take their account with them: read it before they do.
        """
        cpu = {pid: max(0.0, used - earlier.cpu.get(pid, 0.0)) for pid, used in self.cpu.items()}
        return Account(cpu, self.resident)


def account(*pids: int) -> Account:
    """Return what these processes and all their descendants have used; one that does not exist counts nothing."""
    cpu: dict[int, float] = {}
    resident = 0
    for pid in tree(*pids):
        try:
            used, pages = _cpu(pid), int((PROC / str(pid) / "statm").read_text().split()[1])
        except OSError:  # it ended while it was being read
            continue
        cpu[pid] = used
        resident += pages * PAGE
    return Account(cpu, resident)


def tree(*pids: int) -> list[int]:
    """Return pids and their descendants, those that are gone left out, parents before children."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            children.setdefault(_parent(entry), []).append(int(entry.name))
    found: list[int] = []
    waiting = [pid for pid in pids if (PROC / str(pid)).exists()]
    while waiting:
        pid = waiting.pop(0)
        if pid not in found:
            found.append(pid)
            waiting += sorted(children.get(pid, []))
    return found


def _parent(entry: Path) -> int:
    """Return the parent's process id, 0 where there is none (any more)."""
    try:
        # The second field, a name in brackets, may hold spaces and brackets: count from its end.
        return int((entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _cpu(pid: int) -> float:
    """Return the microseconds of one process."""
    nanoseconds = 0
    for task in (PROC / str(pid) / "task").iterdir():
        try:
            nanoseconds += int((task / "schedstat").read_text().split()[0])
        except OSError:  # a thread that ended
            continue
    return nanoseconds / 1000
