"""Carries out the tables of `machines`: server and client transactions (RFC 3261 §17).

A transaction holds bytes that were finished before: what it sends again is what it sent first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from config.settings import Timers
from proxy.counters import Counters
from proxy.derive import ack_for
from proxy.flow import Flow
from proxy.machines import CLIENT, INVITE_CLIENT, INVITE_SERVER, SERVER, Do, State, Table
from proxy.message import Message
from proxy.routing import Party
from proxy.timers import Timer, TimerWheel, cancel

if TYPE_CHECKING:
    from proxy.forking import ResponseContext


class Environment(Protocol):
    """What transactions need of the core."""

    wheel: TimerWheel
    timers: Timers
    counters: Counters

    def transmit(self, flow: Flow, data: bytes) -> bool:
        """Send bytes; False when the system refused."""


class ClientUser(Protocol):
    """Who started a client transaction."""

    def on_response(self, client: ClientTransaction, response: Message, now: float) -> None:
        """Take a response: each provisional one, the final one, and every further 2xx to an INVITE."""

    def on_failure(self, client: ClientTransaction, status: int, now: float) -> None:
        """Learn that no response will come: 408 after timers B and F, 503 after a transport error."""


class Transaction:
    """State, last bytes and timers; the common half of servers and clients."""

    __slots__ = ("_env", "_interval", "_running", "_table", "flow", "forget", "last", "state")

    def __init__(self, env: Environment, table: Table, state: State, flow: Flow) -> None:
        """Begin in `state`; nothing is sent yet."""
        self._env = env
        self._table = table
        self.state = state
        self.flow = flow
        self.last = b""
        self.forget: Callable[[], None] | None = None
        """Called once, when the transaction has terminated."""
        self._interval = env.timers.t1
        self._running: list[Timer] = []

    def fire(self, name: str, now: float) -> None:
        """Handle a timer."""
        self.step(name, now)

    def step(self, event: str, now: float, data: bytes = b"") -> bool:
        """Handle an event; False when this state ignores it."""
        row = self._table.get((self.state, event))
        if row is None:
            return False
        self.state, actions = row
        for action in actions:
            self._do(action, now, data)
        if self.state is State.TERMINATED and self.forget is not None:
            self.forget()
            self.forget = None
        return True

    def abandon(self) -> None:
        """End at once, without telling the user: its place was taken by another outcome."""
        self._stop()
        self.state = State.TERMINATED
        if self.forget is not None:
            self.forget()
            self.forget = None

    def _do(self, action: Do, now: float, data: bytes) -> None:
        if action is Do.SEND:
            self.last = data
            self._send(now)
        elif action is Do.RESEND:
            self._resend(now)
        elif action is Do.STOP:
            self._stop()
        elif action in _TIMERS:
            self._start(action, now)

    def _send(self, now: float) -> None:
        self._env.transmit(self.flow, self.last)

    def _resend(self, now: float) -> None:
        if self.last:
            self._send(now)

    def _stop(self) -> None:
        for timer in self._running:
            cancel(timer)
        self._running.clear()

    def _start(self, action: Do, now: float) -> None:
        name, delay = _TIMERS[action]
        timers = self._env.timers
        if delay is not None:
            seconds = delay(timers)
        else:
            # A doubles without end (§17.1.1.2); E and G stay at T2, E at once when a 1xx came (§17.1.2.2).
            slow = name == "E" and self.state is State.PROCEEDING
            seconds = timers.t2 if slow else self._interval
            self._interval = seconds * 2 if name == "A" else min(seconds * 2, timers.t2)
        self._running.append(self._env.wheel.start(now, seconds, self, name))
        if len(self._running) > 4:
            self._running = [timer for timer in self._running if timer.owner is not None][-4:]


_TIMERS: dict[Do, tuple[str, Callable[[Timers], float] | None]] = {
    Do.START_A: ("A", None),
    Do.START_B: ("B", lambda timers: 64 * timers.t1),
    Do.START_D: ("D", lambda timers: max(32.0, 64 * timers.t1)),
    Do.START_E: ("E", None),
    Do.START_F: ("F", lambda timers: 64 * timers.t1),
    Do.START_G: ("G", None),
    Do.START_H: ("H", lambda timers: 64 * timers.t1),
    Do.START_I: ("I", lambda timers: timers.t4),
    Do.START_J: ("J", lambda timers: 64 * timers.t1),
    Do.START_K: ("K", lambda timers: timers.t4),
    Do.START_L: ("L", lambda timers: 64 * timers.t1),
    Do.START_M: ("M", lambda timers: 64 * timers.t1),
}


class ServerTransaction(Transaction):
    """Towards the sender of a request (§17.2)."""

    __slots__ = ("context", "is_invite")

    def __init__(self, env: Environment, flow: Flow, *, is_invite: bool) -> None:
        """Wait for the transaction user's responses; `flow` is where they go."""
        super().__init__(
            env,
            INVITE_SERVER if is_invite else SERVER,
            State.PROCEEDING if is_invite else State.TRYING,
            flow,
        )
        self.is_invite = is_invite
        self.context: ResponseContext | None = None
        """The branches of the request; None for what we answer ourselves."""

    def fire(self, name: str, now: float) -> None:
        """Handle a timer, and count what it sends again or gives up."""
        if name == "G":
            self._env.counters.add("retransmissions_sent", name)
        elif name == "H":
            self._env.counters.add("timeouts", name)
        self.step(name, now)

    def repeat(self, now: float) -> None:
        """Absorb a retransmission of the request: the last response, if any, is sent again."""
        self.step("request", now)

    def acknowledge(self, now: float) -> bool:
        """Take an ACK; False when it is for a 2xx and not ours to absorb."""
        return self.step("ack", now) or self.state in (State.CONFIRMED, State.PROCEEDING)

    def respond(self, status: int, data: bytes, now: float) -> bool:
        """Send a response; False when a final one was sent before and this one is of no use."""
        event = "1xx" if status < 200 else "2xx" if status < 300 and self.is_invite else "final"
        return self.step(event, now, data)

    @property
    def finished(self) -> bool:
        """Whether a final response was sent."""
        return self.state not in (State.TRYING, State.PROCEEDING)


class ClientTransaction(Transaction):
    """Towards the next hop (§17.1)."""

    __slots__ = ("_response", "_user", "hop", "is_invite", "method", "request")

    def __init__(self, env: Environment, flow: Flow, method: bytes, request: bytes, user: ClientUser) -> None:
        """Prepare to send `request`, which is complete, over `flow`."""
        self.is_invite = method == b"INVITE"
        super().__init__(
            env,
            INVITE_CLIENT if self.is_invite else CLIENT,
            State.CALLING if self.is_invite else State.TRYING,
            flow,
        )
        self.method = method
        self.request = request
        self._user = user
        self.hop: Party | None = None
        """The side that was asked, which alone may answer."""
        self._response: Message | None = None

    def start(self, now: float) -> None:
        """Send the request for the first time."""
        self.step("start", now, self.request)

    def receive(self, response: Message, now: float) -> bool:
        """Take a response; False when this state ignores it."""
        status = response.status
        event = "1xx" if status < 200 else "2xx" if status < 300 and self.is_invite else "final"
        self._response = response
        return self.step(event, now)

    def fire(self, name: str, now: float) -> None:
        """Handle a timer, and count what it sends again or gives up."""
        if name in ("A", "E"):
            self._env.counters.add("retransmissions_sent", name)
        elif name in ("B", "F"):
            self._env.counters.add("timeouts", name)
        self.step(name, now)

    def _do(self, action: Do, now: float, data: bytes) -> None:
        if action is Do.DELIVER:
            assert self._response is not None  # noqa: S101 -- DELIVER is only in rows of responses
            response, self._response = self._response, None
            self._user.on_response(self, response, now)
        elif action is Do.ACK:
            assert self._response is not None  # noqa: S101 -- so is ACK
            self._env.transmit(self.flow, ack_for(self.request, self._response))
        elif action is Do.TIMED_OUT:
            self._user.on_failure(self, 408, now)
        else:
            super()._do(action, now, data)

    def _send(self, now: float) -> None:
        if self._env.transmit(self.flow, self.last) or self.state is State.TERMINATED:
            return
        # The system says that there is no way: as a 503 would (§16.9), but not from within `start`.
        self._stop()
        self._running.append(self._env.wheel.start(now, 0, _Unreachable(self), "unreachable"))


class _Unreachable:
    """Ends a client transaction whose request could not be sent, one tick later."""

    __slots__ = ("_client",)

    def __init__(self, client: ClientTransaction) -> None:
        self._client = client

    def fire(self, name: str, now: float) -> None:
        client = self._client
        if client.state in (State.CALLING, State.TRYING):
            client.abandon()
            client._user.on_failure(client, 503, now)
