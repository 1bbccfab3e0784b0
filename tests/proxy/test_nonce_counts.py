"""A count that was used is used up, whatever had to be forgotten."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.nonce_counts import NonceCounts

WALL = 1_000_000


def test_counts_go_up() -> None:
    counts = NonceCounts(WALL, 300)
    used = [counts.use(b"n", b"alice", count, WALL + 1, WALL + 1) for count in (1, 1, 2, 5, 3, 5, 6)]
    assert used == [True, False, True, True, False, False, True]
    assert counts.use(b"m", b"alice", 1, WALL + 1, WALL + 1)


def test_nobody_uses_up_what_is_anothers() -> None:
    """Two accounts of one address with one nonce: neither's counts are the other's, and each of them rises."""
    counts = NonceCounts(WALL, 300)
    assert counts.use(b"n", b"mallory", 2**32 - 1, WALL + 1, WALL + 1)
    used = [counts.use(b"n", b"alice", count, WALL + 1, WALL + 1) for count in (1, 2, 2)]
    assert used == [True, True, False]
    assert not counts.use(b"n", b"mallory", 3, WALL + 1, WALL + 1)


def test_what_is_used_again_outlasts_a_turn() -> None:
    """A nonce that goes from the older half to the younger keeps its count, or has become old."""
    counts = NonceCounts(WALL, 300, most=4)
    assert counts.use(b"n", b"u", 5, WALL + 1, WALL + 1)
    for number in range(9):
        counts.use(b"%d" % number, b"u", 1, WALL + 2 + number, WALL + 12)
        assert counts.floor >= WALL + 1 or not counts.use(b"n", b"u", 5, WALL + 1, WALL + 12)


def test_zero_is_no_count() -> None:
    """nc begins with 1 (RFC 7616 §3.4)."""
    assert not NonceCounts(WALL, 300).use(b"n", b"alice", 0, WALL + 1, WALL + 1)


def test_what_came_before_the_start_is_old() -> None:
    assert NonceCounts(WALL, 300).floor == WALL


def test_a_full_table_makes_old_what_it_forgets() -> None:
    counts = NonceCounts(WALL, 300, most=4)
    for number in range(4):
        assert counts.use(b"%d" % number, b"a", 1, WALL + 1 + number, WALL + 5)
    assert counts.floor == WALL
    assert counts.use(b"4", b"a", 1, WALL + 6, WALL + 6)
    assert counts.floor == WALL + 2
    assert len(counts) == 3


def test_what_has_run_out_is_forgotten_without_a_trace() -> None:
    counts = NonceCounts(WALL, 300)
    counts.use(b"a", b"u", 1, WALL + 1, WALL + 1)
    counts.use(b"b", b"u", 1, WALL + 400, WALL + 400)
    counts.use(b"c", b"u", 1, WALL + 800, WALL + 800)
    assert (len(counts), counts.floor) == (2, WALL)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 3), st.integers(0, 40)), max_size=80))
def test_nothing_is_right_twice(steps: list[tuple[int, int, int]]) -> None:
    """Whatever the order: a count of a nonce that still holds is taken once at most."""
    counts, wall, life = NonceCounts(WALL, 100, most=6), WALL, 100
    issued: dict[int, int] = {}
    taken: set[tuple[int, int]] = set()
    for number, count, pause in steps:
        wall += pause
        made = issued.setdefault(number // 2, max(wall, counts.floor + 1))
        if made <= counts.floor or wall - made > life:
            continue
        if counts.use(b"%d" % (number // 2), b"%d" % (number % 2), count, made, wall):
            assert (number, count) not in taken
            taken.add((number, count))
