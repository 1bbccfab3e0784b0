"""SIP over WebSockets (RFC 7118), on Autobahn: a browser's phone, one message a frame or a row of frames.

The handshake, frames, masks and pings are Autobahn's. Ours are the bounds, which are those of all connections, and
what SIP wants: the subprotocol `sip` (§4.1), and pages that may connect. Nobody is connected to by us (§5).
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from proxy.framing import PING, PONG
from proxy.transport_connection import Carriage, Connection
from proxy.transport_stream import Acceptor, Streams
from proxy.transport_tls import peer_names

SUBPROTOCOL = "sip"
VERSION = 13
"""That of RFC 6455; drafts before it told the page's origin otherwise."""
HANDSHAKE = 16_384
"""Bytes of an HTTP request before it is one, twice what servers take of a line (nginx); Autobahn bounds none."""
PING_EVERY = 60
"""Seconds between two pings of ours, under what NATs and HTTP proxies keep an idle connection for (RFC 7118 §6)."""
PONG_WITHIN = 20


class _Silence:
    """A log that says nothing: Autobahn would tell of peers, and of each that says something odd."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whichever level
        return lambda *args, **fields: None


class WebSocket(Carriage, WebSocketServerProtocol):  # type: ignore[misc]  # Autobahn is not typed
    """One WebSocket."""

    log = _Silence()

    def __init__(self, connection: Connection, origins: Sequence[str], *, tls: bool) -> None:
        """Carry connection, for pages of these origins; none: for all."""
        super().__init__()
        self._connection = connection
        self._origins = origins
        self._tls = tls
        self._before = 0
        self._frames = 0
        """Those of the message that is coming."""

    # --- Twisted's

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Wait for the handshake."""
        self._connection.carrier = self
        super().connectionMade()
        self.transport.registerProducer(self, True)

    def read(self, data: bytes) -> None:
        """Take bytes, of a handshake so many and no more."""
        if self._connection.closing:
            return
        if not self._connection.open:
            self._before += len(data)
            if self._before > HANDSHAKE:
                self._connection.close("handshake")
                return
        WebSocketServerProtocol.dataReceived(self, data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """Tell that it is over."""
        self.transport.unregisterProducer()
        self._connectionLost(reason)
        self._connection.lost("peer" if self._connection.was_open else "handshake")

    # --- Autobahn's

    def failHandshake(self, reason: str, code: int = 400, responseHeaders: Any = None) -> None:  # noqa: ANN401, N802, N803
        """Refuse a handshake by the standard phrase: Autobahn would say again what the client said, line ends too."""
        super().failHandshake(HTTPStatus(code).phrase, code, responseHeaders)

    def onConnect(self, request: Any) -> str:  # noqa: ANN401, N802 - Autobahn's
        """Accept a handshake for SIP."""
        length = request.headers.get("content-length", "0")
        if length.strip("0") or "transfer-encoding" in request.headers:
            # What is a body to an HTTP proxy in front of us would be frames to us: whose, nobody could say.
            raise ConnectionDeny(400, "no body")
        if SUBPROTOCOL not in request.protocols:
            raise ConnectionDeny(400, "the subprotocol is sip")
        if self._origins and request.origin not in self._origins:
            raise ConnectionDeny(403, "not for this page")
        return SUBPROTOCOL

    def onOpen(self) -> None:  # noqa: N802 - Autobahn's name
        """Begin."""
        certificate = self.transport.getPeerCertificate() if self._tls else None
        self._connection.established(peer_names(certificate))

    def onMessageBegin(self, isBinary: bool) -> None:  # noqa: N802, N803 - Autobahn's names
        """Take note that a message has begun."""
        super().onMessageBegin(isBinary)
        self._frames = 0
        self._connection.progress(begun=True, complete=False)

    def onMessageFrameBegin(self, length: int) -> None:  # noqa: N802 - Autobahn's name
        """Count a frame; the first is that of its message."""
        super().onMessageFrameBegin(length)
        self._frames += 1
        if self._frames > 1:
            self._connection.pieces(1)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803 - Autobahn's names
        """Take a message; where it ends the frame says, so a Content-Length is not needed (§5.1)."""
        connection = self._connection
        connection.progress(begun=False, complete=True)
        if connection.closing:
            return
        if not payload.strip(b"\r\n"):
            # Not in RFC 7118; but SIP.js sends the pings of RFC 5626 here too, and waits for the pong.
            if payload.startswith(PING):
                self.write(PONG)
            connection.pings(1)
        else:
            connection.message(payload)

    def onPing(self, payload: bytes) -> None:  # noqa: N802 - Autobahn's name
        """Answer a ping (RFC 6455 §5.5.2)."""
        super().onPing(payload)
        self._connection.pings(1)

    def onPong(self, payload: bytes) -> None:  # noqa: N802 - Autobahn's name
        """Count an answer to a ping, which nobody may have asked for."""
        super().onPong(payload)
        self._connection.pings(1)

    def dropConnection(self, abort: bool = False) -> None:  # noqa: N802 - Autobahn's
        """End: by a goodbye of the peer, or what breaks the rules. From here on Autobahn raises for what is sent."""
        self._connection.ends("peer" if self._connection.was_open else "handshake")
        super().dropConnection(abort)

    # --- Carrier

    def write(self, data: bytes) -> None:
        """Send a message, as text where it is some (§5.2.1: what is not UTF-8 has to be binary)."""
        try:
            data.decode()
        except UnicodeDecodeError:
            self.sendMessage(data, isBinary=True)
        else:
            self.sendMessage(data, isBinary=False)

    def end(self) -> None:
        """Say goodbye, if the handshake is over, and close when all is written."""
        self.transport.unregisterProducer()
        if self._connection.was_open:
            self.sendClose(1000)
        else:
            self.transport.loseConnection()


class WebSocketFactory(WebSocketServerFactory):  # type: ignore[misc]  # Autobahn is not typed
    """Makes the WebSockets of an acceptor."""

    noisy = False
    log = _Silence()

    def __init__(self, streams: Streams, acceptor: Acceptor, origins: Sequence[str], reactor: Any) -> None:  # noqa: ANN401
        """Make them for acceptor, for pages of these origins; none: for all."""
        super().__init__(None, protocols=[SUBPROTOCOL], server="", reactor=reactor)
        self._streams = streams
        self._acceptor = acceptor
        self._origins = origins
        # Origins are looked at in `onConnect`, and times by the table of connections.
        self.setProtocolOptions(
            versions=[VERSION], webStatus=False, openHandshakeTimeout=0, closeHandshakeTimeout=1, failByDrop=True,
            allowedOrigins=["*"], allowNullOrigin=True, autoPingInterval=PING_EVERY, autoPingTimeout=PONG_WITHIN,
            utf8validateIncoming=False,
        )  # fmt: skip

    def buildProtocol(self, addr: Any) -> WebSocket | None:  # noqa: ANN401, N802 - Twisted's
        """Return the protocol of a new connection; None closes it."""
        connection = self._streams.accept(self._acceptor, addr)
        if connection is None:
            return None
        # One message is as large as on any stream, whatever the row of frames that it comes in.
        most = self._streams.most
        self.setProtocolOptions(maxFramePayloadSize=most, maxMessagePayloadSize=most, allowNullOrigin=True)
        made = WebSocket(connection, self._origins, tls=self._acceptor.tls is not None)
        made.factory = self
        return made
