"""The four transaction machines of RFC 3261 §17 with the corrections of RFC 6026, as tables.

Each table maps state and event to (next state, actions). An event that a state has no row for is ignored:
that is how stray and late messages are absorbed. `transaction` carries the actions out.

Events of server transactions: `request` (a retransmission), `ack`, `1xx`, `2xx`, `final` (300-699 for
INVITE, 200-699 for others) and `refusal` from the transaction user, and timers by their letter. Events of client
transactions: `1xx`, `2xx`, `final` from the network, and timers.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """The states of RFC 3261 figures 5 to 8 and RFC 6026 figures 7 and 8."""

    CALLING = "Calling"
    TRYING = "Trying"
    PROCEEDING = "Proceeding"
    ACCEPTED = "Accepted"
    COMPLETED = "Completed"
    CONFIRMED = "Confirmed"
    TERMINATED = "Terminated"


class Do:
    """What a transition makes the transaction do: plain numbers, which compiled code compares in an instruction."""

    SEND: Final = 0
    """Send the message at hand."""
    RESEND: Final = 1
    """Send the last message again."""
    DELIVER: Final = 2
    """Hand the response to the transaction user."""
    ACK: Final = 3
    """Acknowledge a final response that is not 2xx."""
    TIMED_OUT: Final = 4
    """Tell the transaction user that nothing came."""
    NO_ACK: Final = 5
    """Leave it at that: the ACK of a refusal that never came concerns nobody but the transaction."""
    STOP: Final = 6
    """Cancel the timers of the state that is left."""
    START_A: Final = 7
    """Retransmit, doubling from T1."""
    START_B: Final = 8
    """Give up after 64*T1."""
    START_E: Final = 9
    """Retransmit, doubling from T1 to T2."""
    START_F: Final = 10
    """Give up after 64*T1 (non-INVITE)."""
    START_G: Final = 11
    """Retransmit the final response, doubling from T1 to T2."""
    START_H: Final = 12
    """Wait 64*T1 for the ACK."""
    AWAIT_H: Final = 13
    """Wait 64*T1 for the ACK, without repeating the response."""
    START_D: Final = 14
    """Absorb repeated final responses."""
    START_I: Final = 15
    """Absorb repeated ACKs."""
    START_J: Final = 16
    """Absorb repeated requests."""
    START_K: Final = 17
    """Absorb repeated responses."""
    START_L: Final = 18
    """Absorb repeated INVITEs after a 2xx."""
    START_M: Final = 19
    """Pass further 2xx up."""


Table = dict[State, dict[str, tuple[State, tuple[int, ...]]]]

#: RFC 3261 figure 7, RFC 6026 figure 7.
INVITE_SERVER: Table = {
    State.PROCEEDING: {
        "request": (State.PROCEEDING, (Do.RESEND,)),
        "1xx": (State.PROCEEDING, (Do.SEND,)),
        "2xx": (State.ACCEPTED, (Do.SEND, Do.START_L)),
        "final": (State.COMPLETED, (Do.SEND, Do.START_G, Do.START_H)),
        "refusal": (State.COMPLETED, (Do.SEND, Do.AWAIT_H)),
    },
    State.ACCEPTED: {
        "2xx": (State.ACCEPTED, (Do.SEND,)),
        "L": (State.TERMINATED, ()),
    },
    State.COMPLETED: {
        "request": (State.COMPLETED, (Do.RESEND,)),
        "G": (State.COMPLETED, (Do.RESEND, Do.START_G)),
        "ack": (State.CONFIRMED, (Do.STOP, Do.START_I)),
        "H": (State.TERMINATED, (Do.STOP, Do.NO_ACK)),
    },
    State.CONFIRMED: {
        "I": (State.TERMINATED, ()),
    },
}

#: RFC 3261 figure 8; RFC 4320 §4.1 leaves no provisional response of ours in it.
SERVER: Table = {
    State.TRYING: {
        "1xx": (State.PROCEEDING, (Do.SEND,)),
        "final": (State.COMPLETED, (Do.SEND, Do.START_J)),
    },
    State.PROCEEDING: {
        "request": (State.PROCEEDING, (Do.RESEND,)),
        "1xx": (State.PROCEEDING, (Do.SEND,)),
        "final": (State.COMPLETED, (Do.SEND, Do.START_J)),
    },
    State.COMPLETED: {
        "request": (State.COMPLETED, (Do.RESEND,)),
        "J": (State.TERMINATED, ()),
    },
}

#: RFC 3261 figure 5, RFC 6026 figure 8.
INVITE_CLIENT: Table = {
    State.CALLING: {
        "start": (State.CALLING, (Do.SEND, Do.START_A, Do.START_B)),
        "A": (State.CALLING, (Do.RESEND, Do.START_A)),
        "B": (State.TERMINATED, (Do.STOP, Do.TIMED_OUT)),
        "1xx": (State.PROCEEDING, (Do.STOP, Do.DELIVER)),
        "2xx": (State.ACCEPTED, (Do.STOP, Do.DELIVER, Do.START_M)),
        "final": (State.COMPLETED, (Do.STOP, Do.ACK, Do.START_D, Do.DELIVER)),
    },
    State.PROCEEDING: {
        "1xx": (State.PROCEEDING, (Do.DELIVER,)),
        "2xx": (State.ACCEPTED, (Do.DELIVER, Do.START_M)),
        "final": (State.COMPLETED, (Do.ACK, Do.START_D, Do.DELIVER)),
    },
    State.ACCEPTED: {
        "2xx": (State.ACCEPTED, (Do.DELIVER,)),
        "M": (State.TERMINATED, ()),
    },
    State.COMPLETED: {
        "final": (State.COMPLETED, (Do.ACK,)),
        "D": (State.TERMINATED, ()),
    },
}

#: RFC 3261 figure 6.
CLIENT: Table = {
    State.TRYING: {
        "start": (State.TRYING, (Do.SEND, Do.START_E, Do.START_F)),
        "E": (State.TRYING, (Do.RESEND, Do.START_E)),
        "F": (State.TERMINATED, (Do.STOP, Do.TIMED_OUT)),
        "1xx": (State.PROCEEDING, (Do.DELIVER,)),
        "final": (State.COMPLETED, (Do.STOP, Do.DELIVER, Do.START_K)),
    },
    State.PROCEEDING: {
        "E": (State.PROCEEDING, (Do.RESEND, Do.START_E)),
        "F": (State.TERMINATED, (Do.STOP, Do.TIMED_OUT)),
        "1xx": (State.PROCEEDING, (Do.DELIVER,)),
        "final": (State.COMPLETED, (Do.STOP, Do.DELIVER, Do.START_K)),
    },
    State.COMPLETED: {
        "K": (State.TERMINATED, ()),
    },
}

_REPEATING = {"A": Do.START_A, "E": Do.START_E, "G": Do.START_G}
"""What sends again; over a reliable transport these do not run (§17.1.1.2, §17.1.2.2, §17.2.1)."""
_LINGERING = {"D": Do.START_D, "I": Do.START_I, "J": Do.START_J, "K": Do.START_K}
"""What waits for repetitions; over a reliable transport these are 0 (RFC 3261 table 4)."""


def over_reliable(table: Table) -> Table:
    """Return a table as it is over TCP, TLS and WebSocket: nothing is sent again by timer, nothing waited for twice.

    B, F and H stay, for a far end may be silent over any transport; and L and M, for they wait for what no transport
    sends twice: further 2xx of a fork (RFC 6026 §8.4 has 64*T1 for both, whatever carries them).
    """
    found: Table = {}
    for state, events in table.items():
        for event, (after, todo) in events.items():
            if event in _REPEATING or event in _LINGERING:
                continue
            ends = any(one in _LINGERING.values() for one in todo)
            kept = tuple(one for one in todo if one not in _LINGERING.values() and one not in _REPEATING.values())
            found.setdefault(state, {})[event] = State.TERMINATED if ends else after, kept
    left = {after for state, events in found.items() for after, _ in events.values() if after is not state}
    # What nothing leads to is no state of it; each table begins with its first one.
    return {state: events for number, (state, events) in enumerate(found.items()) if number == 0 or state in left}


RELIABLE_INVITE_SERVER = over_reliable(INVITE_SERVER)
RELIABLE_SERVER = over_reliable(SERVER)
RELIABLE_INVITE_CLIENT = over_reliable(INVITE_CLIENT)
RELIABLE_CLIENT = over_reliable(CLIENT)
