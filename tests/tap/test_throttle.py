"""Throttle."""

from __future__ import annotations

from tap.throttle import Throttle


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_so_many_of_each_kind_a_second() -> None:
    """Two of a kind pass, the third waits for the next second; other kinds are not held up."""
    time = Time()
    throttle = Throttle(time, per_second=2)
    assert [throttle.allows("a") for _ in range(3)] == [True, True, False]
    assert throttle.allows("b")
    time.now = 1.0
    assert throttle.allows("a")


def test_says_once_how_many_did_not_pass() -> None:
    """The number is for the next line that is written, and then forgotten."""
    throttle = Throttle(Time(), per_second=1)
    for _ in range(5):
        throttle.allows("a")
    assert throttle.suppressed() == 4
    assert throttle.suppressed() == 0


def test_keys_are_bounded() -> None:
    """Keys beyond the bound count as one, so that memory does not grow with what strangers send."""
    throttle = Throttle(Time(), per_second=1, max_keys=2)
    assert [throttle.allows(key) for key in "abcd"] == [True, True, True, False]
