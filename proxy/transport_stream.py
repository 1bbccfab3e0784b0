"""Connections in and out: TCP, TLS and WebSockets, with numbers, bounds, and one table for all (RFC 3261 §18).

    Acceptor (one a listener) ──> Connection (transport_connection) ──> Streams ──> the core
    Streams.send ──> a Connection that there is, or a new one of ours

Incoming connections are found by their number alone. Those that we make are found by where they lead and whom the far
end has to be (RFC 5923 §8.2), so that requests to one next hop share one.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall
from twisted.protocols.tls import TLSMemoryBIOFactory

from config.streams_section import Streams as Bounds
from proxy.bucket import Bucket
from proxy.datagrams import TransportStats
from proxy.flow import Flow
from proxy.framing import Unframed
from proxy.guard import source_of
from proxy.memo import Recent
from proxy.places import SERIAL, WORKER_SHIFT
from proxy.tally import OwnTally, Tally
from proxy.transport_connection import Connection, StreamProtocol
from proxy.transport_sockets import bound_socket, closed_on_failure
from proxy.transport_tls import Accepting, Connecting, Tls

BACKLOG = 1024
"""Connections that the kernel accepts ahead of us; net.core.somaxconn may bound it further (Kamailio asks as many)."""
LOOK_IDLE = 30
"""Seconds between two looks at all connections; those in a hurry are looked at each second."""
KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 20), (socket.TCP_KEEPCNT, 3))
"""A peer that is gone without a word is noticed within two minutes, as long as NATs keep a mapping (RFC 5382 §5)."""
UNACKNOWLEDGED = 20_000
"""Milliseconds for which written bytes may be unacknowledged (TCP_USER_TIMEOUT, RFC 5482): under timer B."""
SOURCES = 65_536
"""Addresses whose new connections are counted; with more of them the eldest begin anew."""
STOP_WAIT = 1.0
"""Seconds that connections have to end by themselves when we stop."""


class Core(Protocol):
    """What connections need of the core."""

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take a message."""

    def undelivered(self, flow: Flow, data: bytes, now: float) -> None:
        """Take note that a message never left."""

    def closed(self, flow: Flow, now: float) -> None:
        """Take note that a connection has ended."""

    def unframed(self, data: bytes, flow: Flow, code: int, why: str) -> None:
        """Answer the head of a message whose end nobody can tell, if it can be answered."""

    def silence(self, flow: Flow) -> float:
        """Return the seconds for which a connection may bring nothing; 0 for as long as others may."""


class Key(NamedTuple):
    """What a connection of ours is found by."""

    transport: str
    local: tuple[str, int]
    peer: tuple[str, int]
    identity: tuple[str, ...]


def open_stream_socket(address: str, port: int) -> socket.socket:
    """Return a listening, non-blocking TCP socket, as `bind_stream_socket` binds it."""
    sock = bind_stream_socket(address, port)
    with closed_on_failure([sock]):
        sock.listen(BACKLOG)
    return sock


def bind_stream_socket(address: str, port: int, *, shared: bool = False) -> socket.socket:
    """Return a bound, non-blocking TCP socket; port 0 lets the system choose; shared: others may have it too.

    What is accepted inherits its options. SO_REUSEADDR lets a restart have the port while old connections linger; on
    TCP it lets nobody else listen there.

    Raises:
        OSError: the address cannot be bound.
        ValueError: the address is no IP address.
    """
    return bound_socket(socket.SOCK_STREAM, address, port, prepare=_prepare, shared=shared)


def _prepare(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    set_options(sock)


def set_options(sock: socket.socket) -> None:
    """Send at once, and notice a peer that is gone."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in KEEP_ALIVE:
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED)


class Acceptor:
    """A listening socket on the reactor."""

    def __init__(self, streams: Streams, sock: socket.socket, transport: str, tls: Tls | None) -> None:
        """Take over sock.

        Args:
            streams: takes the connections.
            sock: from `open_stream_socket`.
            transport: as Via spells it.
            tls: for TLS and WSS.
        """
        host, port = sock.getsockname()[:2]
        self.address: tuple[str, int] = (host, port)
        self.transport = transport
        self.tls = tls
        self.stats = TransportStats()
        self._streams = streams
        self._socket = sock
        self._port: IListeningPort | None = None

    @property
    def is_open(self) -> bool:
        """Whether connections are taken."""
        return self._port is not None

    def start(self, reactor: Any, factory: IProtocolFactory) -> None:  # noqa: ANN401 - Twisted has no one interface for it
        """Begin to take connections, whose protocols factory makes."""
        if self.tls is not None:
            factory = TLSMemoryBIOFactory(Accepting(self.tls), False, factory, reactor)
        self._port = reactor.adoptStreamPort(self._socket.fileno(), self._socket.family, factory)
        self._socket.close()  # the port has one of its own

    def close(self) -> Deferred[None]:
        """Take no more; fires when the port is closed."""
        port, self._port = self._port, None
        self._socket.close()
        closed: Deferred[None] | None = port.stopListening() if port is not None else None
        return closed or succeed(None)


class StreamFactory(Factory):
    """Makes the protocols of an acceptor's byte streams."""

    noisy = False

    def __init__(self, streams: Streams, acceptor: Acceptor) -> None:
        """Make them for acceptor."""
        self._streams = streams
        self._acceptor = acceptor

    def buildProtocol(self, addr: Any) -> StreamProtocol | None:  # noqa: ANN401, N802
        """Return the protocol of a new connection; None closes it."""
        connection = self._streams.accept(self._acceptor, addr)
        if connection is None:
            return None
        return StreamProtocol(connection, self._streams.most, tls=self._acceptor.tls)


class _Ours(Factory):
    """Makes the protocol of one connection that we make."""

    noisy = False

    def __init__(self, connection: Connection, most: int, *, tls: Tls | None) -> None:
        self._connection = connection
        self._most = most
        self._tls = tls

    def buildProtocol(self, addr: Any) -> StreamProtocol:  # noqa: ANN401, N802
        return StreamProtocol(self._connection, self._most, tls=self._tls)


class Streams:
    """All connections of a process."""

    def __init__(
        self,
        reactor: Any,  # noqa: ANN401 - Twisted has no one interface for all that a reactor does
        bounds: Bounds,
        most: int,
        core: Core,
        *,
        clock: Callable[[], float],
        failed: Callable[[Exception], None],
        count: Callable[[str, str], None],
        trusted: Callable[[str], bool],
        worker: int = 0,
    ) -> None:
        """Begin with none.

        Args:
            reactor: a Twisted reactor.
            bounds: may be replaced at any time.
            most: bytes of the largest message; may be replaced too.
            core: gets what comes.
            clock: monotonic seconds.
            failed: told of what the core raised; must not raise and must not write out its text.
            count: counts something for the metrics page.
            trusted: tells whether an address is of a server that the configuration names.
            worker: our number, which the numbers of connections begin with.
        """
        self.bounds = bounds
        self.most = most
        self.now = clock
        self.count = count
        self.trusted = trusted
        self.watched: set[Connection] = set()
        self._reactor = reactor
        self._core = core
        self._failed = failed
        # A record may name a connection, and outlive this process: its number must not be that of another one then.
        self._serial = secrets.randbelow(1 << 31)
        self._worker = worker << WORKER_SHIFT
        self._acceptors: dict[tuple[str, tuple[str, int]], Acceptor] = {}
        self._connections: dict[int, Connection] = {}
        self._ours: dict[Key, Connection] = {}
        self.tally: Tally = OwnTally()
        """Incoming connections of each address, or IPv6 network of 64 bits, of those whose number is bounded. Another
        one is put here where other workers have some too."""
        self._arrivals: Recent[str, Bucket] = Recent(SOURCES)
        self._tick = LoopingCall(self._look)
        self._tick.clock = reactor
        self._looked_idle = clock()
        self._stopping = False
        self._all_gone: Deferred[None] | None = None

    # --- life

    def listen(self, acceptor: Acceptor, factory: IProtocolFactory | None = None) -> None:
        """Take connections by acceptor, and make some on its behalf."""
        self._acceptors[acceptor.transport, acceptor.address] = acceptor
        acceptor.start(self._reactor, factory or StreamFactory(self, acceptor))
        if not self._tick.running:
            self._tick.start(1.0, now=False)

    def close(self) -> Deferred[Any]:
        """End all, and tell the core nothing of it; fires when it is done, soon."""
        self._stopping = True
        if self._tick.running:
            self._tick.stop()
        waited: list[Deferred[Any]] = [acceptor.close() for acceptor in self._acceptors.values()]
        for connection in tuple(self._connections.values()):
            connection.close("shutdown")
        if self._connections:
            self._all_gone = Deferred()
            waited.append(self._all_gone)
            self._reactor.callLater(STOP_WAIT, self._abort_all)
        return DeferredList(waited, consumeErrors=True)

    def _abort_all(self) -> None:
        for connection in tuple(self._connections.values()):
            if connection.carrier is not None:
                connection.carrier.abort()

    def __len__(self) -> int:
        """Return how many connections there are, those included that are being made."""
        return len(self._connections)

    # --- what the core asks for

    def send(self, flow: Flow, data: bytes) -> bool:
        """Send a message over flow; False where its connection is gone, or none can be made."""
        if flow.connection:
            connection = self._connections.get(flow.connection)
            # The number alone would do, were there no flows that somebody else's process has written down.
            if connection is None or connection.flow.peer != flow.peer or connection.flow.transport != flow.transport:
                return False
            return connection.send(flow, data)
        key = Key(flow.transport, flow.local, flow.peer, flow.identity)
        connection = self._ours.get(key)
        if connection is None or connection.closing:
            connection = self._connect(key)
        return connection is not None and connection.send(flow, data)

    def _connect(self, key: Key) -> Connection | None:
        """Begin to make a connection; None where that cannot be."""
        acceptor = self._acceptors.get((key.transport, key.local))
        host, port = key.peer
        if acceptor is None or self._stopping or not _reachable(key):
            return None
        tls = acceptor.tls if key.transport == "TLS" else None
        if key.transport == "TLS" and (tls is None or not key.identity):
            return None
        if len(self._connections) >= self.bounds.connections:
            self.count("connections_refused", "total")
            return None
        flow = Flow(key.transport, key.local, key.peer, self._next(), key.identity)
        connection = Connection(self, flow, acceptor.stats, outgoing=True, trusted=True)
        self._connections[flow.connection] = connection
        self._ours[key] = connection
        endpoint_of = TCP6ClientEndpoint if ":" in host else TCP4ClientEndpoint
        own = ipaddress.ip_address(key.local[0])
        bound = None if own.is_unspecified else (key.local[0], 0)
        endpoint = endpoint_of(self._reactor, host, port, timeout=self.bounds.connect_time, bindAddress=bound)
        factory: IProtocolFactory = _Ours(connection, self.most, tls=tls)
        if tls is not None:
            creator = Connecting(tls, key.identity[0], key.peer)
            factory = TLSMemoryBIOFactory(creator, True, factory, self._reactor)
        attempt = endpoint.connect(factory)
        connection.cancel = attempt.cancel
        attempt.addCallbacks(_connected, lambda _: connection.lost("connect"))
        return connection

    def look_at_peers(self) -> None:
        """End connections with those who may not be who they were taken for any longer; after a reload."""
        for connection in tuple(self._connections.values()):
            if connection.open and not connection.vouched():
                connection.close("identity")

    # --- what acceptors ask for

    def accept(self, acceptor: Acceptor, addr: IPv4Address | IPv6Address) -> Connection | None:
        """Return a connection from somewhere; None where there are too many."""
        host, port = addr.host, addr.port
        trusted = self.trusted(host)
        flow = Flow(acceptor.transport, acceptor.address, (host, port), self._next())
        if self._stopping or len(self._connections) >= self.bounds.connections:
            self.count("connections_refused", "total")
            return None
        if not trusted:
            source = source_of(flow)
            if self.tally.total(source) >= self.bounds.per_source:
                self.count("connections_refused", "source")
                return None
            if not self._may_come(source):
                self.count("connections_refused", "rate")
                return None
            self.tally.add(source, 1)
        connection = self._connections[flow.connection] = Connection(self, flow, acceptor.stats, trusted=trusted)
        return connection

    def _may_come(self, source: str) -> bool:
        """Count a new connection of a source, whose handshake is the dearest thing that a stranger may ask for."""
        now, burst = self.now(), self.bounds.per_source
        bucket = self._arrivals.get(source)
        if bucket is None:
            bucket = Bucket(burst, now)
            self._arrivals.put(source, bucket)
        return bucket.take(self.bounds.per_source_rate, burst, now)

    def _next(self) -> int:
        """Return a number that no connection of this process ever had."""
        # 2^32 of them are not at once; 0 is none.
        self._serial = self._serial + 1 & SERIAL or 1
        return self._worker | self._serial

    # --- what connections ask for

    def opened(self, connection: Connection) -> None:
        """Count a connection that can be used."""
        self.count("connections_opened", "out" if connection.outgoing else "in")

    def arrived(self, connection: Connection, data: bytes) -> None:
        """Give a message to the core."""
        self._boundary(lambda now: self._core.receive(data, connection.flow, now))

    def unframed(self, connection: Connection, error: Unframed) -> None:
        """Let the core answer what no message can be cut from."""
        if error.code:
            self._boundary(lambda _: self._core.unframed(error.head, connection.flow, error.code, error.why))

    def gone(self, connection: Connection, unsent: Sequence[tuple[Flow, bytes]]) -> None:
        """Forget a connection, and tell the core of what it will not bring any longer."""
        flow = connection.flow
        del self._connections[flow.connection]
        if connection.outgoing:
            key = Key(flow.transport, flow.local, flow.peer, flow.identity)
            if self._ours.get(key) is connection:
                del self._ours[key]
        elif not connection.trusted:
            self.tally.add(source_of(flow), -1)
        if self._stopping:
            self._one_less()
            return
        for to, data in unsent:
            self._boundary(lambda now, to=to, data=data: self._core.undelivered(to, data, now))  # type: ignore[misc]
        if connection.was_open:
            self._boundary(lambda now: self._core.closed(flow, now))

    def _one_less(self) -> None:
        """Go on with stopping, when nobody is left."""
        if self._all_gone is not None and not self._connections:
            gone, self._all_gone = self._all_gone, None
            gone.callback(None)

    def _boundary(self, call: Callable[[float], None]) -> None:
        """Call the core; whatever that raises ends here."""
        try:
            call(self.now())
        except Exception as error:  # the boundary itself
            self._failed(error)

    # --- time

    def _look(self) -> None:
        """Look at who is in a hurry each second, and now and then at all."""
        now = self.now()
        for connection in tuple(self.watched):
            if not connection.look(now):
                self.watched.discard(connection)
        if now - self._looked_idle >= LOOK_IDLE:
            self._looked_idle = now
            for connection in tuple(self._connections.values()):
                connection.look_idle(now, self._core.silence(connection.flow))


def _connected(protocol: object) -> None:
    """Set the options of a connection of ours, which no listening socket hands down."""
    with suppress(OSError):  # it has broken already, as its protocol is about to hear
        set_options(protocol.transport.socket)  # type: ignore[attr-defined]


def _reachable(key: Key) -> bool:
    """Tell whether an address of our family is meant, by a transport that leads there.

    A name would be looked up by Twisted; to a WebSocket nobody can connect (RFC 7118 §5).
    """
    try:
        same = ipaddress.ip_address(key.peer[0]).version == ipaddress.ip_address(key.local[0]).version
    except ValueError:
        return False
    return same and 0 < key.peer[1] < 65536 and key.transport in ("TCP", "TLS")
