"""The four transaction machines of RFC 3261 §17 with the corrections of RFC 6026, as tables.

Each table maps state and event to (next state, actions). An event that a state has no row for is ignored:
that is how stray and late messages are absorbed. `transaction` carries the actions out.

Events of server transactions: `request` (a retransmission), `ack`, `1xx`, `2xx`, `final` (300-699 for
INVITE, 200-699 for others) from the transaction user, and timers by their letter. Events of client
transactions: `1xx`, `2xx`, `final` from the network, and timers.
"""

from __future__ import annotations

from enum import Enum, StrEnum


class State(StrEnum):
    """The states of RFC 3261 figures 5 to 8 and RFC 6026 figures 7 and 8."""

    CALLING = "Calling"
    TRYING = "Trying"
    PROCEEDING = "Proceeding"
    ACCEPTED = "Accepted"
    COMPLETED = "Completed"
    CONFIRMED = "Confirmed"
    TERMINATED = "Terminated"


class Do(Enum):
    """What a transition makes the transaction do."""

    SEND = "send the message at hand"
    RESEND = "send the last message again"
    DELIVER = "hand the response to the transaction user"
    ACK = "acknowledge a final response that is not 2xx"
    TIMED_OUT = "tell the transaction user that nothing came"
    NO_ACK = "tell the transaction user that the ACK never came"
    START_A = "retransmit, doubling from T1"
    START_B = "give up after 64*T1"
    START_D = "absorb repeated final responses"
    START_E = "retransmit, doubling from T1 to T2"
    START_F = "give up after 64*T1 (non-INVITE)"
    START_G = "retransmit the final response, doubling from T1 to T2"
    START_H = "wait 64*T1 for the ACK"
    START_I = "absorb repeated ACKs"
    START_J = "absorb repeated requests"
    START_K = "absorb repeated responses"
    START_L = "absorb repeated INVITEs after a 2xx"
    START_M = "pass further 2xx up"
    STOP = "cancel the timers of the state that is left"


Table = dict[State, dict[str, tuple[State, tuple[Do, ...]]]]

#: RFC 3261 figure 7, RFC 6026 figure 7.
INVITE_SERVER: Table = {
    State.PROCEEDING: {
        "request": (State.PROCEEDING, (Do.RESEND,)),
        "1xx": (State.PROCEEDING, (Do.SEND,)),
        "2xx": (State.ACCEPTED, (Do.SEND, Do.START_L)),
        "final": (State.COMPLETED, (Do.SEND, Do.START_G, Do.START_H)),
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
