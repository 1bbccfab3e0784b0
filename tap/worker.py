"""A worker: one core on its own sockets, which knows that there are others (design.md §6)."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from config.settings import Settings
from proxy.core import Core
from proxy.handover import Framer, Sorter
from proxy.sinks import Sinks
from proxy.transport import UdpListener
from proxy.transport_handover import HandoverStats, InboxReader, Outboxes
from tap.candidate import Candidate
from tap.clock import use_monotonic
from tap.collector import relax
from tap.equipment import Equipment
from tap.log import logger, where
from tap.metrics import SipveilCollector
from tap.service import SystemClocks
from tap.shell import Clocks, MakeCore, Shell
from tap.watch import Watch
from tap.worker_metrics import numbers, own_numbers, trunk_numbers
from tap.worker_reload import Follower

PUBLISH = 0.5
"""Seconds between two copies of a worker's numbers to the board: Prometheus scrapes every 15 or so."""


class WorkerShell(Shell):
    """A shell on inherited sockets: it hands over what is another's, and leaves the page to the supervisor."""

    def __init__(
        self, reactor: Any, equipment: Equipment, worker: int, make_core: MakeCore, *, clocks: Clocks,  # noqa: ANN401
        ready: Callable[[], None],
    ) -> None:  # fmt: skip
        """Set up for worker number `worker`; ready is called once the reactor runs."""
        settings = share(equipment.settings)
        log = logger("service")
        super().__init__(reactor, settings, make_core, clocks=clocks, log=log, subscribers=equipment.subscribers)
        self._equipment = equipment
        self._worker = worker
        self._ready = ready
        self._sockets = list(equipment.sockets(worker))
        self._handover = HandoverStats()
        addresses = [_address(sock) for sock in self._sockets]
        framer = Framer(addresses)
        self._framer = framer
        self._outboxes = Outboxes([inbox.writer for inbox in equipment.inboxes], framer, self._handover)
        # Where a wildcard address is bound, what we send ourselves comes from the address that we advertise.
        advertised = {(each.advertised[0], each.port) for each in settings.listeners if each.advertised}
        self._own = frozenset(addresses) | advertised

    def start(self) -> None:
        """Build the core and begin to read and to tick."""
        super().start()
        self._inbox = InboxReader(
            self._reactor, self._equipment.inboxes[self._worker].reader, self._framer, self._handover,
            receive=self.core.receive, clock=self._clocks.now,
            failed=lambda error: self.boundary.failed("datagram", error), overload=self.core.overload,
        )  # fmt: skip
        self._inbox.start()
        equipment = self._equipment
        line = equipment.lines[self._worker]
        Follower(self._reactor, line, equipment.shelf, equipment.subscribers, self.adopt).start()
        self._tick(PUBLISH, self.publish)

    def adopt(self, candidate: Candidate) -> None:
        """Let the core go on with a worker's share of what a reload has made ready."""
        super().adopt(candidate._replace(settings=share(candidate.settings)))

    def _close(self) -> Deferred[None]:
        """Close everything, and leave the last numbers on the board."""
        stopped = super()._close()
        self._inbox.close()
        self.publish()
        return stopped

    def publish(self) -> None:
        """Copy our numbers to the board."""
        stats = [listener.stats for listener in self._listeners.values()]
        own = own_numbers(stats, self._handover, time.process_time())
        ledger = self._equipment.ledger
        row = numbers(self._collector) + own + trunk_numbers(self._collector, ledger.room)
        ledger.board.write(self._worker, row)

    def _listener(self, sock: socket.socket) -> UdpListener:
        """Return the reader of a socket; datagrams go to the core or to their owner."""
        sorter = Sorter(
            self._worker, self._equipment.settings.workers,
            receive=self.core.receive, hand_over=self._outboxes.hand_over, own=self._own,
        )  # fmt: skip
        return UdpListener(
            self._reactor,
            sock,
            receive=sorter.receive,
            clock=self._clocks.now,
            failed=lambda error: self.boundary.failed("datagram", error),
            watch=self._watch(sock),
        )

    def _open_page(self) -> None:
        """Open none: the supervisor has the page."""
        self._collector = SipveilCollector(self._sources())

    def _tell_begin(self) -> None:
        """Tell the supervisor, as soon as we can be told to stop."""
        self._reactor.callWhenRunning(self._ready)

    def _tell_end(self) -> None:
        """Say nothing: that a worker stops with the others is no news."""


def share(settings: Settings) -> Settings:
    """Return settings with a worker's share of the limits that hold for all calls together, rounded up."""
    limits, workers = settings.limits, settings.workers
    parts = {"transactions": -(-limits.transactions // workers), "parked": -(-limits.parked // workers)}
    return settings.model_copy(update={"limits": limits.model_copy(update=parts)})


def core_maker(equipment: Equipment, worker: int, clocks: Clocks) -> MakeCore:
    """Return what builds a worker's core from what the supervisor has prepared."""

    def make(settings: Settings, sinks: Sinks) -> Core:
        ring, retired = equipment.state
        now, wall = clocks.now(), clocks.wall()
        return Core(
            settings, ring, equipment.privacy, sinks, now=now, wall=wall, retired=retired, worker=worker,
            accounts=equipment.subscribers.accounts,
            passwords=equipment.passwords,
        )  # fmt: skip

    return make


def work(equipment: Equipment, worker: int, lifeline: int, news: int) -> int:
    """Be a worker until the lifeline is closed, in a process that was forked for it; return the exit code.

    Args:
        equipment: what the supervisor has made.
        worker: our number.
        lifeline: one end of a pair whose other end is the supervisor's.
        news: one end of another pair; our number on it says that we are ready.
    """
    try:
        reactor = fresh_reactor()
        equipment.renew()
        clocks = SystemClocks()
        make = core_maker(equipment, worker, clocks)
        shell = WorkerShell(reactor, equipment, worker, make, clocks=clocks, ready=lambda: _announce(news, worker))
        Watch(reactor, lifeline, lambda _: None, reactor.stop)
        reactor.addSystemEventTrigger("before", "shutdown", shell.stop)
        shell.start()
        relax()
        reactor.run(installSignalHandlers=False)
    except Exception as error:
        logger("service").error("worker {worker} failed: {spot}", worker=worker, spot=where(error))
        return os.EX_SOFTWARE
    return os.EX_OK


def fresh_reactor() -> Any:  # noqa: ANN401 - Twisted has no one interface for all that a reactor does
    """Return a reactor of this process's own: the one that was inherited shares its epoll with the supervisor."""
    from twisted.internet import default  # noqa: PLC0415 - names the platform's reactor and makes none

    sys.modules.pop("twisted.internet.reactor", None)
    default.install()
    from twisted.internet import reactor  # noqa: PLC0415

    use_monotonic(reactor)
    return reactor


def _announce(news: int, worker: int) -> None:
    """Tell the supervisor that we are ready; it may be gone."""
    try:
        os.write(news, bytes([worker]))
    except OSError:
        return


def _address(sock: socket.socket) -> tuple[str, int]:
    """Return address and port of a bound socket."""
    host, port = sock.getsockname()[:2]
    return host, port
