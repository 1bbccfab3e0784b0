"""A core among sockets and clocks: datagrams in, timers, look-ups back, datagrams out.

The shell is the core's three sinks. Everything it calls in the core goes through a Boundary.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from prometheus_client.registry import Collector
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.internet.tcp import Port
from twisted.logger import Logger

from config.address import HostPortValue
from config.keyring import KeyRing
from config.recorder_trunk import names_of
from config.settings import Listener, Settings, Trunk
from config.statefile import StateFileError
from config.subscribers import Subscribers
from proxy.aliases import Aliases
from proxy.bindings import Bindings
from proxy.counters import Counters
from proxy.datagrams import Exits, TransportStats
from proxy.digest_client import NO_ACCOUNTS, Account
from proxy.flow import Flow
from proxy.location import Place
from proxy.outbox import Outbox
from proxy.overload import Overload
from proxy.policy import Privacy
from proxy.resolver import Resolver, read_hosts
from proxy.resolver_query import Query, ask_name_servers, name_servers
from proxy.sinks import Event, Sinks
from proxy.transport import UdpListener, open_udp_socket
from proxy.transport_queue import QueueWatch, ReceiveQueue
from proxy.transport_stream import Core as StreamCore
from proxy.transport_stream import open_stream_socket
from tap.boundary import Boundary
from tap.candidate import Candidate
from tap.connections import LOOK_AT_CERTIFICATES, Connections
from tap.events import EventLog
from tap.metrics import SipveilCollector, Sources, not_registered, registry
from tap.registration_journal import RegistrationJournal
from tap.reload_history import History
from tap.signing import passwords_of
from tap.site import site
from tap.subscriber_watch import SubscriberWatch, subscribers_of
from tap.subscriber_watch import gauges as subscriber_gauges

WALL_TICK = 1.0
"""Seconds between two looks at the wall clock, so that the core follows when somebody sets it."""

GOODBYE = 1.0
"""Seconds that a stop waits for answers to its good-byes: two retransmissions over UDP, and soon for who restarts."""

HOSTS = Path("/etc/hosts")
"""Names that are never asked for."""


class StartError(Exception):
    """What keeps Sipveil from starting, in a sentence for the operator."""


class Timed(Protocol):
    """What workers need of proxy.timed_flows."""

    tell: Callable[[Flow, bool], None] | None

    def learn(self, flow: Flow, *, timed: bool) -> None:
        """Take note of one of our own connections."""


class Registrations(Protocol):
    """What workers need of proxy.trunk_registrations."""

    tell: Callable[[bytes], None] | None

    def known(self) -> list[bytes]:
        """Return what a worker is told that begins."""

    def learn(self, said: bytes) -> None:
        """Take what another worker tells."""


class Core(Protocol):
    """What the shell needs of proxy.core.Core."""

    aliases: Aliases
    bindings: Bindings
    counters: Counters
    overload: Overload

    @property
    def timed(self) -> Timed:
        """Connections that may not be silent for long, though others know who is registered by them."""

    @property
    def registrations(self) -> Registrations:
        """Our registrations at trunks."""

    @property
    def tick(self) -> float:
        """Seconds between two calls of `timeout`."""

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take a datagram; now in monotonic seconds."""

    def undelivered(self, flow: Flow, data: bytes, now: float) -> None:
        """Learn that a message never left."""

    def closed(self, flow: Flow, now: float, *, here: bool = True) -> None:
        """Learn that a connection has ended, here or in another worker."""

    def worker_ended(self, worker: int, now: float) -> None:
        """Learn that another worker's connections are gone."""

    def unowned(self, data: bytes, flow: Flow, now: float) -> None:
        """Answer what cannot be handed over."""

    def unframed(self, data: bytes, flow: Flow, code: int, why: str) -> None:
        """Answer what no message can be cut from."""

    def silence(self, flow: Flow) -> float:
        """Return for how many seconds a connection may bring nothing; 0: as long as others."""

    def timeout(self, now: float) -> None:
        """Let time pass until now."""

    def resume(self, ticket: int, places: Sequence[Place], now: float) -> None:
        """Go on with what waited for a look-up; no places: not found."""

    def leave(self, now: float) -> None:
        """Begin to say good-bye to whom that matters."""

    @property
    def leaving(self) -> int:
        """How many good-byes have not been answered yet."""

    def set_wall(self, now: float, wall: float) -> None:
        """Take note that now (monotonic) is wall (Unix time)."""

    def gauges(self) -> Mapping[str, float]:
        """Return what is going on at this moment."""

    def adopt(
        self, settings: Settings, keyring: KeyRing, privacy: Privacy, retired: Sequence[Trunk] = (),
        passwords: Mapping[str, Account] = NO_ACCOUNTS,
    ) -> None:  # fmt: skip
        """Go on with other settings, keys, policy and passwords."""


class Clocks(Protocol):
    """The two clocks of a process."""

    def now(self) -> float:
        """Return monotonic seconds."""

    def wall(self) -> float:
        """Return Unix time in seconds."""


MakeCore = Callable[[Settings, Sinks], Core]
"""Builds the core once the listeners' ports are known."""


class Shell:
    """Sockets, ticks, resolver and metrics page around one core; implements proxy.sinks.Sinks."""

    def __init__(
        self,
        reactor: Any,  # noqa: ANN401 - Twisted has no one interface for all that a reactor does
        settings: Settings,
        make_core: MakeCore,
        *,
        clocks: Clocks,
        log: Logger,
        subscribers: Subscribers | None = None,
        history: History | None = None,
        connections: Connections | None = None,
    ) -> None:
        """Set up without opening anything; reactor is a Twisted reactor (sockets, TCP, time, threads).

        What make_core's core asks of subscribers' settings is kept up to date in `subscribers`.
        `history` is shown on the metrics page.
        """
        self.settings = settings
        self._history = history
        self._subscribers = subscribers_of(settings) if subscribers is None else subscribers
        self._subscriber_watch = SubscriberWatch(settings, self._subscribers, clocks.now, log)
        self._registrations = RegistrationJournal(settings, clocks.now, log)
        self._reactor = reactor
        self._make_core = make_core
        self._clocks = clocks
        self._log = log
        self.boundary = Boundary(log, clocks.now)
        self._events = EventLog(log, clocks.now, settings.log.level)
        self._resolver = Resolver(reactor, _query(settings), read_hosts(HOSTS))
        self._sockets: list[socket.socket] = []
        self._listeners: dict[tuple[str, int], UdpListener] = {}
        self._outbox = Outbox(self._undelivered)
        self._stats: dict[str, TransportStats] = {}
        self._connections = connections or Connections(reactor, settings, now=clocks.now, wall=clocks.wall, log=log)
        self._exits = Exits(self._connections.send)
        self.send: Callable[[Flow, bytes], bool] = self._exits.send
        """The core's sink; straight to compiled code, for it is called for each message."""
        self._ticks: list[LoopingCall] = []
        self._page: Port | None = None
        self._is_leaving = False
        self._goodbyes: Deferred[None] | None = None
        """Fires when trunks have answered that they know us no more; None while nobody waits for that."""

    # Life

    def open(self) -> None:
        """Bind every listener, read certificates, and note the ports that the system chose; all or none.

        Raises:
            StartError: an address cannot be bound, or a certificate not used.
        """
        try:
            self._connections.read()
            for listener in self.settings.listeners:
                self._sockets.append(_bind(listener))
        except StateFileError as error:
            raise StartError(str(error)) from error
        except StartError:
            self._close_sockets()
            raise
        self.settings = with_ports(self.settings, self._sockets)

    def start(self) -> None:
        """Build the core, open the metrics page, begin to read and to tick.

        Raises:
            StartError: the metrics page's address cannot be bound.
        """
        self._subscriber_watch.begin()
        self.core = self._make_core(self.settings, self)
        self._registrations.begin(self.core.bindings)
        streams: list[tuple[Listener, socket.socket]] = []
        for configured, sock in zip(self.settings.listeners, self._sockets, strict=True):
            if configured.transport == "udp":
                listener = self._listener(sock)
                self._listeners[listener.address] = listener
                self._exits.add(listener.datagrams)
                self._stats[configured.name] = listener.stats
            else:
                streams.append((configured, sock))
        self._connections.start(
            self._takes_streams(), self.core.counters, lambda error: self.boundary.failed("message", error), streams
        )  # fmt: skip
        self._stats |= self._connections.stats()
        self._exits.by_connection = self._connections.send
        self._open_page()
        self._begin_to_read()
        self._tick(LOOK_AT_CERTIFICATES, self._connections.tell_of_certificates)
        self._tick(self.core.tick, lambda: self.core.timeout(self._clocks.now()))
        self._tick(WALL_TICK, lambda: self.core.set_wall(self._clocks.now(), self._clocks.wall()))
        self._subscriber_watch.start(self._reactor)
        self._registrations.start(self._reactor)
        self._tell_begin()

    def _begin_to_read(self) -> None:
        """Take datagrams and connections."""
        for listener in self._listeners.values():
            listener.start()
        self._connections.accept()

    def _takes_streams(self) -> StreamCore:
        """Return what gets the messages of connections."""
        return self.core

    def adopt(self, candidate: Candidate) -> None:
        """Let the core go on with what a reload has made ready, on the listeners that there are."""
        self.settings = candidate.settings.model_copy(update={"listeners": self.settings.listeners})
        passwords = passwords_of(candidate.settings, candidate.credentials)
        self.core.adopt(self.settings, candidate.ring, candidate.privacy, candidate.retired, passwords)
        self._connections.adopt(self.settings, candidate.tls)
        self._resolver.ask(_query(self.settings))

    def stop(self) -> Deferred[None]:
        """Say good-bye and close everything; fires when connections and metrics page are closed too.

        Safe at any point of the start, and twice.
        """
        if not self._stats or self._is_leaving:
            self._end_goodbyes()
            return self._close()
        self._is_leaving = True
        self.boundary.run("timer", lambda: self.core.leave(self._clocks.now()))
        if not self.core.leaving:
            return self._close()
        ended = self._goodbyes = Deferred()
        self._wait_for_goodbyes(self._clocks.now() + GOODBYE)
        return ended.addCallback(lambda _: self._close())

    def _wait_for_goodbyes(self, until: float) -> None:
        """Look now and then whether all were answered; nobody is waited for beyond `until`."""
        if self._goodbyes is not None and self.core.leaving and self._clocks.now() < until:
            self._reactor.callLater(self.core.tick, self._wait_for_goodbyes, until)
        else:
            self._end_goodbyes()

    def _end_goodbyes(self) -> None:
        ended, self._goodbyes = self._goodbyes, None
        if ended is not None:
            ended.callback(None)

    def _close(self) -> Deferred[None]:
        for tick in self._ticks:
            if tick.running:
                tick.stop()
        self._subscriber_watch.stop()
        self._registrations.stop()
        self._resolver.close()
        for listener in self._listeners.values():
            listener.close()
        self._close_sockets()
        self._tell_end()
        page, self._page = self._page, None
        closed: Deferred[None] | None = page.stopListening() if page else None
        ended = self._connections.close()
        return ended.addCallback(lambda _: closed)

    @property
    def healthy(self) -> bool:
        """Whether every listener takes datagrams or connections."""
        listeners = self._listeners.values()
        return bool(self._stats) and all(each.is_open for each in listeners) and self._connections.is_open

    @property
    def metrics_address(self) -> tuple[str, int] | None:
        """Address and port of the metrics page, None where it is not served."""
        if self._page is None:
            return None
        host = self._page.getHost()
        return host.host, host.port

    def _listener(self, sock: socket.socket) -> UdpListener:
        """Return the reader of a bound socket; datagrams go straight to the core."""
        return UdpListener(
            self._reactor,
            sock,
            receive=self.core.receive,
            clock=self._clocks.now,
            failed=lambda error: self.boundary.failed("datagram", error),
            watch=self._watch(sock),
            outbox=self._outbox,
        )

    def _undelivered(self, flow: Flow, data: bytes) -> None:
        """Tell the core of a datagram that the system has refused."""
        self.boundary.run("datagram", lambda: self.core.undelivered(flow, data, self._clocks.now()))

    def _watch(self, sock: socket.socket) -> QueueWatch:
        """Return what tells overload control how long datagrams wait in a socket."""
        return QueueWatch(ReceiveQueue(sock, self._clocks.wall), self.core.overload)

    def _close_sockets(self) -> None:
        """Close the bare sockets, of those too that a listener never took over."""
        for sock in self._sockets:
            sock.close()
        self._sockets.clear()

    def _tick(self, interval: float, call: Callable[[], None]) -> None:
        """Call every interval seconds, whatever it raises."""
        tick = LoopingCall(self.boundary.run, "timer", call)
        tick.clock = self._reactor
        tick.start(interval, now=False)
        self._ticks.append(tick)

    def _open_page(self) -> None:
        """Serve /metrics and /healthz, unless the configuration says not to."""
        collector = SipveilCollector(self._sources())
        collectors = [collector, self._history] if self._history is not None else [collector]
        self._page = open_page(
            self._reactor, self.settings, collectors, lambda: self.healthy, self._log,
            lambda: not_registered(self.settings, self.core.gauges()),
        )  # fmt: skip

    def _sources(self) -> Sources:
        """Return where this process's numbers are read."""
        return Sources(self.core.counters, self._gauges, self._stats, self.boundary.counts, self._trunks)

    def _trunks(self) -> tuple[str, ...]:
        """Return the names of the trunks that are configured now."""
        return names_of(self.settings)

    def _gauges(self) -> Mapping[str, float]:
        """Return what is going on at this moment."""
        subscribers = subscriber_gauges(self._subscribers, self._clocks.now())
        own = {**self.core.gauges(), **self._registrations.gauges()}
        return {**own, **subscribers, **self._connections.gauges()}

    def _tell_begin(self) -> None:
        """Say where we listen, and that we are ready."""
        for each in self.settings.listeners:
            address = str(HostPortValue(each.address, each.port))
            self._log.info("listening {transport} {address}", transport=each.transport, address=address)
        # Not before the reactor runs: until then a SIGTERM would not end in a clean stop.
        self._reactor.callWhenRunning(self._log.info, "sipveil is ready")

    def _tell_end(self) -> None:
        """Say that all is closed."""
        self._log.info("sipveil has stopped")

    # The core's other sinks

    def lookup(self, ticket: int, host: str, port: int, transport: str = "UDP") -> None:
        """Find where host is served, and let the core go on with that later."""

        def found(places: Sequence[Place]) -> None:
            self.boundary.run("lookup", lambda: self.core.resume(ticket, places, self._clocks.now()))

        self._resolver.lookup(host, port, found, transport)

    def event(self, event: Event) -> None:
        """Write an event down."""
        self._events(event)


def _bind(listener: Listener) -> socket.socket:
    """Return the socket of a configured listener.

    Raises:
        StartError: it cannot be bound.
    """
    opening = open_udp_socket if listener.transport == "udp" else open_stream_socket
    try:
        return opening(listener.address, listener.port)
    except (OSError, ValueError) as error:
        raise StartError(cannot_open(listener.transport, listener.address, listener.port, error)) from error


def with_ports(settings: Settings, sockets: Sequence[socket.socket]) -> Settings:
    """Return settings with the ports that the listeners' bound sockets really have."""
    bound = [
        configured.model_copy(update={"port": sock.getsockname()[1]})
        for configured, sock in zip(settings.listeners, sockets, strict=True)
    ]
    return settings.model_copy(update={"listeners": tuple(bound)})


def open_page(
    reactor: Any,  # noqa: ANN401 - Twisted has no one interface for all that a reactor does
    settings: Settings,
    collectors: Sequence[Collector],
    healthy: Callable[[], bool],
    log: Logger,
    missing: Callable[[], Sequence[str]],
) -> Port | None:
    """Serve /metrics and /healthz on a Twisted reactor, unless the configuration says not to.

    `missing` tells which trunks we should be registered at and are not.

    Raises:
        StartError: the address cannot be bound.
    """
    metrics = settings.metrics
    if not metrics.enabled:
        return None
    try:
        page: Port = reactor.listenTCP(
            metrics.port, site(registry(*collectors), healthy, missing), interface=metrics.address
        )
    except Exception as error:
        raise StartError(cannot_open("metrics", metrics.address, metrics.port, error)) from error
    host = page.getHost()
    log.info("metrics http {address}", address=str(HostPortValue(host.host, host.port)))
    return page


def cannot_open(what: str, address: str, port: int, error: BaseException) -> str:
    """Return the sentence for an address that cannot be bound."""
    cause = getattr(error, "socketError", error)  # Twisted wraps the system's error
    reason = getattr(cause, "strerror", None) or str(cause)
    return f"cannot open {what} {HostPortValue(address, port)}: {reason}"


def _query(settings: Settings) -> Query:
    """Return what asks the configured name servers."""
    return ask_name_servers(name_servers(settings.dns.servers), _families(settings))


def _families(settings: Settings) -> tuple[str, ...]:
    """Return the record types worth asking for: those that a listener can send to."""
    six = any(":" in listener.address for listener in settings.listeners)
    four = any(":" not in listener.address for listener in settings.listeners)
    return ("A",) * four + ("AAAA",) * six
