"""Where branches wait for look-ups: bounded, and each ticket works once (design.md §5)."""

from __future__ import annotations

from collections.abc import Sequence

from proxy.location import Place, plain
from proxy.parking import ROOM_FOR_HELP, Parking


def nothing(places: Sequence[Place], now: float) -> None:
    """Wait for nothing."""


def test_a_ticket_gives_back_what_waits_once() -> None:
    """A late or repeated answer of the resolver finds nothing."""
    parking = Parking(2)
    found: list[Place] = []
    ticket = parking.put(lambda places, now: found.extend(places))
    assert ticket is not None
    taken = parking.take(ticket)
    assert taken is not None
    taken(plain(["192.0.2.1"]), 0)
    assert parking.take(ticket) is None
    assert parking.take(999) is None
    assert found == [*plain(["192.0.2.1"])]


def test_a_full_place_takes_no_more() -> None:
    """`limits.parked` bounds what a flood of names may use."""
    parking = Parking(2)
    tickets = [parking.put(nothing) for _ in range(3)]
    assert tickets[2] is None
    assert len(parking) == 2
    assert tickets[0] is not None
    parking.take(tickets[0])
    assert parking.put(nothing) is not None


def test_what_is_urgent_finds_room_but_not_without_end() -> None:
    parking = Parking(1)
    for _ in range(1 + ROOM_FOR_HELP):
        assert parking.put(nothing, urgent=True) is not None
    assert parking.put(nothing, urgent=True) is None
    assert parking.put(nothing) is None


def test_no_ticket_is_given_twice() -> None:
    """Else a late answer would wake another branch."""
    parking = Parking(1)
    seen = set()
    for _ in range(100):
        ticket = parking.put(nothing)
        assert ticket is not None
        assert ticket not in seen
        seen.add(ticket)
        parking.take(ticket)
