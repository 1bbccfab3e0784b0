"""Counting in fixed windows within bounded memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.rate import RateLimit, part_of


def test_so_many_a_window_are_allowed_for_each_key() -> None:
    """One key's flood does not touch another."""
    limit = RateLimit(2, 60)
    assert [limit.allow(b"a", 0) for _ in range(4)] == [True, True, False, False]
    assert limit.allow(b"b", 59)


def test_a_new_window_begins_anew() -> None:
    """Windows are fixed: second 60 is the next one."""
    limit = RateLimit(1, 60)
    assert limit.allow(b"a", 59)
    assert not limit.allow(b"a", 59)
    assert limit.allow(b"a", 60)


def test_a_clock_that_goes_back_begins_a_window_too() -> None:
    """The wall clock may be set; nobody stays locked out for it."""
    limit = RateLimit(1, 60)
    assert limit.allow(b"a", 600)
    assert limit.allow(b"a", 0)


def test_where_memory_ends_the_answer_is_no() -> None:
    """Fail closed: keys that are remembered go on."""
    limit = RateLimit(2, 60, most=3)
    assert [limit.allow(bytes((key,)), 0) for key in range(5)] == [True, True, True, False, False]
    assert limit.allow(b"\0", 0)
    assert limit.allow(b"\4", 60)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 300)), max_size=60), st.integers(1, 4))
def test_never_more_than_the_limit_in_a_window(events: list[tuple[int, int]], limit: int) -> None:
    """Whatever the order of keys."""
    rate = RateLimit(limit, 60)
    allowed: dict[tuple[int, int], int] = {}
    for key, now in sorted(events, key=lambda event: event[1]):
        if rate.allow(bytes((key,)), now):
            allowed[key, now // 60] = allowed.get((key, now // 60), 0) + 1
    assert all(count <= limit for count in allowed.values())


@pytest.mark.parametrize(
    ("limit", "workers", "least", "part"),
    [(100, 1, 1, 100), (100, 4, 1, 25), (101, 4, 1, 26), (10, 8, 3, 3), (2, 8, 3, 2)],
)
def test_a_worker_has_its_part(limit: int, workers: int, least: int, part: int) -> None:
    """Rounded up, and no less than what few events spread by chance need."""
    assert part_of(limit, workers, least) == part
