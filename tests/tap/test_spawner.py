"""The spawner as a process of its own, with workers that do nothing."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tap import spawner
from tap.spawner import Report, Spawner, read_report


class Spawned:
    """Our ends of what leads to a spawner."""

    def __init__(self, work: Callable[[int], int]) -> None:
        self.commands, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.lifeline, far = socket.socketpair()
        self.commands.settimeout(5)
        self.pid = os.fork()
        if not self.pid:
            self.commands.close()
            self.lifeline.close()
            Spawner(theirs, far.fileno(), lambda worker: self._work(work, far, worker)).run()
            os._exit(0)
        theirs.close()
        far.close()

    @staticmethod
    def _work(work: Callable[[int], int], far: socket.socket, worker: int) -> int:
        if worker < 8:
            return work(worker)
        far.recv(1)  # a worker that stops when told to
        return 0

    def start(self, worker: int) -> None:
        self.commands.send(bytes([worker]))

    def report(self) -> Report:
        return read_report(self.commands.recv(100))

    def end(self) -> int:
        self.lifeline.close()
        status = os.waitpid(self.pid, 0)[1]
        self.commands.close()
        return status


@contextmanager
def spawned(work: Callable[[int], int]) -> Iterator[Spawned]:
    made = Spawned(work)
    yield made
    made.lifeline.close()


def hang(_: int) -> int:
    time.sleep(60)
    return 0


def explode(_: int) -> int:
    raise ValueError("sip:+15550142@example.net")


def test_starts_and_ends_are_reported() -> None:
    """Number, process, and how it ended."""
    with spawned(lambda worker: worker) as made:
        made.start(3)
        first = made.report()
        assert (first.worker, first.ended) == (3, False)
        last = made.report()
        assert last == Report(3, first.pid, 3 << 8, True)
        made.start(0)
        assert made.report().pid != first.pid
        assert made.end() == 0


def test_a_killed_worker_is_reported() -> None:
    """With its signal."""
    with spawned(hang) as made:
        made.start(1)
        pid = made.report().pid
        os.kill(pid, signal.SIGKILL)
        assert made.report() == Report(1, pid, signal.SIGKILL, True)
        assert made.end() == 0


def test_what_a_worker_raises_ends_there(capfd: pytest.CaptureFixture[str]) -> None:
    """An exit code, and no text of the exception."""
    with spawned(explode) as made:
        made.start(1)
        made.report()
        assert os.waitstatus_to_exitcode(made.report().status) == os.EX_SOFTWARE
        assert made.end() == 0
    assert "5550142" not in capfd.readouterr().err


def test_the_lifeline_stops_all() -> None:
    """Workers by themselves; the spawner when the last one has."""
    with spawned(hang) as made:
        for worker in (8, 9):
            made.start(worker)
            made.report()
        for signalled in (signal.SIGTERM, signal.SIGINT):
            os.kill(made.pid, signalled)  # as a terminal does to all
        assert made.end() == 0


def test_who_does_not_stop_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the grace."""
    monkeypatch.setattr(spawner, "GRACE", 0.1)
    with spawned(hang) as made:
        made.start(1)
        pid = made.report().pid
        assert made.end() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
