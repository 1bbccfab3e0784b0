"""The listeners of connections as the shell has them: their certificates, their numbers, and who is trusted."""

from __future__ import annotations

import ipaddress
import resource
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IProtocolFactory
from twisted.logger import Logger

from config import tls_files
from config.address import NetworkValue
from config.recorder_trunk import recorder_trunks
from config.settings import Listener, Settings, Trunk
from config.streams_section import Streams as Bounds
from config.tls_files import TlsFiles
from proxy.counters import Counters
from proxy.datagrams import TransportStats
from proxy.tally import Tally
from proxy.transport_stream import Acceptor, Streams
from proxy.transport_stream import Core as StreamCore
from proxy.transport_tls import Tls, TlsError, contexts
from tap.state import recalled

LOOK_AT_CERTIFICATES = 3600.0
"""Seconds between two looks at whether our certificates still hold."""

RESERVED_FILES = 200
"""Descriptors that connections leave to sockets, stores, logs, the metrics page and whoever scrapes it."""

Files = Mapping[str, TlsFiles]
"""Listener's name → its certificates."""


def read_files(settings: Settings, retired: Iterable[Trunk] = ()) -> Files:
    """Read the certificates of all TLS listeners, and try them.

    Args:
        settings: the configuration.
        retired: trunks and recorders that are configured no more, and serve their calls and sessions.

    Raises:
        TlsFileError: one cannot be used.
        RecorderTrustError: the authorities of a recorder cannot be used.
    """
    files = tls_files.load_all(settings, retired)
    for name, each in files.items():
        try:
            contexts(each)
        except TlsError as error:
            raise tls_files.TlsFileError(f"listener {name}: {error}; look at its files with openssl") from error
    return files


class Connections:
    """All connections of one shell, from their listeners' sockets to their numbers on the metrics page."""

    def __init__(
        self,
        reactor: Any,  # noqa: ANN401 - Twisted has no one interface for all that a reactor does
        settings: Settings,
        *,
        now: Callable[[], float],
        wall: Callable[[], float],
        log: Logger,
        worker: int = 0,
        files: Files | None = None,
        tally: Tally | None = None,
    ) -> None:
        """Set up without opening anything; a worker has a number, files that its supervisor has read, and a tally."""
        self._tally = tally
        self._worker = worker
        self._reactor = reactor
        self._settings = settings
        self._now = now
        self._wall = wall
        self._log = log
        self._files: Files = files or {}
        self._acceptors: dict[str, Acceptor] = {}
        self._listening: list[tuple[Listener, Acceptor]] = []
        self._streams: Streams | None = None

    def read(self) -> None:
        """Read certificates, which may need root.

        Raises:
            StateFileError: one cannot be used.
        """
        self._files = read_files(self._settings, recalled(self._settings, self._wall()))
        self.tell_of_certificates()

    def start(
        self, core: StreamCore, counters: Counters, failed: Callable[[Exception], None],
        bound: list[tuple[Listener, socket.socket]],
    ) -> None:  # fmt: skip
        """Make ready to take connections (`accept`), and to make some.

        Args:
            core: gets what they bring.
            counters: of the core.
            failed: told of what the core raised.
            bound: listeners with their listening sockets.
        """
        if not bound:
            return
        streams = self._streams = Streams(
            self._reactor, self._bounds(), self._settings.limits.message, core,
            clock=self._now, failed=failed, count=counters.add, trusted=trusted_by(self._settings),
            worker=self._worker,
        )  # fmt: skip
        if self._tally is not None:
            streams.tally = self._tally
        for listener, sock in bound:
            files = self._files.get(listener.name)
            tls = Tls(files) if files is not None else None
            acceptor = Acceptor(streams, sock, listener.transport.upper(), tls)
            self._acceptors[listener.name] = acceptor
            self._listening.append((listener, acceptor))

    def accept(self) -> None:
        """Begin to take connections, on the reactor."""
        streams = self._streams
        if streams is not None:
            for listener, acceptor in self._listening:
                streams.listen(acceptor, self._factory(listener, acceptor, streams))
            self._listening.clear()

    def _factory(self, listener: Listener, acceptor: Acceptor, streams: Streams) -> IProtocolFactory | None:
        """Return what makes a listener's protocols; None: byte streams."""
        if listener.transport not in ("ws", "wss"):
            return None
        # Not before somebody wants it: Autobahn takes a quarter of a second and some memory.
        from proxy.transport_websocket import WebSocketFactory  # noqa: PLC0415

        return WebSocketFactory(streams, acceptor, listener.origins, self._reactor)

    def adopt(self, settings: Settings, files: Files) -> None:
        """Go on with the bounds and certificates that a reload has brought.

        No connection is closed but with a recorder that shows what it may not show any longer.
        """
        self._settings = settings
        self._files = files
        if self._streams is None:
            return
        self._streams.bounds = self._bounds()
        self._streams.most = settings.limits.message
        self._streams.trusted = trusted_by(settings)
        for name, each in files.items():
            tls = self._acceptors[name].tls
            if tls is not None:
                tls.renew(contexts(each))
        self._streams.look_at_peers()
        self.tell_of_certificates()

    def _bounds(self) -> Bounds:
        """Return the configured bounds, with as many connections as there may be files."""
        bounds = self._settings.streams
        room = room_for(bounds.connections)
        if room == bounds.connections:
            return bounds
        self._log.warn(
            "the limit of open files (LimitNOFILE of systemd) leaves room for {room} connections, not {wanted}",
            room=room, wanted=bounds.connections,
        )  # fmt: skip
        return bounds.model_copy(update={"connections": room})

    @property
    def send(self) -> Callable[..., bool]:
        """What sends over connections; to be asked for once they are started."""
        return self._streams.send if self._streams is not None else _nowhere

    @property
    def is_open(self) -> bool:
        """Whether every listener takes connections."""
        return all(each.is_open for each in self._acceptors.values())

    def stats(self) -> dict[str, TransportStats]:
        """Return what each listener counts, by its name."""
        return {name: acceptor.stats for name, acceptor in self._acceptors.items()}

    def gauges(self) -> dict[str, float]:
        """Return what there is at this moment, by metric name."""
        wall = self._wall()
        own = [one for each in self._files.values() for one in each.own]
        return {
            "sipveil_connections": len(self._streams) if self._streams is not None else 0,
            "sipveil_tls_certificates_invalid": sum(not one.validity.holds(wall) for one in own),
            "sipveil_tls_certificate_end_seconds": min((one.validity.ends for one in own), default=0),
        }

    def tell_of_certificates(self) -> None:
        """Say which of our certificates do not hold, or soon no longer: their listeners go on with them."""
        if self._worker:
            return  # once is enough
        wall = self._wall()
        for name, each in self._files.items():
            for own in each.own:
                if not own.validity.holds(wall):
                    self._log.error(
                        "listener {name} shows a certificate that holds from {days}: peers will refuse it; renew it "
                        "and reload", name=name, days=own.validity.days(),
                    )  # fmt: skip
                elif own.validity.ends_within(tls_files.EXPIRY_WARNING, wall):
                    day = own.validity.last_day()
                    self._log.warn(
                        "listener {name} shows a certificate that ends on {day}; renew it", name=name, day=day
                    )

    def close(self) -> Deferred[Any]:
        """Close all; fires when it is done."""
        return self._streams.close() if self._streams is not None else succeed(None)


def room_for(connections: int) -> int:
    """Raise this process's limit of open files as far as it may, and return how many connections that is enough for.

    Without room accepting would fail, and with it everything else that opens a file.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + RESERVED_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return connections if soft == resource.RLIM_INFINITY else max(1, min(connections, soft - RESERVED_FILES))


def trusted_by(settings: Settings) -> Callable[[str], bool]:
    """Return what tells whether an address is of a trunk, a recorder or its client, the core or an edge proxy."""
    trunks: Sequence[Trunk] = (*settings.trunks, *recorder_trunks(settings))
    values: list[NetworkValue] = [value for trunk in trunks for value in trunk.networks]
    values += [value for client in settings.recording_clients for value in client.networks]
    hops = [hop for trunk in trunks for hop in trunk.hosts]
    if settings.core is not None:
        values += settings.core.networks
        hops += [settings.core.next_hop] if settings.core.next_hop else []
    if settings.access is not None:
        values += settings.access.edge_proxies
    networks = [value.network for value in values] + [ipaddress.ip_network(hop.host) for hop in hops if hop.is_ip]

    def trusted(host: str) -> bool:
        address = ipaddress.ip_address(host.partition("%")[0])
        return any(address in network for network in networks)

    return trusted


def _nowhere(flow: object, data: bytes) -> bool:
    """Send nothing: there are no connections."""
    return False
