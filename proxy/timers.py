"""A timer wheel: starting and cancelling a timer costs an append and an assignment (RFC 3261 §17, table 4).

Time is an argument; nothing here knows a clock. Cancelling a timer lets go of its
owner and leaves the empty shell in its slot until the wheel gets there.
"""

from __future__ import annotations

from math import ceil
from typing import Protocol

TICK = 0.05
"""Seconds between two slots: a tenth of T1, fine enough for the retransmission schedule."""
_ROUNDING = 1e-6
"""What floating point may be off by, in slots."""


class Owner(Protocol):
    """What a timer wakes."""

    def fire(self, name: str, now: float) -> None:
        """Handle the timer called name."""


class Timer:
    """A handle: whom to wake, and with which name."""

    __slots__ = ("name", "owner")

    def __init__(self, owner: Owner, name: str) -> None:
        """Arm the timer."""
        self.owner: Owner | None = owner
        self.name = name


class TimerWheel:
    """All running timers of one core, in slots of TICK seconds."""

    __slots__ = ("_at", "_slots", "_target")

    def __init__(self, now: float) -> None:
        """Start empty at `now` (seconds)."""
        self._slots: dict[int, list[Timer]] = {}
        self._at = self._target = int(now / TICK)

    def start(self, now: float, delay: float, owner: Owner, name: str) -> Timer:
        """Wake owner with name after at least `delay` seconds; return the handle that `cancel` takes."""
        timer = Timer(owner, name)
        # Rounded up: a timer may fire late by a tick, never early.
        slot = ceil((now + delay) / TICK - _ROUNDING)
        if slot <= self._target:
            slot = self._target + 1
        try:
            self._slots[slot].append(timer)
        except KeyError:
            self._slots[slot] = [timer]
        return timer

    def advance(self, now: float) -> None:
        """Fire everything that is due at `now`, slot by slot.

        A timer that an earlier one of the same slot cancels does not fire any more; one started meanwhile
        goes into a later slot. Owners are told the time of the slot, at most a tick before `now`.
        """
        target = int(now / TICK + _ROUNDING)
        self._target = max(self._target, target)
        if target - self._at > len(self._slots):
            # After a suspension, or on a quiet machine: visit the slots that exist.
            due = sorted(slot for slot in self._slots if slot <= target)
        else:
            due = list(range(self._at + 1, target + 1))
        for slot in due:
            self._at = max(self._at, slot)
            # The slot's own time, so that intervals that follow each other do not drift by a tick each.
            at = max(slot * TICK, now - TICK)
            for timer in self._slots.pop(slot, ()):
                owner, timer.owner = timer.owner, None
                if owner is not None:
                    owner.fire(timer.name, at)
        self._at = max(self._at, target)

    def __len__(self) -> int:
        """Return the number of timers in the wheel, cancelled ones included."""
        return sum(map(len, self._slots.values()))


def cancel(timer: Timer | None) -> None:
    """Take a timer back; None and a fired timer are fine."""
    if timer is not None:
        timer.owner = None
