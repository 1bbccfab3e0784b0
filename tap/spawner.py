"""The spawner: a process without a reactor that forks workers, told to by the supervisor.

    supervisor ── commands ──> spawner ── fork ──> workers
               <── reports ───

The supervisor runs a reactor and must not fork; the spawner has all code loaded and nothing running, so that a worker
is there within some ten milliseconds, and shares the memory of what does not change. When the supervisor closes its
lifeline, or is killed, which closes it too, workers stop by themselves; the spawner ends those that do not.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import struct
from collections.abc import Callable
from typing import NamedTuple

GRACE = 5.0
"""Seconds that workers have to stop once the lifeline is closed; then they are killed."""
REPORT = struct.Struct("!BiiB")
"""Worker, process id, status as of os.waitpid (0 for a start), and whether it has ended."""


class Report(NamedTuple):
    """What the spawner tells the supervisor."""

    worker: int
    pid: int
    status: int
    ended: bool


def read_report(data: bytes) -> Report:
    """Return the report in a message of the spawner."""
    worker, pid, status, ended = REPORT.unpack(data)
    return Report(worker, pid, status, bool(ended))


class Spawner:
    """The loop of that process; `run` returns when the lifeline is closed and no worker is left."""

    def __init__(self, commands: socket.socket, lifeline: int, work: Callable[[int], int]) -> None:
        """Set up.

        Args:
            commands: our end of a SOCK_SEQPACKET pair; each message is the number of a worker to start.
            lifeline: one end of a pair whose other end is the supervisor's.
            work: what a worker does in its own process; returns its exit code.
        """
        self._commands = commands
        self._lifeline = lifeline
        self._work = work
        self._poll = select.poll()
        self._workers: dict[int, tuple[int, int]] = {}
        """Descriptor of a process → worker and process id."""

    def run(self) -> None:
        """Start workers and report their ends."""
        # A terminal and systemd signal everybody; it is the supervisor who tells the others when to stop or reload.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        gc.freeze()  # a collection in a worker would copy every page that it looks at
        self._poll.register(self._commands, select.POLLIN)
        self._poll.register(self._lifeline, select.POLLIN)
        while not self._step():
            pass
        self._end()

    def _step(self) -> bool:
        """Wait for something to happen, and handle it; True when the supervisor is gone."""
        ready = [descriptor for descriptor, _ in self._poll.poll()]
        for descriptor in ready:
            if descriptor in self._workers:
                self._reap(descriptor)
        if self._lifeline in ready:
            return True
        if self._commands.fileno() in ready:
            message = self._commands.recv(16)
            if not message:
                return True
            self._start(message[0])
        return False

    def _start(self, worker: int) -> None:
        """Fork a worker."""
        pid = os.fork()
        if not pid:
            code = os.EX_SOFTWARE
            try:
                self._commands.close()
                code = self._work(worker)
            finally:
                os._exit(code)
        descriptor = os.pidfd_open(pid)
        self._workers[descriptor] = worker, pid
        self._poll.register(descriptor, select.POLLIN)
        self._report(worker, pid, 0, ended=False)

    def _reap(self, descriptor: int) -> None:
        """Take note of a worker's end."""
        self._poll.unregister(descriptor)
        os.close(descriptor)
        worker, pid = self._workers.pop(descriptor)
        self._report(worker, pid, os.waitpid(pid, 0)[1], ended=True)

    def _report(self, worker: int, pid: int, status: int, *, ended: bool) -> None:
        """Tell the supervisor, if there is one."""
        try:
            self._commands.send(REPORT.pack(worker, pid, status, ended))
        except OSError:  # it is gone; its lifeline says so too
            return

    def _end(self) -> None:
        """Wait for the workers to stop, and kill those that do not."""
        self._poll.unregister(self._commands)
        self._poll.unregister(self._lifeline)
        while self._workers:
            ended = self._poll.poll(GRACE * 1000)
            if not ended:
                for descriptor in self._workers:
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            for descriptor, _ in ended:
                self._reap(descriptor)
