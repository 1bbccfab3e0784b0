"""A timer wheel: starting and cancelling a timer costs an append and an assignment (RFC 3261 §17, table 4).

Time is an argument; nothing here knows a clock. A cancelled timer leaves its slot at once: most are cancelled long
before they are due, and timer C would otherwise stay for three minutes after each call.
"""

from __future__ import annotations

from math import ceil
from typing import Any, Protocol

from config.settings import Timers

TICK = 0.05
"""Seconds between two slots: a tenth of T1, fine enough for the retransmission schedule."""
_ROUNDING = 1e-6
"""What floating point may be off by, in slots."""


class Intervals:
    """T1, T2, T4 and timer C of the running settings, in seconds; compiled code asks pydantic for each by its name."""

    __slots__ = ("t1", "t2", "t4", "timer_c")

    def __init__(self, timers: Timers) -> None:
        """Take them from the settings."""
        self.t1 = timers.t1
        self.t2 = timers.t2
        self.t4 = timers.t4
        self.timer_c = timers.timer_c


class Owner(Protocol):
    """What a timer wakes."""

    def fire(self, name: str, now: float) -> None:
        """Handle the timer called name."""


class Timer:
    """A handle: whom to wake, and with which name."""

    __slots__ = ("name", "owner", "slot")

    def __init__(self, owner: Owner, name: str, slot: dict[Timer, None]) -> None:
        """Arm the timer, and stand in a slot."""
        self.owner: Owner | None = owner
        self.name = name
        self.slot = slot
        slot[self] = None


class _Lingering:
    """What ends at one time by timers of one name."""

    __slots__ = ("keys", "table")

    def __init__(self, table: dict[bytes, Any]) -> None:
        self.table = table
        self.keys: list[bytes] = []


class TimerWheel:
    """All running timers of one core, in slots of TICK seconds."""

    __slots__ = ("_at", "_lingering", "_slots", "_target")

    def __init__(self, now: float) -> None:
        """Start empty at `now` (seconds)."""
        self._slots: dict[int, dict[Timer, None]] = {}
        self._lingering: dict[int, dict[str, _Lingering]] = {}
        self._at = self._target = int(now / TICK)

    def start(self, now: float, delay: float, owner: Owner, name: str) -> Timer:
        """Wake owner with name after at least `delay` seconds; return the handle that `cancel` takes."""
        slot = self._slot(now + delay)
        there = self._slots.get(slot)
        if there is None:
            there = self._slots[slot] = {}
        return Timer(owner, name, there)

    def linger(self, now: float, delay: float, table: dict[bytes, Any], key: bytes, name: str) -> None:
        """Take what then stands in `table` under `key` out of it after at least `delay` seconds, and wake it with name.

        Nobody can take this back, and nobody else takes such an entry out. It takes eight bytes, for the many
        transactions that do nothing but wait for their end, and keeps nothing alive: what stands there now may give
        way to something smaller. All timers of one name belong to one table.
        """
        slot = self._slot(now + delay)
        there = self._lingering.get(slot)
        if there is None:
            there = self._lingering[slot] = {}
        lingering = there.get(name)
        if lingering is None:
            lingering = there[name] = _Lingering(table)
        lingering.keys.append(key)

    def _slot(self, at: float) -> int:
        """Return the slot for a time, rounded up: a timer may fire late by a tick, never early."""
        slot = ceil(at / TICK - _ROUNDING)
        return slot if slot > self._target else self._target + 1

    def advance(self, now: float) -> None:
        """Fire everything that is due at `now`, slot by slot.

        A timer that an earlier one of the same slot cancels does not fire any more; one started meanwhile
        goes into a later slot. Owners are told the time of the slot, at most a tick before `now`.
        """
        target = int(now / TICK + _ROUNDING)
        self._target = max(self._target, target)
        if target - self._at > len(self._slots) + len(self._lingering):
            # After a suspension, or on a quiet machine: visit the slots that exist.
            due = sorted(slot for slot in {*self._slots, *self._lingering} if slot <= target)
        else:
            due = list(range(self._at + 1, target + 1))
        for slot in due:
            self._at = max(self._at, slot)
            # The slot's own time, so that intervals that follow each other do not drift by a tick each.
            at = max(slot * TICK, now - TICK)
            timers = self._slots.pop(slot, None)
            if timers:
                for timer in list(timers):
                    owner, timer.owner = timer.owner, None
                    if owner is not None:
                        owner.fire(timer.name, at)
                timers.clear()  # each refers to the slot: else they would keep each other alive
            for name, lingering in self._lingering.pop(slot, {}).items():
                table = lingering.table
                for key in lingering.keys:
                    ended: Owner | None = table.pop(key, None)
                    if ended is not None:
                        ended.fire(name, at)
        self._at = max(self._at, target)

    def __len__(self) -> int:
        """Return the number of timers that are running."""
        lingering = sum(len(each.keys) for names in self._lingering.values() for each in names.values())
        return sum(map(len, self._slots.values())) + lingering


def cancel(timer: Timer | None) -> None:
    """Take a timer back; None and a fired timer are fine."""
    if timer is not None and timer.owner is not None:
        timer.owner = None
        slot = timer.slot
        slot.pop(timer, None)
        if not slot:
            slot.clear()  # a dictionary keeps the room of what it held: for timer C, two kilobytes a tick for 180 s
