"""CPU and memory of real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.load.account import Account, account, tree

BURN = "import time\nend = time.thread_time() + 0.1\nwhile time.thread_time() < end: pass\n"
PARENT = f"""
import subprocess, sys, threading
def burn():
{"".join("    " + line + chr(10) for line in BURN.splitlines())}
thread = threading.Thread(target=burn); thread.start()
child = subprocess.Popen([sys.executable, "-c", {BURN + "print('done', flush=True); import sys; sys.stdin.read()"!r}])
burn()
print("done", flush=True)
sys.stdin.read()
thread.join(); child.wait()
"""


@contextmanager
def running(code: str, done: int) -> Iterator[int]:
    """Run Python code until it has said `done` so many times; yield its process id."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        for _ in range(done):
            assert process.stdout.readline() == b"done\n"
        yield process.pid
        process.kill()


def test_time_of_threads_and_children_counts() -> None:
    """Two processes; each has burnt a tenth of a second in its main thread, within what starting took."""
    with running(PARENT, 2) as pid:
        found = account(pid)
        assert next(iter(found.cpu)) == pid
        assert len(found.cpu) == 2
        assert all(used >= 90_000 for used in found.cpu.values())
        assert found.total == sum(found.cpu.values())
        assert found.resident > 4_000_000


def test_what_was_used_in_between() -> None:
    """A process that came counts whole, one that went not at all, and nothing is negative."""
    before = Account({1: 100.0, 2: 50.0, 3: 7.0}, 1000)
    now = Account({1: 140.0, 3: 6.0, 4: 5.0}, 3000)
    assert now.since(before) == Account({1: 40.0, 3: 0.0, 4: 5.0}, 3000)


def test_own_time_grows() -> None:
    """Microseconds: burning 50 ms adds about that."""
    before = account(os.getpid())
    end = time.thread_time() + 0.05
    while time.thread_time() < end:
        pass
    used = account(os.getpid()).since(before).cpu[os.getpid()]
    assert 45_000 <= used <= 1_000_000


def test_a_process_that_is_gone_counts_nothing() -> None:
    """Its id is above what the kernel hands out."""
    assert tree(2**22 + 1) == []
    assert account(2**22 + 1) == Account({}, 0)
