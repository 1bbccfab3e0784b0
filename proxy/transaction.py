"""Carries out the tables of `machines`: server and client transactions (RFC 3261 §17).

A transaction holds bytes that were finished before: what it sends again is what it sent first.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any, Final, Protocol

from proxy.counters import Counters
from proxy.derive import ack_for
from proxy.flow import Flow
from proxy.lingering import Accepted, CompletedClient, CompletedServer
from proxy.machines import (
    CLIENT,
    INVITE_CLIENT,
    INVITE_SERVER,
    RELIABLE_CLIENT,
    RELIABLE_INVITE_CLIENT,
    RELIABLE_INVITE_SERVER,
    RELIABLE_SERVER,
    SERVER,
    Do,
    State,
    Table,
)
from proxy.message import Message
from proxy.party import Party
from proxy.timers import Intervals, Timer, TimerWheel, cancel

if TYPE_CHECKING:
    from proxy.forking import ResponseContext
    from proxy.waiting import Waiting


class Environment:
    """What transactions need of the core, which is one."""

    def __init__(
        self, timers: Intervals, wheel: TimerWheel, counters: Counters, waiting: Waiting,
        send: Callable[[Flow, bytes], bool],
    ) -> None:  # fmt: skip
        """Note the running settings, what they start and count, and the way out (`Sinks.send`)."""
        self.timers = timers
        self.wheel = wheel
        self.counters = counters
        self.waiting = waiting
        self._send = send

    def transmit(self, flow: Flow, data: bytes) -> bool:
        """Send bytes that are finished; False when the system refused."""
        return self._send(flow, data)

    def give_back(self, flow: Flow, data: bytes) -> None:
        """Send a response to where its request came from."""
        self._send(flow, data)


class ClientUser(Protocol):
    """Who started a client transaction."""

    def on_response(self, client: ClientTransaction, response: Message, now: float) -> None:
        """Take a response: each provisional one, the final one, and every further 2xx to an INVITE."""

    def on_failure(self, client: ClientTransaction, status: int, now: float) -> None:
        """Learn that no response will come: 408 after timers B and F, 503 after a transport error."""


class Transaction:
    """State, last bytes and the running timer; the common half of servers and clients."""

    __slots__ = ("_env", "_interval", "_key", "_row", "_table", "_timer", "_until", "flow", "last", "state")

    def __init__(self, env: Environment, rows: Rows, state: State, flow: Flow, table: dict[Key, Any], key: Key) -> None:
        """Begin in `state`, standing in `table` under `key` until terminated; nothing is sent yet."""
        self._env = env
        self._row = rows[state]
        self.state = state
        self.flow = flow
        self.last = b""
        self._table = table
        self._key = key
        table[key] = self
        self._interval = env.timers.t1
        self._until = inf
        """When timer B, F or H is due."""
        self._timer: Timer | None = None

    def fire(self, name: str, now: float) -> None:
        """Handle a timer."""
        self.step(name, now)

    def step(self, event: str, now: float, data: bytes = b"") -> bool:
        """Handle an event; False when this state ignores it."""
        found = self._row.get(event)
        if found is None:
            return False
        self.state, self._row, actions = found
        for action in actions:
            self._do(action, now, data)
        if self.state is State.TERMINATED:
            self._forget()
        return True

    def abandon(self) -> None:
        """End at once, without telling the user: its place was taken by another outcome."""
        self._stop()
        self.state, self._row = State.TERMINATED, {}
        self._forget()

    def give_way(self, successor: object) -> None:
        """Let something smaller stand in the table until the timer that lingers takes it out; once."""
        if self._table.get(self._key) is self:
            self._table[self._key] = successor
        self._forget()

    def _forget(self) -> None:
        """Leave the table. Whoever refers back is let go of too, so that no cycle waits for the garbage collector."""
        if self._table.get(self._key) is self:
            del self._table[self._key]
        self._timer = None

    # --- what the actions of `machines` do

    def _do(self, action: int, now: float, data: bytes) -> None:
        """Carry out an action; data is the message at hand.

        A chain of comparisons replaces a table of functions: compiled, those would be called through the interpreter.
        """
        if action == Do.SEND:
            self._send(now, data)
        elif action == Do.STOP:
            self._stop()
        elif action == Do.START_A:
            self._start_a(now)
        elif action == Do.START_E:
            self._start_e(now)
        elif action in (Do.START_B, Do.START_F, Do.START_H):
            self._give_up_later(now, action)
        elif action >= Do.START_D:
            self._end(now, action)
        elif action == Do.RESEND:
            self._resend()
        elif action == Do.START_G:
            self._start_g(now)
        elif action == Do.AWAIT_H:
            self._give_up(now, "H")

    def _send(self, now: float, data: bytes) -> None:
        self.last = data
        if data:
            self._env.give_back(self.flow, data)

    def _resend(self) -> None:
        if self.last:
            self._env.give_back(self.flow, self.last)

    def _stop(self) -> None:
        if self._timer is not None:
            cancel(self._timer)
            self._timer = None
        self._until = inf

    def _repeat_in(self, seconds: float, name: str, last: str, now: float) -> None:
        """Run A, E or G (`name`), or B, F or H (`last`) where that is due before.

        Replaces two timers at once, the second of which was nearly always cancelled unused.
        """
        left = self._until - now
        if seconds < left:
            self._timer = self._env.wheel.start(now, seconds, self, name)
        else:
            self._timer = self._env.wheel.start(now, left, self, last)

    def _start_a(self, now: float) -> None:
        """Double without end (§17.1.1.2)."""
        seconds = self._interval
        self._interval = seconds * 2
        self._repeat_in(seconds, "A", "B", now)

    def _start_e(self, now: float) -> None:
        """Double up to T2, and stay there at once when a 1xx came (§17.1.2.2)."""
        t2 = self._env.timers.t2
        seconds = t2 if self.state is State.PROCEEDING else self._interval
        self._interval = min(seconds * 2, t2)
        self._repeat_in(seconds, "E", "F", now)

    def _start_g(self, now: float) -> None:
        """Double up to T2 (§17.2.1)."""
        seconds = self._interval
        self._interval = min(seconds * 2, self._env.timers.t2)
        self._repeat_in(seconds, "G", "H", now)

    def _give_up_later(self, now: float, action: int) -> None:
        """Start timer B, F or H: over UDP the timer that repeats looks when it is due, and T1 is always before it."""
        if self.flow.transport == "UDP":
            self._until = now + 64 * self._env.timers.t1
        else:
            self._give_up(now, _GIVING_UP[action])

    def _give_up(self, now: float, name: str) -> None:
        """Start timer B, F or H where none repeats."""
        self._timer = self._env.wheel.start(now, 64 * self._env.timers.t1, self, name)

    def _end(self, now: float, action: int) -> None:
        """Start a timer that nothing stops: the last of a transaction."""
        timers = self._env.timers
        if action in (Do.START_I, Do.START_K):
            delay = timers.t4
        else:
            delay = 64 * timers.t1
            if action == Do.START_D:
                delay = max(32.0, delay)
        self._env.wheel.linger(now, delay, self._table, self._key, _LAST[action])


Key = bytes
"""What a transaction is found under."""
Row = dict[str, tuple[State, "Row", tuple[int, ...]]]
Rows = dict[State, Row]

_GIVING_UP: Final = {Do.START_B: "B", Do.START_F: "F", Do.START_H: "H"}
_LAST: Final = {
    Do.START_D: "D", Do.START_I: "I", Do.START_J: "J", Do.START_K: "K", Do.START_L: "L", Do.START_M: "M"
}  # fmt: skip


def _compiled(table: Table) -> Rows:
    """Return a table of `machines` with the row of the next state in each entry; replaces a second look-up."""
    rows: Rows = {state: {} for state in State}
    for state, events in table.items():
        for event, (after, todo) in events.items():
            rows[state][event] = after, rows[after], todo
    return rows


_INVITE_SERVER = _compiled(INVITE_SERVER)
_SERVER = _compiled(SERVER)
_RELIABLE_INVITE_SERVER = _compiled(RELIABLE_INVITE_SERVER)
_RELIABLE_SERVER = _compiled(RELIABLE_SERVER)
_INVITE_CLIENT = _compiled(INVITE_CLIENT)
_CLIENT = _compiled(CLIENT)
_RELIABLE_INVITE_CLIENT = _compiled(RELIABLE_INVITE_CLIENT)
_RELIABLE_CLIENT = _compiled(RELIABLE_CLIENT)


class ServerTransaction(Transaction):
    """Towards the sender of a request (§17.2)."""

    __slots__ = ("context", "is_invite")

    def __init__(self, env: Environment, flow: Flow, table: dict[Key, Server], key: Key, *, is_invite: bool) -> None:
        """Wait for the transaction user's responses; `flow` is where they go."""
        is_datagram = flow.transport == "UDP"
        if is_invite:
            rows = _INVITE_SERVER if is_datagram else _RELIABLE_INVITE_SERVER
            super().__init__(env, rows, State.PROCEEDING, flow, table, key)
        else:
            super().__init__(env, _SERVER if is_datagram else _RELIABLE_SERVER, State.TRYING, flow, table, key)
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
        taken = self.step(event, now, data)
        if event == "2xx":
            self.last = b""  # the phone on the far side repeats it, not this transaction (RFC 6026 §7.1)
        elif event == "final" and taken:
            if self.context is not None:
                cancel(self.context.trying)
                self.context = None  # nothing else will be sent
            if not self.is_invite:
                self.give_way(CompletedServer(self.flow, data))
        return taken

    def refuse(self, data: bytes, now: float) -> bool:
        """Send a final answer to an INVITE that has had none, and again only when the INVITE comes again.

        With b"" nothing is sent, and repetitions are absorbed all the same.
        """
        self.context = None
        return self.step("refusal", now, data)

    def _forget(self) -> None:
        super()._forget()
        if self.context is not None:
            cancel(self.context.trying)
            self.context = None

    @property
    def finished(self) -> bool:
        """Whether a final response was sent."""
        return self.state not in (State.TRYING, State.PROCEEDING)


class ClientTransaction(Transaction):
    """Towards the next hop (§17.1)."""

    __slots__ = ("_response", "_user", "hop", "is_invite", "request")

    def __init__(
        self, env: Environment, flow: Flow, table: dict[Key, Client], key: Key, request: bytes,
        user: ClientUser,
    ) -> None:  # fmt: skip
        """Prepare to send `request`, which is complete, over `flow`; `key` is that of `matching.client_key`."""
        self.is_invite = request.startswith(b"INVITE ")
        is_datagram = flow.transport == "UDP"
        if self.is_invite:
            rows = _INVITE_CLIENT if is_datagram else _RELIABLE_INVITE_CLIENT
            super().__init__(env, rows, State.CALLING, flow, table, key)
        else:
            super().__init__(env, _CLIENT if is_datagram else _RELIABLE_CLIENT, State.TRYING, flow, table, key)
        self.request = request
        self._user: ClientUser | None = user
        self.hop: Party | None = None
        """The side that was asked, which alone may answer."""
        self._response: Message | None = None

    def start(self, now: float) -> None:
        """Send the request for the first time."""
        if self.flow.transport != "UDP":
            self._env.waiting.begins(self)
        self.step("start", now, self.request)

    def receive(self, response: Message, now: float) -> bool:
        """Take a response; False when this state ignores it."""
        status = response.status
        if self.flow.transport != "UDP":
            self._env.waiting.over(self)
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

    def _do(self, action: int, now: float, data: bytes) -> None:
        """Carry out an action, those of clients alone too."""
        if action == Do.DELIVER:
            self._deliver(now)
        elif action == Do.ACK:
            self._acknowledge()
        elif action == Do.TIMED_OUT:
            self._timed_out(now)
        else:
            super()._do(action, now, data)

    def _deliver(self, now: float) -> None:
        response, self._response = self._response, None
        if response is not None and self._user is not None:
            self._user.on_response(self, response, now)
            if self.state is State.TERMINATED:
                self.settle()  # what leaves the table at once, over a reliable transport
            elif self.state is State.COMPLETED:
                self.settle()
                self._user = None
                if self.is_invite:
                    self.give_way(CompletedClient(self.flow, self.hop, self.last))

    def hand_to(self, user: ClientUser) -> None:
        """Tell another user what comes from now on."""
        self._user = user

    @property
    def is_pending(self) -> bool:
        """Whether no final response has come."""
        return self.state in (State.CALLING, State.TRYING, State.PROCEEDING)

    def settle(self) -> None:
        """Let go of the request, which will not be sent again; only the ACK of a refusal may be."""
        self.request = b""
        if self.state is not State.COMPLETED or not self.is_invite:
            self.last = b""

    def _acknowledge(self) -> None:
        if self._response is not None and self.request:
            self.last = ack_for(self.request, self._response)
        self._env.transmit(self.flow, self.last)

    def unreachable(self, now: float) -> None:
        """Fail for want of a way there (§17.1.4); where an answer has come, there was one."""
        if self.state in (State.CALLING, State.TRYING):
            user = self._user
            self.abandon()
            if user is not None:
                user.on_failure(self, 503, now)

    def _timed_out(self, now: float) -> None:
        if self._user is not None:
            self._user.on_failure(self, 408, now)

    def _forget(self) -> None:
        super()._forget()
        if self.flow.transport != "UDP":
            self._env.waiting.over(self)
        self._user = self._response = None

    def _send(self, now: float, data: bytes) -> None:
        self.last = data
        if self._env.transmit(self.flow, data) or self.state is State.TERMINATED:
            return
        # The system says that there is no way: as a 503 would (§16.9), but not from within `start`.
        self._stop()
        self._timer = self._env.wheel.start(now, 0, _Unreachable(self), "unreachable")

    def _resend(self) -> None:
        """Repeat the request. What the system refuses is lost as on any way: the first copy left, and may be answered.

        An interface that is down for a second would otherwise end all calls that are being set up, and leave ringing
        whom the first copy has reached.
        """
        self._env.transmit(self.flow, self.last)


Server = ServerTransaction | CompletedServer | Accepted
"""What stands in the table of server transactions."""
Client = ClientTransaction | CompletedClient | Accepted
"""What stands in the table of client transactions."""


class _Unreachable:
    """Ends a client transaction whose request could not be sent, one tick later."""

    __slots__ = ("_client",)

    def __init__(self, client: ClientTransaction) -> None:
        self._client = client

    def fire(self, name: str, now: float) -> None:
        self._client.unreachable(now)
