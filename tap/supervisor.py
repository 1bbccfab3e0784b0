"""The supervisor: starts workers, starts anew those that die, stops them all, and has the metrics page.

It does no SIP. It holds every socket, and one end of a pair, the lifeline: closing it, or dying, stops all.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.tcp import Port

from config.address import HostPortValue
from config.settings import Settings
from proxy.steering import REACHES
from tap.application import ApplicationService
from tap.backoff import Backoff
from tap.candidate import Candidate
from tap.equipment import Equipment
from tap.log import LineObserver
from tap.metrics import not_registered
from tap.reload import Reloader
from tap.shell import open_page
from tap.spawner import Report, Spawner, read_report
from tap.watch import Watch
from tap.worker import work
from tap.worker_metrics import WorkersCollector
from tap.worker_reload import Conductor


class SupervisorService(ApplicationService):
    """Opens sockets before privileges are dropped, starts workers after, and ends with the last of them."""

    def __init__(
        self,
        settings: Settings,
        reactor: Any,  # noqa: ANN401 - Twisted has no one interface for all that a reactor does
        observer: LineObserver | None = None,
        path: Path | None = None,
    ) -> None:
        """Set up.

        Args:
            settings: what path says.
            reactor: a Twisted reactor.
            observer: becomes the log of the application that the service is added to (twistd).
            path: what is read again at SIGHUP or `sipveil reload`; without it there is no such thing.
        """
        super().__init__(reactor, "supervisor", observer)
        self.equipment = Equipment(settings)
        self._configured = settings
        self._path = path
        self._conductor: Conductor | None = None
        self._ready: set[int] = set()
        self._began = False
        self._born: dict[int, float] = {}
        self._backoffs = [Backoff() for _ in range(settings.workers)]
        self._restarts = dict.fromkeys(range(settings.workers), 0)
        self._page: Port | None = None
        self._lifeline = -1
        self._commands: socket.socket | None = None
        self._gone: Deferred[None] | None = None
        """Fires when all other processes have ended."""

    def privilegedStartService(self) -> None:  # noqa: N802 - IService
        """Bind the sockets, which may need root for ports below 1024.

        Raises:
            SystemExit: with the reason, where an address cannot be bound.
        """
        self.or_exit(self.equipment.open)

    def startService(self) -> None:  # noqa: N802 - IService
        """Start the workers, after twistd has become a daemon.

        Raises:
            SystemExit: with the reason, where keys or metrics page cannot be used.
        """
        Service.startService(self)
        self.or_exit(lambda: self.equipment.prepare(time.time()))
        self._fork_spawner()
        self._make_reloader()
        self.or_exit(self._open_page)
        for listener in self.equipment.settings.listeners:
            address = str(HostPortValue(listener.address, listener.port))
            self._log.info("listening {transport} {address}", transport=listener.transport, address=address)
        self._log.info("{steering}", steering=_steering(self.equipment.steered))
        for worker in range(self.equipment.settings.workers):
            self._start_worker(worker)
        self.take_commands(self.equipment.settings.state_dir)

    def stopService(self) -> Deferred[None]:  # noqa: N802 - IService
        """Stop the workers and close everything; fires when nobody is left."""
        Service.stopService(self)
        self.take_no_more_commands()
        self._cut_lifeline()
        page, self._page = self._page, None
        closed: Deferred[None] = (page.stopListening() if page else None) or succeed(None)
        if self._gone is not None:
            gone = self._gone
            closed.addCallback(lambda _: gone)
        return closed.addCallback(lambda _: self._end())

    @property
    def healthy(self) -> bool:
        """Whether every worker takes calls."""
        return len(self._ready) == self.equipment.settings.workers

    # --- the spawner

    def _fork_spawner(self) -> None:
        """Make the process that forks workers, while there is neither a thread nor a running reactor here."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listening, self._lifeline = _pair()
        news, announcing = _pair()
        pid = os.fork()
        if not pid:
            ours.close()
            os.close(self._lifeline)
            os.close(news)
            _be_spawner(theirs, listening, lambda worker: work(self.equipment, worker, listening, announcing))
        theirs.close()
        os.close(listening)
        os.close(announcing)
        self._commands = ours
        self._gone = Deferred()
        gone = self._gone
        # Spawner and workers have the other end, so that it ends with the last of them.
        Watch(self._reactor, news, self._on_news, lambda: self._on_all_gone(pid, gone))
        Watch(self._reactor, os.dup(ours.fileno()), self._on_report, self._on_spawner_gone)

    def _on_all_gone(self, spawner: int, gone: Deferred[None]) -> None:
        """Go on with stopping: nobody is left."""
        os.waitpid(spawner, 0)
        gone.callback(None)

    def _on_spawner_gone(self) -> None:
        """Stop where workers can no longer be started; whoever started us starts us again."""
        if self.running:
            self._fail("the spawner has ended, so no worker could be started again")

    def _cut_lifeline(self) -> None:
        """Let go of what keeps the others alive."""
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1

    # --- workers

    def _start_worker(self, worker: int) -> None:
        """Have a worker forked, unless we are stopping."""
        if self.running and self._commands is not None:
            self._born[worker] = self._reactor.seconds()
            with suppress(OSError):  # the spawner is gone, which its own watch is about to find
                self._commands.send(bytes([worker]))

    def _on_report(self, data: bytes) -> None:
        """Take what the spawner says."""
        report = read_report(data)
        if not report.ended:
            self._log.debug("worker {worker} is process {pid}", worker=report.worker, pid=report.pid)
        elif self.running:
            self._on_death(report)

    def _on_death(self, report: Report) -> None:
        """Start a worker anew; before all have been ready once, its end is a mistake that would only repeat itself."""
        worker, how = report.worker, _manner(report.status)
        self._ready.discard(worker)
        if self._conductor is not None:
            self._conductor.died(worker)
        self.equipment.ledger.bury(worker)
        if not self._began:
            self._fail(f"worker {worker} could not start ({how})")
            return
        delay = self._backoffs[worker].died(self._reactor.seconds() - self._born[worker])
        self._restarts[worker] += 1
        self._log.error("worker {worker} {how}; starting it again in {delay} s", worker=worker, how=how, delay=delay)
        self._reactor.callLater(delay, self._start_worker, worker)

    def _on_news(self, data: bytes) -> None:
        """Take the numbers of workers that are ready."""
        self._ready.update(data)
        if not self._began and self.healthy:
            self._began = True
            self._log.info("sipveil is ready")
        elif self._began:
            self._log.info("workers ready: {ready} of {all}", ready=len(self._ready), all=len(self._backoffs))

    # --- the rest

    def _make_reloader(self) -> None:
        """Make what reloads, where it is known what."""
        if self._path is None:
            return
        equipment = self.equipment
        self._conductor = Conductor(
            self._reactor, equipment.lines, equipment.shelf, lambda worker: worker in self._ready
        )  # fmt: skip
        self._conductor.listen()
        self._reloader = Reloader(
            self._reactor, self._path, self._configured, equipment.subscribers, self._adopt,
            wall=time.time, log=self._log,
        )  # fmt: skip

    def _adopt(self, candidate: Candidate) -> Deferred[None]:
        """Let all workers take a candidate up, and show its trunks then."""
        assert self._conductor is not None  # noqa: S101 -- made before what reloads
        return self._conductor.adopt(candidate).addCallback(lambda _: self.equipment.ledger.follow(candidate.settings))

    def _open_page(self) -> None:
        """Serve the numbers of all workers."""
        collector = WorkersCollector(self.equipment.ledger, self._restarts, lambda worker: worker in self._ready)
        collectors = [collector, self._reloader.history] if self._reloader else [collector]
        ledger = self.equipment.ledger
        self._page = open_page(
            self._reactor, self.equipment.settings, collectors, lambda: self.healthy, self._log,
            lambda: not_registered(ledger.settings, ledger.trunk_gauges()),
        )  # fmt: skip

    def _fail(self, reason: str) -> None:
        """Stop, and say why; the first reason is the one that counts."""
        if self.failed:
            return
        self.failed = True
        self._log.error("{reason}", reason=reason)
        self._reactor.callWhenRunning(self._reactor.stop)

    def _end(self) -> None:
        """Close what is left, as the last one."""
        self.equipment.close()
        if self._commands is not None:
            self._commands.close()
        self._log.info("sipveil has stopped")

    def give_up(self) -> None:
        """Stop what runs, and close what was opened."""
        self._cut_lifeline()
        self.equipment.close()


def _steering(reach: int) -> str:
    """Return how datagrams get to their workers, for whoever wonders at the hand-overs that are counted."""
    if reach == REACHES[0].call_id:
        return "the kernel gives datagrams to their workers"
    if reach:
        return (
            f"the kernel gives datagrams to their workers where the Call-ID is in the first {reach} bytes; "
            "net.core.optmem_max = 131072 would let it look further"
        )
    return "the kernel does not know whose a datagram is, so workers hand over what is not theirs"


def _pair() -> tuple[int, int]:
    """Return the ends of a way between processes: no pipe, whose end Twisted takes for a fault of ours."""
    ends = socket.socketpair()
    return ends[0].detach(), ends[1].detach()


def _be_spawner(commands: socket.socket, lifeline: int, work: Callable[[int], int]) -> NoReturn:
    """Run the spawner in a process that was forked for it, and end that."""
    code = os.EX_SOFTWARE
    try:
        Spawner(commands, lifeline, work).run()
        code = os.EX_OK
    finally:
        os._exit(code)


def _manner(status: int) -> str:
    """Return how a process ended, from what os.waitpid says."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
