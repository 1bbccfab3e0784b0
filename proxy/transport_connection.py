"""One connection: its flow, what waits to be written, and everything that may end it before its peer does.

`Connection` is the same for byte streams and WebSockets; `StreamProtocol` is the former, on Twisted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from twisted.internet.interfaces import IHandshakeListener, IPushProducer
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from config.streams_section import Streams as Bounds
from proxy.datagrams import TransportStats
from proxy.flow import Flow
from proxy.framing import PING, PONG, Framing, Unframed
from proxy.transport_tls import Tls, is_peer, peer_names

FRESH = 0.05
"""Seconds for which Twisted may still hold what it was given while its peer reads; what a connection that breaks was
given since counts as not sent. A request that did arrive is then repeated, which hurts nobody; a lost one would."""

SLICE = 1024
"""Bytes that are looked at before it is asked whether the peer says too much. What it sent beyond that waits: Twisted
reads 64 KB at once, which are 10,000 pings of a WebSocket, and two seconds in which nobody else would be heard."""


class Owner(Protocol):
    """What a connection needs of the table that it is in."""

    bounds: Bounds
    watched: set[Connection]
    """Those that have to be looked at each second."""

    @property
    def now(self) -> Callable[[], float]:
        """What gives monotonic seconds."""

    def opened(self, connection: Connection) -> None:
        """Take note that a connection can be used."""

    def arrived(self, connection: Connection, data: bytes) -> None:
        """Take a message."""

    def unframed(self, connection: Connection, error: Unframed) -> None:
        """Take what no message can be cut from."""

    def gone(self, connection: Connection, unsent: Sequence[tuple[Flow, bytes]]) -> None:
        """Take note that a connection has ended, and what it was given in vain."""

    def count(self, name: str, label: str) -> None:
        """Count something for the metrics page."""


class Carrier(Protocol):
    """What carries a connection's messages: a byte stream, or a WebSocket."""

    def write(self, data: bytes) -> None:
        """Send a message."""

    def pause(self) -> None:
        """Let what the peer sends wait at the peer."""

    def resume(self) -> None:
        """Go on reading."""

    def end(self) -> None:
        """Close when all is written."""

    def abort(self) -> None:
        """Close at once."""


class Connection:
    """A connection with its number; the reasons for which it is closed are a closed set (proxy/counters.py)."""

    def __init__(
        self, owner: Owner, flow: Flow, stats: TransportStats, *, outgoing: bool = False, trusted: bool = False
    ) -> None:
        """Begin one that cannot be used yet.

        Args:
            owner: the table that it is in.
            flow: with its number.
            stats: of its listener.
            outgoing: whether we make it; `flow.identity` is then the name that the peer has to prove.
            trusted: whether it is from a server that the configuration names, whose rate is not bounded.
        """
        self.flow = flow
        self.outgoing = outgoing
        self.trusted = trusted
        self.carrier: Carrier | None = None
        self.cancel: Callable[[], None] = lambda: None
        """Gives up to make it, while it has no carrier."""
        self.vouched: Callable[[], bool] = lambda: True
        """Tells whether its far end may still be whom it has proved to be."""
        self.open = False
        """Whether handshakes are over and the peer is whom we meant."""
        self.was_open = False
        self._owner = owner
        self._stats = stats
        self._born = self._active = self._heard = owner.now()
        self._greeted = outgoing
        self._begun = 0.0
        self._stalled = 0.0
        """Since when the peer has not read what Twisted holds; 0: it reads."""
        self._second = 0
        self._count = 0
        self._held = False
        self._waiting: list[tuple[Flow, bytes]] = []
        self._waiting_size = 0
        self._fresh: list[tuple[Flow, bytes]] = []
        self._fresh_since = 0.0
        self._older: list[tuple[Flow, bytes]] = []
        self._reason = ""
        owner.watched.add(self)

    # --- what carries it tells

    def established(self, identity: tuple[str, ...]) -> None:
        """Begin to be used: handshakes are over. identity: names that the peer has proved."""
        self.open = self.was_open = True
        if not self.outgoing:
            self.flow = self.flow._replace(identity=identity)
        self._active = self._heard = self._owner.now()
        self._owner.opened(self)
        self._write_waiting()

    def message(self, data: bytes) -> None:
        """Take a message that is whole."""
        self._said(1)
        self._stats.datagrams_received += 1
        self._owner.arrived(self, data)

    def pings(self, count: int) -> None:
        """Take keep-alives that have been answered."""
        self._said(count)

    def pieces(self, count: int) -> None:
        """Take note of what costs as much as a message and is none; it counts for the rate, and keeps nothing open."""
        self._counted(count, self._owner.now())

    def progress(self, begun: bool, complete: bool) -> None:
        """Learn whether a part of a message waits for the rest, and whether one has just become complete."""
        if not begun:
            self._begun = 0.0
        elif complete or not self._begun:
            self._begun = self._owner.now()
            self._owner.watched.add(self)

    def broken(self, error: Unframed) -> None:
        """Answer what cannot be framed, if that is possible, and end."""
        self._owner.unframed(self, error)
        self.close("size" if error.code == 513 else "malformed")

    def stalls(self) -> None:
        """Learn that the peer does not read what was written."""
        self._stalled = self._owner.now()
        self._owner.watched.add(self)

    def reads(self) -> None:
        """Learn that the peer reads again."""
        self._stalled = 0.0
        if self.open:
            self._write_waiting()

    def ends(self, reason: str) -> None:
        """Learn that its carrier takes nothing more and is about to end; reason: as for `lost`."""
        if not self._reason:
            self._reason = reason
            self._born = self._owner.now()
            self._owner.watched.add(self)

    def lost(self, reason: str) -> None:
        """Learn that it has ended; reason: where we have not ended it ourselves."""
        now = self._owner.now()
        unsent = self._waiting
        if now - self._fresh_since <= FRESH or self._stalled:
            unsent = self._older + self._fresh + unsent
        self._waiting, self._fresh, self._older = [], [], []
        self.open = False
        self.carrier = None
        self._owner.watched.discard(self)
        self._owner.count("connections_closed", self._reason or reason)
        self._owner.gone(self, unsent)

    # --- what its table asks for

    @property
    def held(self) -> bool:
        """Whether what comes has to wait for the next second."""
        return self._held

    @property
    def closing(self) -> bool:
        """Whether nothing more can be sent on it."""
        return bool(self._reason)

    def send(self, flow: Flow, data: bytes) -> bool:
        """Send data, or keep it until that is possible; False where too much waits already, or nothing can."""
        if self._reason:
            return False
        if self.open and not self._stalled:
            self._write(flow, data)
            return True
        if self._waiting_size + len(data) > self._owner.bounds.write_buffer:
            if self.open:
                self.close("not-reading")
            return False
        self._waiting.append((flow, data))
        self._waiting_size += len(data)
        return True

    def close(self, reason: str) -> None:
        """End it; what a malformed peer is told is still written, nobody else's is waited for."""
        if self._reason:
            return
        self._reason = reason
        if self.carrier is None:
            self.cancel()
            return
        self._born = self._owner.now()
        self._owner.watched.add(self)
        if reason in ("malformed", "size", "idle", "flow-timer", "shutdown") and not self._stalled:
            self.carrier.end()
        else:
            self.carrier.abort()

    def look(self, now: float) -> bool:
        """End it where its time is up; tell whether it has to be looked at again in a second."""
        bounds = self._owner.bounds
        if self._fresh and now - self._fresh_since > FRESH and not self._stalled:
            self._fresh, self._older = [], []
        if self._held:
            self._release(now)
        if self._reason:
            if now - self._born > 1 and self.carrier is not None:  # it was to end by itself, and has not
                self.carrier.abort()
            return self.carrier is not None
        if not self.open:
            if self.outgoing:
                return self._in_time(now - self._born, bounds.connect_time, "connect")
            return self._in_time(now - self._born, bounds.greeting, "silent")
        if self._stalled:
            return self._in_time(now - self._stalled, bounds.stalled, "not-reading")
        if self._begun:
            return self._in_time(now - self._begun, bounds.message_time, "slow")
        if not self._greeted:
            return self._in_time(now - self._born, bounds.greeting, "silent")
        return self._held

    def look_idle(self, now: float, silence: float = 0.0) -> None:
        """End it where nobody has said anything for long, or the peer nothing for `silence` seconds (0: it may)."""
        if not self.open or self._reason:
            return
        if now - self._active > self._owner.bounds.idle:
            self.close("idle")
        elif silence and now - self._heard > silence:
            self.close("flow-timer")

    # --- inner works

    def _in_time(self, age: float, bound: float, reason: str) -> bool:
        if age > bound:
            self.close(reason)
        return True

    def _write(self, flow: Flow, data: bytes) -> None:
        now = self._active = self._owner.now()
        if now - self._fresh_since > FRESH:
            self._older = self._fresh if now - self._fresh_since < 2 * FRESH else []
            self._fresh, self._fresh_since = [], now
            self._owner.watched.add(self)
        self._fresh.append((flow, data))
        self._stats.datagrams_sent += 1
        if self.carrier is not None:
            self.carrier.write(data)

    def _write_waiting(self) -> None:
        """Write what has waited, as long as the peer reads."""
        waiting, self._waiting, self._waiting_size = self._waiting, [], 0
        for place, (flow, data) in enumerate(waiting):
            if self._stalled or self._reason:
                self._waiting = waiting[place:]
                self._waiting_size = sum(len(one) for _, one in self._waiting)
                return
            self._write(flow, data)

    def _said(self, count: int) -> None:
        """Note that the peer has said something, and hold it back where it says too much."""
        now = self._active = self._heard = self._owner.now()
        self._greeted = True
        self._counted(count, now)

    def _counted(self, count: int, now: float) -> None:
        if self.trusted:
            return
        if int(now) != self._second:
            self._second, self._count = int(now), 0
        self._count += count
        if self._count >= self._owner.bounds.rate and not self._held and self.carrier is not None:
            self._held = True
            self._owner.count("connections_held_back", "rate")
            self._owner.watched.add(self)
            self.carrier.pause()

    def _release(self, now: float) -> None:
        """Read again in the next second; what was begun before was not slow, for we have not read."""
        if int(now) != self._second and self.carrier is not None:
            self._held = False
            self._second, self._count = int(now), 0
            self._begun = now if self._begun else 0.0
            self.carrier.resume()


@implementer(IPushProducer)
class Carriage:
    """What carriers over Twisted's transports have in common; a producer that never stops, so as to hear whether it is
    read."""

    transport: Any  # what Twisted makes, TLS or not; the interfaces that both have do not name all of this
    _connection: Connection
    _backlog = b""
    """What came and is not looked at before the next second; at most what Twisted reads at once, which is paused."""

    def read(self, data: bytes) -> None:
        """Take so many bytes and no more."""
        raise NotImplementedError

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Take bytes, a slice at a time, until the peer has said enough for this second."""
        connection = self._connection
        if self._backlog or connection.held:
            self._backlog += data
            return
        for place in range(0, len(data), SLICE):
            if connection.held:
                self._backlog = data[place:]
                return
            self.read(data[place : place + SLICE])

    # IPushProducer: what the transport says of its own buffer

    def pauseProducing(self) -> None:  # noqa: N802 - IPushProducer
        """Write no more: the peer does not read."""
        self._connection.stalls()

    def resumeProducing(self) -> None:  # noqa: N802 - IPushProducer
        """Write on."""
        self._connection.reads()

    def stopProducing(self) -> None:  # noqa: N802 - IPushProducer
        """Nothing; connectionLost follows."""

    # Carrier

    def pause(self) -> None:
        """Read no more for now."""
        self.transport.pauseProducing()

    def resume(self) -> None:
        """Look at what waits, and read again."""
        data, self._backlog = self._backlog, b""
        Carriage.dataReceived(self, data)
        if not self._connection.held and not self._connection.closing:
            self.transport.resumeProducing()

    def abort(self) -> None:
        """Close at once."""
        self.transport.abortConnection()


@implementer(IHandshakeListener)
class StreamProtocol(Carriage, TwistedProtocol):
    """A byte stream, with TLS beneath it or without."""

    def __init__(self, connection: Connection, most: int, *, tls: Tls | None) -> None:
        """Carry connection; most: bytes of the largest message; tls: what the TLS beneath it is made by."""
        self._connection = connection
        self._framing = Framing(most)
        self._tls = tls

    # Protocol and IHandshakeListener

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Begin, or wait for TLS."""
        self._connection.carrier = self
        self.transport.registerProducer(self, True)
        if self._connection.closing:
            self.abort()
        elif self._tls is None:
            self._connection.established(())

    def handshakeCompleted(self) -> None:  # noqa: N802 - IHandshakeListener
        """Begin, if the far end is who it should be (RFC 5922 §7.3 and §7.4)."""
        connection = self._connection
        if self._tls is None or connection.closing:
            return
        certificate = self.transport.getPeerCertificate()
        connection.vouched = self._is_vouched
        if not self._is_vouched():
            connection.close("identity")
        elif not connection.outgoing:
            connection.established(peer_names(certificate))
        elif is_peer(certificate, connection.flow.identity[0]):
            connection.established(())
        else:
            connection.close("identity")

    def _is_vouched(self) -> bool:
        """Tell whether the far end may be who it is, of recorders (RFC 7866 §12.1)."""
        flow = self._connection.flow
        wanted = flow.identity[0] if self._connection.outgoing else ""
        return self._tls is None or self._tls.vouches(flow.peer, wanted, self.transport.getHandle())

    def read(self, data: bytes) -> None:
        """Take bytes: messages go on, pings are answered, a mistake ends it."""
        connection, framing = self._connection, self._framing
        if connection.closing or not connection.open:
            return
        found = framing.feed(data)
        pings = found.count(PING)
        if pings:
            self.transport.write(PONG * pings)
            connection.pings(pings)
        for message in found:
            if message != PING and not connection.closing:
                connection.message(message)
        if connection.closing:
            return
        connection.progress(framing.begun, bool(found))
        if framing.broken is not None:
            connection.broken(framing.broken)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """Tell that it is over."""
        self.transport.unregisterProducer()
        handshake = self._tls is not None and not self._connection.open
        self._connection.lost("handshake" if handshake else "peer")

    # Carrier

    def write(self, data: bytes) -> None:
        """Send a message, or a ping."""
        if data == PING:
            self._framing.pinged()
        self.transport.write(data)

    def end(self) -> None:
        """Close when all is written."""
        self.transport.unregisterProducer()
        self.transport.loseConnection()
