"""The demo's two ends: a phone that places one call, and a trunk that answers it, on real sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from twisted.internet.defer import DeferredQueue
from twisted.internet.task import deferLater

from proxy.flow import Flow
from proxy.transport import UdpListener, open_udp_socket
from tap import demo_messages as say

RINGING = 0.1
"""Seconds that the trunk rings, so that the messages come in the order of a call."""
TALKING = 0.1
"""Seconds between ACK and BYE."""


class Wire(NamedTuple):
    """One message as an end saw it leave or arrive."""

    end: str
    """`phone` or `trunk`."""
    outgoing: bool
    data: bytes


class CallError(Exception):
    """What the phone or the trunk met instead of a call; says no more than a status code."""


class End:
    """A UDP socket of one end, and the tape of what crossed it."""

    def __init__(self, reactor: Any, name: str, tape: list[Wire], clock: Callable[[], float]) -> None:  # noqa: ANN401
        """Open a loopback port and listen."""
        self.name = name
        self.failures: list[Exception] = []
        self._reactor = reactor
        self._tape = tape
        self._socket = UdpListener(
            reactor,
            open_udp_socket("127.0.0.1", 0),
            receive=self._receive,
            clock=clock,
            failed=self.failures.append,
        )
        self.address = self._socket.address
        self._socket.start()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Put a message on the tape and deal with it."""
        self._tape.append(Wire(self.name, False, data))
        self.arrived(data, flow.peer)

    def send(self, data: bytes, peer: tuple[str, int]) -> None:
        """Put a message on the tape and send it."""
        self._tape.append(Wire(self.name, True, data))
        self._socket.send(Flow("UDP", self.address, peer), data)

    def arrived(self, data: bytes, peer: tuple[str, int]) -> None:
        """Deal with a message."""
        raise NotImplementedError


class Phone(End):
    """Places one call and hangs up."""

    def __init__(self, reactor: Any, tape: list[Wire], clock: Callable[[], float]) -> None:  # noqa: ANN401
        """Open a loopback port."""
        super().__init__(reactor, "phone", tape, clock)
        self._responses: DeferredQueue[bytes] = DeferredQueue()

    def arrived(self, data: bytes, peer: tuple[str, int]) -> None:
        """Queue a response for the call to go on with."""
        if say.status(data):
            self._responses.put(data)

    async def call(self, proxy: tuple[str, int]) -> None:
        """Call through proxy: INVITE, 100, 180, 200, ACK, a word or two, BYE, 200.

        Raises:
            CallError: some other answer came.
        """
        invite = say.invite()
        self.send(invite, proxy)
        await self._expect(invite, 100)
        await self._expect(invite, 180)
        dialog = say.dialog(await self._expect(invite, 200))
        self.send(say.in_dialog(b"ACK", b"1", dialog), proxy)
        await deferLater(self._reactor, TALKING)
        bye = say.in_dialog(b"BYE", b"2", dialog)
        self.send(bye, proxy)
        await self._expect(bye, 200)

    async def _expect(self, request: bytes, status: int) -> bytes:
        """Return the next response, which must have status and belong to request as its dialog does."""
        answer = await self._responses.get()
        if say.status(answer) != status:
            raise CallError(f"{say.status(answer)} came where {status} was due")
        for name in ("from", "call-id", "cseq"):
            if say.values(answer, name) != say.values(request, name):
                raise CallError(f"the {status} came back with another {name}")
        return answer


class Trunk(End):
    """Answers every call."""

    def __init__(self, reactor: Any, tape: list[Wire], clock: Callable[[], float]) -> None:  # noqa: ANN401
        """Open a loopback port."""
        super().__init__(reactor, "trunk", tape, clock)
        self.methods: list[str] = []

    def arrived(self, data: bytes, peer: tuple[str, int]) -> None:
        """Answer a request."""
        method = say.title(data)
        self.methods.append(method)
        if method == "INVITE":
            self._answer(data, b"100 Trying", peer)
            self._answer(data, b"180 Ringing", peer)
            self._reactor.callLater(RINGING, self._answer, data, b"200 OK", peer, say.ANSWER)
        elif method == "BYE":
            self._answer(data, b"200 OK", peer)

    def _answer(self, request: bytes, status: bytes, peer: tuple[str, int], body: bytes = b"") -> None:
        """Send a response."""
        self.send(say.response(request, status, b"%s:%d" % (self.address[0].encode(), self.address[1]), body), peer)
