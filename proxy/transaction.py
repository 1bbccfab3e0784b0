"""Carries out the tables of `machines`: server and client transactions (RFC 3261 §17).

A transaction holds bytes that were finished before: what it sends again is what it sent first.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any, Protocol

from config.settings import Timers
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
from proxy.timers import Timer, TimerWheel, cancel

if TYPE_CHECKING:
    from proxy.forking import ResponseContext
    from proxy.waiting import Waiting


class Environment(Protocol):
    """What transactions need of the core."""

    wheel: TimerWheel
    timers: Timers
    counters: Counters

    waiting: Waiting

    def transmit(self, flow: Flow, data: bytes) -> bool:
        """Send bytes; False when the system refused."""

    def give_back(self, flow: Flow, data: bytes) -> None:
        """Send a response, by another connection where its own is gone."""


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
            action(self, now, data)
        if self.state is State.TERMINATED:
            self._forget()
        return True

    def abandon(self) -> None:
        """End at once, without telling the user: its place was taken by another outcome."""
        self._stop(0.0, b"")
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

    # --- what the actions of `machines` do; all take the time and the bytes at hand

    def _send(self, now: float, data: bytes) -> None:
        self.last = data
        if data:
            self._env.give_back(self.flow, data)

    def _resend(self, now: float, data: bytes) -> None:
        if self.last:
            self._env.give_back(self.flow, self.last)

    def _stop(self, now: float, data: bytes) -> None:
        if self._timer is not None:
            cancel(self._timer)
            self._timer = None
        self._until = inf

    def _no_ack(self, now: float, data: bytes) -> None:
        """Leave it at that: the ACK of a refusal that never came concerns nobody but this transaction."""

    def _repeat_in(self, seconds: float, name: str, last: str, now: float) -> None:
        """Run A, E or G (`name`), or B, F or H (`last`) where that is due before.

        Replaces two timers at once, the second of which was nearly always cancelled unused.
        """
        left = self._until - now
        if seconds < left:
            self._timer = self._env.wheel.start(now, seconds, self, name)
        else:
            self._timer = self._env.wheel.start(now, left, self, last)

    def _start_a(self, now: float, data: bytes) -> None:
        """Double without end (§17.1.1.2)."""
        seconds = self._interval
        self._interval = seconds * 2
        self._repeat_in(seconds, "A", "B", now)

    def _start_e(self, now: float, data: bytes) -> None:
        """Double up to T2, and stay there at once when a 1xx came (§17.1.2.2)."""
        t2 = self._env.timers.t2
        seconds = t2 if self.state is State.PROCEEDING else self._interval
        self._interval = min(seconds * 2, t2)
        self._repeat_in(seconds, "E", "F", now)

    def _start_g(self, now: float, data: bytes) -> None:
        """Double up to T2 (§17.2.1)."""
        seconds = self._interval
        self._interval = min(seconds * 2, self._env.timers.t2)
        self._repeat_in(seconds, "G", "H", now)

    def _await_h(self, now: float, data: bytes) -> None:
        """Wait for the ACK without timer G: the INVITE will be repeated as long as it is not answered (§17.1.1.2)."""
        self._timer = self._env.wheel.start(now, 64 * self._env.timers.t1, self, "H")

    def _give_up_later(self, now: float, data: bytes) -> None:
        """Note when timer B, F or H is due: the timer that repeats looks at it, and T1 is always before it."""
        self._until = now + 64 * self._env.timers.t1

    def _give_up(self, name: str, now: float) -> None:
        """Start timer B, F or H where none repeats."""
        self._timer = self._env.wheel.start(now, 64 * self._env.timers.t1, self, name)

    def _start_b(self, now: float, data: bytes) -> None:
        self._give_up("B", now)

    def _start_f(self, now: float, data: bytes) -> None:
        self._give_up("F", now)

    def _start_h(self, now: float, data: bytes) -> None:
        self._give_up("H", now)


Key = bytes
"""What a transaction is found under."""
Action = Callable[[Any, float, bytes], None]
Row = dict[str, tuple[State, "Row", tuple[Action, ...]]]
Rows = dict[State, Row]


def _end(name: str, delay: Callable[[Timers], float]) -> Action:
    """Return the action that starts a timer which nothing stops: the last of a transaction."""

    def start(transaction: Transaction, now: float, data: bytes) -> None:
        env = transaction._env
        env.wheel.linger(now, delay(env.timers), transaction._table, transaction._key, name)

    return start


_ACTIONS: dict[Do, Action] = {
    Do.SEND: Transaction._send,
    Do.RESEND: Transaction._resend,
    Do.STOP: Transaction._stop,
    Do.NO_ACK: Transaction._no_ack,
    Do.START_A: Transaction._start_a,
    Do.START_B: Transaction._give_up_later,
    Do.START_D: _end("D", lambda timers: max(32.0, 64 * timers.t1)),
    Do.START_E: Transaction._start_e,
    Do.START_F: Transaction._give_up_later,
    Do.START_G: Transaction._start_g,
    Do.START_H: Transaction._give_up_later,
    Do.AWAIT_H: Transaction._await_h,
    Do.START_I: _end("I", lambda timers: timers.t4),
    Do.START_J: _end("J", lambda timers: 64 * timers.t1),
    Do.START_K: _end("K", lambda timers: timers.t4),
    Do.START_L: _end("L", lambda timers: 64 * timers.t1),
    Do.START_M: _end("M", lambda timers: 64 * timers.t1),
}

_RELIABLE = {Do.START_B: Transaction._start_b, Do.START_F: Transaction._start_f, Do.START_H: Transaction._start_h}


def _compiled(table: Table, actions: dict[Do, Action]) -> Rows:
    """Return a table of `machines` with functions for actions, and the row of the next state in each entry.

    Replaces two look-ups of enumeration members and a chain of comparisons for each step.
    """
    rows: Rows = {state: {} for state in State}
    for state, events in table.items():
        for event, (after, todo) in events.items():
            rows[state][event] = after, rows[after], tuple(actions[one] for one in todo)
    return rows


_INVITE_SERVER = _compiled(INVITE_SERVER, _ACTIONS)
_SERVER = _compiled(SERVER, _ACTIONS)
_RELIABLE_INVITE_SERVER = _compiled(RELIABLE_INVITE_SERVER, _ACTIONS | _RELIABLE)
_RELIABLE_SERVER = _compiled(RELIABLE_SERVER, _ACTIONS | _RELIABLE)


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

    def _deliver(self, now: float, data: bytes) -> None:
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

    def _acknowledge(self, now: float, data: bytes) -> None:
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

    def _timed_out(self, now: float, data: bytes) -> None:
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
        self._stop(now, data)
        self._timer = self._env.wheel.start(now, 0, _Unreachable(self), "unreachable")

    def _resend(self, now: float, data: bytes) -> None:
        """Repeat the request. What the system refuses is lost as on any way: the first copy left, and may be answered.

        An interface that is down for a second would otherwise end all calls that are being set up, and leave ringing
        whom the first copy has reached.
        """
        self._env.transmit(self.flow, self.last)


_CLIENT_ACTIONS = _ACTIONS | {
    Do.SEND: ClientTransaction._send,
    Do.RESEND: ClientTransaction._resend,
    Do.DELIVER: ClientTransaction._deliver,
    Do.ACK: ClientTransaction._acknowledge,
    Do.TIMED_OUT: ClientTransaction._timed_out,
}
_INVITE_CLIENT = _compiled(INVITE_CLIENT, _CLIENT_ACTIONS)
_CLIENT = _compiled(CLIENT, _CLIENT_ACTIONS)
_RELIABLE_INVITE_CLIENT = _compiled(RELIABLE_INVITE_CLIENT, _CLIENT_ACTIONS | _RELIABLE)
_RELIABLE_CLIENT = _compiled(RELIABLE_CLIENT, _CLIENT_ACTIONS | _RELIABLE)


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
