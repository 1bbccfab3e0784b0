"""The timer wheel: never early, at most a tick late, nothing lost (RFC 3261 table 4)."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Timers
from proxy.timers import TICK, Intervals, Timer, TimerWheel, cancel


class Diary:
    """Notes what fired when, and may start or cancel others meanwhile."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, float]] = []

    def fire(self, name: str, now: float) -> None:
        self.entries.append((name, now))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.entries]


def run(wheel: TimerWheel, start: float, end: float) -> None:
    """Advance in ticks as the shell does."""
    ticks = round((end - start) / TICK)
    for step in range(1, ticks + 1):
        wheel.advance(start + step * TICK)


@given(st.floats(0, 1e6), st.lists(st.floats(0, 70), min_size=1, max_size=20))
def test_a_timer_fires_once_and_within_two_ticks_after_its_time(now: float, delays: list[float]) -> None:
    """Late by scheduling, never early: a retransmission before its time would be a flood."""
    wheel, diary = TimerWheel(now), Diary()
    for nth, delay in enumerate(delays):
        wheel.start(now, delay, diary, str(nth))
    run(wheel, now, now + 72)
    assert sorted(diary.names) == sorted(str(nth) for nth in range(len(delays)))
    for name, fired in diary.entries:
        late = fired - now - delays[int(name)]
        assert -1e-6 <= late <= 2 * TICK + 1e-6
    assert len(wheel) == 0


def test_timers_fire_in_the_order_of_their_times() -> None:
    """Also when the wheel was not turned for long: after a suspension, or on a quiet machine."""
    for steps in (1, 100):
        wheel, diary = TimerWheel(0), Diary()
        for name, delay in (("d", 30), ("a", 0.1), ("c", 5), ("b", 1)):
            wheel.start(0, delay, diary, name)
        for step in range(steps):
            wheel.advance(40 * (step + 1) / steps)
        assert diary.names == ["a", "b", "c", "d"]


def test_a_cancelled_timer_does_not_fire() -> None:
    """Cancelling twice, after firing, or nothing at all is fine."""
    wheel, diary = TimerWheel(0), Diary()
    timer = wheel.start(0, 1, diary, "A")
    fired = wheel.start(0, 0.1, diary, "B")
    cancel(timer)
    cancel(timer)
    cancel(None)
    wheel.advance(2)
    cancel(fired)
    assert diary.names == ["B"]
    assert timer.owner is None


def test_cancelled_timers_leave_no_room_behind() -> None:
    """Each call sets timer C three minutes ahead and cancels it: until then its slot would keep what it once took."""
    wheel, diary = TimerWheel(0), Diary()
    timers = [wheel.start(0, 180, diary, "C") for _ in range(1000)]
    for timer in timers:
        cancel(timer)
    assert sys.getsizeof(timers[0].slot) == sys.getsizeof({})
    again = wheel.start(0, 180, diary, "again")
    assert again.slot is timers[0].slot
    wheel.advance(181)
    assert diary.names == ["again"]


def test_what_lingers_is_taken_out_of_its_table_and_told() -> None:
    """Whatever stands there by then; and where nothing does, nothing happens."""
    wheel, before, after = TimerWheel(0), Diary(), Diary()
    table = {b"a": before, b"b": before, b"c": before}
    for key in (b"a", b"b", b"gone"):
        wheel.linger(0, 32, table, key, "L")
    table[b"a"] = after
    assert len(wheel) == 3
    run(wheel, 0, 31.9)
    assert len(table) == 3
    run(wheel, 31.9, 32.1)
    assert list(table) == [b"c"]
    assert (before.names, after.names, len(wheel)) == (["L"], ["L"], 0)


def test_a_timer_that_another_of_its_slot_cancels_does_not_fire() -> None:
    """A final response at the same tick as a timeout."""
    wheel, diary = TimerWheel(0), Diary()
    timers: list[Timer] = []

    class Canceller:
        def fire(self, name: str, now: float) -> None:
            cancel(timers[0])

    wheel.start(0, 1, Canceller(), "first")
    timers.append(wheel.start(0, 1, diary, "second"))
    wheel.advance(2)
    assert diary.names == []


def test_a_timer_that_starts_itself_again_does_not_loop() -> None:
    """Even with no delay it waits for a later slot."""
    wheel, diary = TimerWheel(0), Diary()

    class Again:
        def fire(self, name: str, now: float) -> None:
            diary.fire(name, now)
            wheel.start(now, 0, self, name)

    wheel.start(0, 0, Again(), "x")
    for step in range(1, 11):
        wheel.advance(step * TICK + 0.001)
    assert 5 <= len(diary.entries) <= 10


def test_a_timer_that_is_started_late_still_fires() -> None:
    """A message whose time stamp is behind the wheel's."""
    wheel, diary = TimerWheel(0), Diary()
    wheel.advance(100)
    wheel.start(50, 1, diary, "x")
    wheel.advance(100 + 2 * TICK)
    assert diary.names == ["x"]


def test_time_that_goes_back_is_no_harm() -> None:
    """Nothing fires twice or is lost."""
    wheel, diary = TimerWheel(100), Diary()
    wheel.start(100, 1, diary, "x")
    wheel.advance(90)
    wheel.advance(100.5)
    assert diary.names == []
    wheel.advance(102)
    wheel.advance(95)
    wheel.advance(103)
    assert diary.names == ["x"]


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_the_wheel_tells_how_many_it_holds(count: int) -> None:
    """Cancelled ones included, until their slot comes."""
    wheel, diary = TimerWheel(0), Diary()
    timers = [wheel.start(0, nth / 100, diary, "x") for nth in range(count)]
    assert len(wheel) == count
    for timer in timers:
        cancel(timer)
    wheel.advance(count)
    assert len(wheel) == 0
    assert diary.entries == []


def test_an_owner_that_raises_does_not_lose_the_timers_behind_it() -> None:
    """A mistake of ours ends one transaction, not all that are due later."""

    class Broken:
        def fire(self, name: str, now: float) -> None:
            raise RuntimeError(name)

    wheel, diary = TimerWheel(0), Diary()
    wheel.start(0, 1, Broken(), "broken")
    wheel.start(0, 1.5, diary, "x")
    wheel.start(0, 1.7, diary, "y")
    with pytest.raises(RuntimeError):
        wheel.advance(2)
    wheel.advance(2)
    assert diary.names == ["x", "y"]


def test_intervals_that_follow_each_other_do_not_drift() -> None:
    """Timer E of an unanswered request ends 32 s after eleven copies: a tick of delay each would cost one."""
    wheel, fired = TimerWheel(0.03), list[float]()

    class Repeating:
        def fire(self, name: str, now: float) -> None:
            fired.append(now)
            wheel.start(now, 0.5, self, name)

    wheel.start(0.03, 0.5, Repeating(), "E")
    for step in range(1, 2001):
        wheel.advance(0.03 + step * 0.0507)
    assert len(fired) >= (0.0507 * 2000 - 0.2) // 0.5


def test_intervals_are_those_of_the_settings() -> None:
    """All of table 4 that can be set, and timer C."""
    timers = Timers(t1=1, t2=8, t4=10, timer_c=200)
    taken = Intervals(timers)
    assert {name: getattr(taken, name) for name in Timers.model_fields} == timers.model_dump()
