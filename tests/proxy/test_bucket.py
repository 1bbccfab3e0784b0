"""So many at once, and then so many a second."""

from __future__ import annotations

from proxy.bucket import Bucket


def test_what_is_there_goes_at_once_and_then_as_it_comes() -> None:
    bucket = Bucket(3, 0.0)
    assert [bucket.take(2, 3, 0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(2, 3, 1.0) for _ in range(3)] == [True, True, False]


def test_it_holds_no_more_than_most() -> None:
    bucket = Bucket(3, 0.0)
    assert [bucket.take(2, 3, 1000.0) for _ in range(4)] == [True, True, True, False]


def test_half_a_token_is_none_and_is_not_lost() -> None:
    bucket = Bucket(0, 0.0)
    assert not bucket.take(1, 3, 0.5)
    assert bucket.take(1, 3, 1.0)


def test_a_look_takes_nothing() -> None:
    bucket = Bucket(1, 0.0)
    assert not bucket.is_dry(1, 0.0)
    assert bucket.take(1, 1, 0.0)
    assert bucket.is_dry(1, 0.5)
    assert not bucket.is_dry(1, 1.0)
