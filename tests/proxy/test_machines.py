"""The transaction tables against the figures of RFC 3261 §17 and RFC 6026 §7."""

from __future__ import annotations

import pytest

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

S = State
TABLES: dict[str, tuple[Table, State]] = {
    "INVITE client": (INVITE_CLIENT, S.CALLING),
    "client": (CLIENT, S.TRYING),
    "INVITE server": (INVITE_SERVER, S.PROCEEDING),
    "server": (SERVER, S.TRYING),
    "reliable INVITE client": (RELIABLE_INVITE_CLIENT, S.CALLING),
    "reliable client": (RELIABLE_CLIENT, S.TRYING),
    "reliable INVITE server": (RELIABLE_INVITE_SERVER, S.PROCEEDING),
    "reliable server": (RELIABLE_SERVER, S.TRYING),
}
names = pytest.mark.parametrize("name", TABLES)

#: Every arrow of the figures: state, event, next state. Left out, because nothing happens: a transport error, which
#: is not the table's (§17.1.4), and events that a state ignores.
FIGURES: dict[str, set[tuple[State, str, State]]] = {
    # RFC 3261 figure 5 with RFC 6026 figure 8
    "INVITE client": {
        (S.CALLING, "start", S.CALLING),
        (S.CALLING, "A", S.CALLING),
        (S.CALLING, "B", S.TERMINATED),
        (S.CALLING, "1xx", S.PROCEEDING),
        (S.CALLING, "2xx", S.ACCEPTED),
        (S.CALLING, "final", S.COMPLETED),
        (S.PROCEEDING, "1xx", S.PROCEEDING),
        (S.PROCEEDING, "2xx", S.ACCEPTED),
        (S.PROCEEDING, "final", S.COMPLETED),
        (S.ACCEPTED, "2xx", S.ACCEPTED),
        (S.ACCEPTED, "M", S.TERMINATED),
        (S.COMPLETED, "final", S.COMPLETED),
        (S.COMPLETED, "D", S.TERMINATED),
    },
    # RFC 3261 figure 6
    "client": {
        (S.TRYING, "start", S.TRYING),
        (S.TRYING, "E", S.TRYING),
        (S.TRYING, "F", S.TERMINATED),
        (S.TRYING, "1xx", S.PROCEEDING),
        (S.TRYING, "final", S.COMPLETED),
        (S.PROCEEDING, "E", S.PROCEEDING),
        (S.PROCEEDING, "F", S.TERMINATED),
        (S.PROCEEDING, "1xx", S.PROCEEDING),
        (S.PROCEEDING, "final", S.COMPLETED),
        (S.COMPLETED, "K", S.TERMINATED),
    },
    # RFC 3261 figure 7 with RFC 6026 figure 7
    "INVITE server": {
        (S.PROCEEDING, "request", S.PROCEEDING),
        (S.PROCEEDING, "1xx", S.PROCEEDING),
        (S.PROCEEDING, "2xx", S.ACCEPTED),
        (S.PROCEEDING, "final", S.COMPLETED),
        (S.ACCEPTED, "2xx", S.ACCEPTED),
        (S.ACCEPTED, "L", S.TERMINATED),
        (S.COMPLETED, "request", S.COMPLETED),
        (S.COMPLETED, "G", S.COMPLETED),
        (S.COMPLETED, "ack", S.CONFIRMED),
        (S.COMPLETED, "H", S.TERMINATED),
        (S.CONFIRMED, "I", S.TERMINATED),
        # Ours: "final" from the transaction user to one who may not be where the INVITE says, without timer G.
        (S.PROCEEDING, "refusal", S.COMPLETED),
    },
    # RFC 3261 figure 8
    "server": {
        (S.TRYING, "1xx", S.PROCEEDING),
        (S.TRYING, "final", S.COMPLETED),
        (S.PROCEEDING, "request", S.PROCEEDING),
        (S.PROCEEDING, "1xx", S.PROCEEDING),
        (S.PROCEEDING, "final", S.COMPLETED),
        (S.COMPLETED, "request", S.COMPLETED),
        (S.COMPLETED, "J", S.TERMINATED),
    },
    # The same with RFC 3261 table 4's "TCP/SCTP": no A, E, G; D, I, J and K are 0
    "reliable INVITE client": {
        (S.CALLING, "start", S.CALLING),
        (S.CALLING, "B", S.TERMINATED),
        (S.CALLING, "1xx", S.PROCEEDING),
        (S.CALLING, "2xx", S.ACCEPTED),
        (S.CALLING, "final", S.TERMINATED),
        (S.PROCEEDING, "1xx", S.PROCEEDING),
        (S.PROCEEDING, "2xx", S.ACCEPTED),
        (S.PROCEEDING, "final", S.TERMINATED),
        (S.ACCEPTED, "2xx", S.ACCEPTED),
        (S.ACCEPTED, "M", S.TERMINATED),
    },
    "reliable client": {
        (S.TRYING, "start", S.TRYING),
        (S.TRYING, "F", S.TERMINATED),
        (S.TRYING, "1xx", S.PROCEEDING),
        (S.TRYING, "final", S.TERMINATED),
        (S.PROCEEDING, "F", S.TERMINATED),
        (S.PROCEEDING, "1xx", S.PROCEEDING),
        (S.PROCEEDING, "final", S.TERMINATED),
    },
    "reliable INVITE server": {
        (S.PROCEEDING, "request", S.PROCEEDING),
        (S.PROCEEDING, "1xx", S.PROCEEDING),
        (S.PROCEEDING, "2xx", S.ACCEPTED),
        (S.PROCEEDING, "final", S.COMPLETED),
        (S.PROCEEDING, "refusal", S.COMPLETED),
        (S.ACCEPTED, "2xx", S.ACCEPTED),
        (S.ACCEPTED, "L", S.TERMINATED),
        (S.COMPLETED, "request", S.COMPLETED),
        (S.COMPLETED, "ack", S.TERMINATED),
        (S.COMPLETED, "H", S.TERMINATED),
    },
    "reliable server": {
        (S.TRYING, "1xx", S.PROCEEDING),
        (S.TRYING, "final", S.TERMINATED),
        (S.PROCEEDING, "request", S.PROCEEDING),
        (S.PROCEEDING, "1xx", S.PROCEEDING),
        (S.PROCEEDING, "final", S.TERMINATED),
    },
}
STARTS = {getattr(Do, f"START_{letter}"): letter for letter in "ABDEFGHIJKLM"}


def flat(table: Table) -> dict[tuple[State, str], tuple[State, tuple[int, ...]]]:
    return {(state, event): row for state, events in table.items() for event, row in events.items()}


@names
def test_the_table_has_the_arrows_of_its_figure_and_no_other(name: str) -> None:
    """RFC 3261 figures 5 to 8, RFC 6026 figures 7 and 8."""
    table = flat(TABLES[name][0])
    assert {(state, event, after) for (state, event), (after, _) in table.items()} == FIGURES[name]


@names
def test_every_state_is_reached_and_left(name: str) -> None:
    """From the first state each other one, and from each the end."""
    table, first = flat(TABLES[name][0]), TABLES[name][1]
    arrows = {(state, after) for (state, _), (after, _) in table.items()}
    named = {state for arrow in arrows for state in arrow}

    def reached(start: State) -> set[State]:
        found, new = set(), {start}
        while new:
            found |= new
            new = {after for state, after in arrows if state in new} - found
        return found

    assert reached(first) == named
    assert all(S.TERMINATED in reached(state) for state in named)
    assert not any(state is S.TERMINATED for state, _ in table)


@names
def test_a_timer_that_is_started_has_a_row_in_the_state_that_waits_for_it(name: str) -> None:
    """Else a transaction would stay for ever; a timer without row fires into nothing only where it was stopped."""
    table = flat(TABLES[name][0])
    for (_, _), (after, actions) in table.items():
        for action in actions:
            if action in STARTS:
                assert (after, STARTS[action]) in table


@names
def test_a_timer_that_has_a_row_is_started_somewhere(name: str) -> None:
    """A row that nothing can trigger would be a mistake."""
    table = flat(TABLES[name][0])
    started = {STARTS[action] for _, actions in table.values() for action in actions if action in STARTS}
    awaited = {event for _, event in table if len(event) == 1}
    assert awaited == started


@names
def test_leaving_a_state_stops_timers_that_the_next_state_does_not_know(name: str) -> None:
    """A stopped A or G must not fire into a later state that has a row of that name."""
    table = flat(TABLES[name][0])
    running: dict[State, set[str]] = {}
    for _ in range(len(table)):
        for (state, _), (after, actions) in table.items():
            alive = set() if Do.STOP in actions else set(running.get(state, ()))
            alive |= {STARTS[action] for action in actions if action in STARTS}
            running.setdefault(after, set()).update(alive)
    for state, alive in running.items():
        if state is not S.TERMINATED:
            assert {letter for letter in alive if (state, letter) not in table} == set()


@pytest.mark.parametrize(
    ("table", "events"),
    [(INVITE_SERVER, ("2xx", "final")), (SERVER, ("final",)), (INVITE_CLIENT, ("2xx", "final")), (CLIENT, ("final",))],
)
def test_a_final_response_is_sent_or_delivered_once(table: Table, events: tuple[str, ...]) -> None:
    """Only a 2xx to INVITE passes again, in Accepted (RFC 6026 §7.1 and §7.2)."""
    for (state, event), (_, actions) in flat(table).items():
        passes = Do.SEND in actions or Do.DELIVER in actions
        if event in events:
            again = state in (S.ACCEPTED, S.COMPLETED)
            assert passes is (not again or (state is S.ACCEPTED and event == "2xx"))


def test_only_a_refusal_is_acknowledged_by_the_transaction() -> None:
    """§17.1.1.2: ACK for 300-699; that of a 2xx is the caller's own."""
    assert {key for key, (_, actions) in flat(INVITE_CLIENT).items() if Do.ACK in actions} == {
        (S.CALLING, "final"), (S.PROCEEDING, "final"), (S.COMPLETED, "final"),
    }  # fmt: skip
    assert not any(
        Do.ACK in actions for table in (CLIENT, SERVER, INVITE_SERVER) for _, actions in flat(table).values()
    )


def test_timeouts_are_told_to_the_user() -> None:
    """B and F of clients, H of INVITE servers (§17.1.1.2, §17.1.2.2, §17.2.1)."""
    told = {
        (name, event)
        for name, (table, _) in TABLES.items()
        for (_, event), (_, actions) in flat(table).items()
        if Do.TIMED_OUT in actions or Do.NO_ACK in actions
    }
    kinds = {("INVITE client", "B"), ("client", "F"), ("INVITE server", "H")}
    assert told == kinds | {("reliable " + name, timer) for name, timer in kinds}
