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
from proxy import core as sip
from proxy.flow import Flow
from proxy.handover import Framer, Matter, Owners, Sorter, StreamSorter
from proxy.places import worker_of_connection
from proxy.rate import part_of
from proxy.sinks import Sinks
from proxy.transport import UdpListener
from proxy.transport_handover import HandoverStats, InboxReader, Outboxes, Take
from proxy.transport_stream import Core as StreamCore
from tap.candidate import Candidate
from tap.clock import use_monotonic
from tap.collector import relax
from tap.connections import Connections
from tap.equipment import Equipment
from tap.log import logger, where
from tap.metrics import SipveilCollector
from tap.reactor import install
from tap.registration_feed import FLUSH, PATIENCE, RegistrationFeed
from tap.service import SystemClocks
from tap.shell import Clocks, Core, MakeCore, Shell
from tap.watch import Watch
from tap.worker_metrics import numbers, own_numbers, trunk_numbers
from tap.worker_reload import Follower

LOOK = 0.01
"""Seconds between two looks whether all that is to be known before the first message is."""
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
        connections = Connections(
            reactor, settings, now=clocks.now, wall=clocks.wall, log=log, worker=worker, files=equipment.tls,
            tally=equipment.tally,
        )  # fmt: skip
        super().__init__(
            reactor, settings, make_core, clocks=clocks, log=log, subscribers=equipment.subscribers,
            connections=connections,
        )  # fmt: skip
        self._equipment = equipment
        self._worker = worker
        self._ready = ready
        self._sockets = list(equipment.sockets(worker))
        self._handover = HandoverStats()
        addresses = [_address(sock) for sock in self._sockets]
        transports = [listener.transport.upper() for listener in settings.listeners]
        framer = Framer(list(zip(transports, addresses, strict=True)))
        self._framer = framer
        self._outboxes = Outboxes([inbox.writer for inbox in equipment.inboxes], worker, framer, self._handover)
        self._owners = Owners(settings.workers, lambda: self.settings.limits, registers=bool(equipment.feeds))
        self._feed: RegistrationFeed | None = None
        self._waits_until = 0.0
        # Where a wildcard address is bound, what we send ourselves comes from the address that we advertise.
        advertised = {(each.advertised[0], each.port) for each in settings.listeners if each.advertised}
        self._own = frozenset(addresses) | advertised
        self._own_hosts = frozenset([host for host, _ in self._own])
        self._reads = self._stopped = False

    def start(self) -> None:
        """Build the core and begin to tick; and to read, once the others have told who is registered."""
        super().start()
        equipment, core, now = self._equipment, self.core, self._clocks.now
        self._send_own, self._exits.by_connection = self._exits.by_connection, self._send_by_connection
        core.aliases.tell = lambda flow, port: self._outboxes.offered(flow, port, now())
        local = Flow(self._framer.first[0], self._framer.first[1], ("", 0))
        core.timed.tell = lambda flow, timed: self._outboxes.timed(flow, now(), timed=timed)
        core.registrations.tell = lambda said: self._outboxes.registered(said, local, now())
        self._inbox = InboxReader(
            self._reactor, equipment.inboxes[self._worker].reader, self._framer, self._handover,
            takes=self._takes(core), clock=now,
            failed=lambda error: self.boundary.failed("datagram", error), overload=core.overload,
        )  # fmt: skip
        if equipment.feeds:
            self._feed = core.bindings.others = RegistrationFeed(
                self._worker, equipment.feeds[self._worker].reader, [feed.writer for feed in equipment.feeds],
                core.bindings, most=_most(self.settings), clock=now,
                failed=lambda error: self.boundary.failed("registration", error),
            )  # fmt: skip
            self._reactor.addReader(self._feed)
        self._inbox.start()
        self._outboxes.began(local, now())
        self._waits_until = now() + PATIENCE
        line = equipment.lines[self._worker]
        Follower(self._reactor, line, equipment.shelf, equipment.subscribers, self.adopt).start()
        self._tick(PUBLISH, self.publish)
        self._tick(FLUSH, self._flush)
        self._connections.tell_of_certificates()
        self._go_on()

    def _begin_to_read(self) -> None:
        """Not yet."""

    def _go_on(self) -> None:
        """Begin to read and say that we are ready, once all others have told what they know, or have had the time."""
        if self._reads or self._stopped:
            return
        complete = self._feed is None or self._feed.is_complete
        if complete or self._clocks.now() >= self._waits_until:
            self._reads = True
            super()._begin_to_read()
            self._reactor.callWhenRunning(self._ready)
        else:
            self._reactor.callLater(LOOK, self.boundary.run, "timer", self._go_on)

    def _flush(self) -> None:
        """Tell others what they did not take at once."""
        self._outboxes.flush()
        if self._feed is not None:
            self._feed.flush()

    def _takes(self, core: Core) -> list[Take]:
        """Return what takes each matter of a frame."""

        def send(data: bytes, flow: Flow, now: float) -> None:
            if not self._send_own(flow, data):
                self._streams_to.undelivered(flow, data, now)

        def began(data: bytes, flow: Flow, now: float) -> None:
            worker = data[0]
            core.worker_ended(worker, now)
            for offered, port in core.aliases.offers().items():
                if worker_of_connection(offered.connection) == self._worker:
                    self._outboxes.offered(offered, port, now)
            for said in core.registrations.known():
                self._outboxes.registered(said, flow, now, worker)
            if self._feed is not None:
                self._feed.began(worker)

        takes: dict[Matter, Take] = {
            Matter.ARRIVED: core.receive,
            Matter.SEND: send,
            Matter.UNDELIVERED: lambda data, flow, now: core.undelivered(flow, data, now),
            Matter.CLOSED: lambda data, flow, now: core.closed(flow, now, here=False),
            Matter.BEGAN: began,
            Matter.OFFERED: lambda data, flow, now: core.aliases.learn(flow, int(data)),
            Matter.TIMED: lambda data, flow, now: core.timed.learn(flow, timed=bool(data)),
            Matter.REGISTERED: lambda data, flow, now: core.registrations.learn(data),
        }
        return [takes[matter] for matter in Matter]

    def _takes_streams(self) -> StreamCore:
        """Return what sorts the messages of connections."""

        def own_host(host: str) -> bool:
            return host in self._own_hosts

        self._streams_to = StreamSorter(self._worker, self._owners, self.core, self._outboxes, own_host)
        return self._streams_to

    def _send_by_connection(self, flow: Flow, data: bytes) -> bool:
        """Send over a connection of ours, or have another worker send over one of its."""
        worker = worker_of_connection(flow.connection)
        if not flow.connection or worker == self._worker:
            return self._send_own(flow, data)
        return self._outboxes.send(worker, data, flow, self._clocks.now())

    def adopt(self, candidate: Candidate) -> None:
        """Let the core go on with a worker's share of what a reload has made ready."""
        super().adopt(candidate._replace(settings=share(candidate.settings)))

    def _close(self) -> Deferred[None]:
        """Close everything, and leave the last numbers on the board."""
        self._stopped = True
        stopped = super()._close()
        self._inbox.close()
        if self._feed is not None:
            self._reactor.removeReader(self._feed)
            self._feed = None
        self.publish()
        return stopped

    def publish(self) -> None:
        """Copy our numbers to the board."""
        own = own_numbers(self._stats.values(), self._handover, time.process_time())
        ledger = self._equipment.ledger
        row = numbers(self._collector) + own + trunk_numbers(self._collector, ledger.room)
        ledger.board.write(self._worker, row)

    def _listener(self, sock: socket.socket) -> UdpListener:
        """Return the reader of a socket; datagrams go to the core or to their owner."""
        sorter = Sorter(
            self._worker, self._owners,
            receive=self.core.receive, hand_over=self._outboxes.hand_over, own=self._own,
        )  # fmt: skip
        return UdpListener(
            self._reactor,
            sock,
            receive=sorter.receive,
            clock=self._clocks.now,
            failed=lambda error: self.boundary.failed("datagram", error),
            watch=self._watch(sock),
            outbox=self._outbox,
        )

    def _open_page(self) -> None:
        """Open none: the supervisor has the page."""
        self._collector = SipveilCollector(self._sources())

    def _tell_begin(self) -> None:
        """Not yet: that we are ready is told when we read."""

    def _tell_end(self) -> None:
        """Say nothing: that a worker stops with the others is no news."""


def share(settings: Settings) -> Settings:
    """Return settings with a worker's share of the limits that hold for all calls together, rounded up."""
    limits, workers = settings.limits, settings.workers
    parts = {"transactions": part_of(limits.transactions, workers), "parked": part_of(limits.parked, workers)}
    streams = settings.streams
    bounds = {
        "connections": part_of(streams.connections, workers),
        "per_source_rate": part_of(streams.per_source_rate, workers),
    }
    update = {"limits": limits.model_copy(update=parts), "streams": streams.model_copy(update=bounds)}
    return settings.model_copy(update=update)


def _most(settings: Settings) -> int:
    """Return how many addresses of record a worker may have to be told late: the journal keeps as many in mind."""
    return 4 * settings.registrar.all_bindings if settings.registrar is not None else 0


def core_maker(equipment: Equipment, worker: int, clocks: Clocks) -> MakeCore:
    """Return what builds a worker's core from what the supervisor has prepared."""

    def make(settings: Settings, sinks: Sinks) -> sip.Core:
        ring, retired = equipment.state
        now, wall = clocks.now(), clocks.wall()
        return sip.Core(
            settings, ring, equipment.privacy, sinks, now=now, wall=wall, retired=retired, worker=worker,
            accounts=equipment.subscribers.accounts,
            passwords=equipment.passwords, nodes=equipment.nodes, counts=equipment.counts,
            make_wishes=lambda: equipment.wishes.table(worker, clocks.wall()),
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
        equipment.tally.begin(worker)
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
    sys.modules.pop("twisted.internet.reactor", None)
    install()
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
