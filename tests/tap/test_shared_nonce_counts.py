"""One table for several processes: what one has taken nobody takes again, whoever dies or stands still."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap.shared_nonce_counts import SharedNonceCounts

WALL = 1_000_000
PROCESSES = 4
RACES = 1500


def in_a_child(what: Callable[[], object]) -> int:
    """Run something in a process that is forked for it; return its id."""
    pid = os.fork()
    if not pid:
        try:
            what()
        finally:
            os._exit(0)
    return pid


def test_counts_go_up() -> None:
    counts = SharedNonceCounts(WALL)
    used = [counts.use(b"n", b"alice", count, WALL + 1, WALL + 1) for count in (1, 1, 2, 5, 3, 5, 6, 0, 2**32 - 1)]
    assert used == [True, False, True, True, False, False, True, False, True]
    assert counts.use(b"m", b"alice", 1, WALL + 1, WALL + 1)
    assert counts.use(b"n", b"bob", 1, WALL + 1, WALL + 1)
    assert not counts.use(b"o", b"bob", 0, WALL + 1, WALL + 1)


def test_what_came_before_the_start_is_old() -> None:
    counts = SharedNonceCounts(WALL)
    assert counts.floor == WALL
    assert not counts.use(b"n", b"alice", 1, WALL, WALL + 1)


def test_one_process_knows_what_another_has_used() -> None:
    counts = SharedNonceCounts(WALL)
    os.waitpid(in_a_child(lambda: counts.use(b"n", b"alice", 3, WALL + 1, WALL + 1)), 0)
    assert [counts.use(b"n", b"alice", count, WALL + 1, WALL + 1) for count in (1, 3, 4)] == [False, False, True]


def test_of_many_that_race_one_wins() -> None:
    """Several processes use the same counts at the same time, in one bucket that is full most of the time."""
    counts = SharedNonceCounts(WALL, buckets=1, ways=8)
    start, go = os.pipe()
    reader, writer = os.pipe()

    def race() -> None:
        os.read(start, 1)
        for number in range(RACES):
            if counts.use(b"%d" % (number // 3), b"a", 1 + number % 3, WALL + 1 + number // 3, WALL):
                os.write(writer, number.to_bytes(4, "big"))

    children = [in_a_child(race) for _ in range(PROCESSES)]
    os.write(go, b"x" * PROCESSES)
    os.close(writer)
    taken = b""
    while piece := os.read(reader, 65536):
        taken += piece
    for child in children:
        os.waitpid(child, 0)
    numbers = [taken[place : place + 4] for place in range(0, len(taken), 4)]
    assert len(numbers) == len(set(numbers))
    assert len(numbers) > RACES / 10
    for each in (start, go, reader):
        os.close(each)


def keeping(counts: SharedNonceCounts, lock: int) -> int:
    """Return a process that has a lock and does not let go."""
    reader, writer = os.pipe()

    def keep() -> None:
        with counts._locked(lock):
            os.write(writer, b"x")
            signal.pause()

    child = in_a_child(keep)
    os.read(reader, 1)
    os.close(reader)
    os.close(writer)
    return child


@pytest.mark.parametrize("ends", [True, False], ids=["killed", "stopped"])
def test_who_has_a_bucket_and_does_not_let_go(ends: bool) -> None:
    """Nobody waits: what is in its bucket is refused; and a process that is killed has none."""
    counts = SharedNonceCounts(WALL, buckets=1, ways=8)
    child = keeping(counts, 0)
    if not ends:
        assert not counts.use(b"n", b"alice", 1, WALL + 1, WALL + 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert counts.use(b"n", b"alice", 1, WALL + 1, WALL + 1)


def test_a_full_bucket_makes_old_what_it_forgets() -> None:
    """The nonce that was issued first goes, and with it all that are as old, used or not."""
    counts = SharedNonceCounts(WALL, buckets=1, ways=4)
    for number in (2, 1, 3, 4):
        assert counts.use(b"%d" % number, b"a", 1, WALL + number, WALL + 5)
    assert counts.floor == WALL
    assert counts.use(b"5", b"a", 1, WALL + 5, WALL + 5)
    assert counts.floor == WALL + 1
    assert not counts.use(b"1", b"a", 2, WALL + 1, WALL + 5)
    assert counts.use(b"2", b"a", 2, WALL + 2, WALL + 5)


def test_who_is_older_than_all_takes_nobodys_place() -> None:
    counts = SharedNonceCounts(WALL, buckets=1, ways=2)
    assert counts.use(b"8", b"a", 1, WALL + 8, WALL + 9)
    assert counts.use(b"9", b"a", 1, WALL + 9, WALL + 9)
    assert not counts.use(b"7", b"a", 1, WALL + 7, WALL + 9)
    assert counts.floor == WALL


def test_a_clock_that_is_set_back_shuts_nobody_out() -> None:
    """What fills a bucket was issued in what is the future by now: the floor goes there, and new nonces are younger."""
    counts, noon, morning = SharedNonceCounts(WALL, buckets=1, ways=2), WALL + 7200, WALL + 3600
    for number in range(4):
        assert counts.use(b"%d" % number, b"a", 1, noon + number, noon + number)
    told = [counts.use(b"n%d" % turn, b"a", 1, max(morning, counts.floor + 1), morning) for turn in range(4)]
    assert True in told[:2]
    assert counts.floor >= noon + 2
    assert not counts.use(b"0", b"a", 2, noon, morning)


def test_nobody_can_tell_which_bucket_a_nonce_is_for() -> None:
    """Who draws many could else send those of one bucket, and have all that others hold count as old."""
    one, other = SharedNonceCounts(WALL), SharedNonceCounts(WALL)
    for counts in (one, other):
        assert counts.use(b"n", b"a", 1, WALL + 1, WALL + 1)
    assert bytes(one._keys).strip(b"\0") != bytes(other._keys).strip(b"\0")


def test_a_bucket_that_cannot_be_made_room_in_forgets_nothing() -> None:
    """Whoever raises the floor has it to itself; while that one stands still nobody is forgotten."""
    counts = SharedNonceCounts(WALL, buckets=1, ways=1)
    assert counts.use(b"1", b"a", 1, WALL + 1, WALL + 1)
    child = keeping(counts, 1)
    assert not counts.use(b"2", b"a", 1, WALL + 2, WALL + 2)
    assert (counts.floor, counts.use(b"1", b"a", 1, WALL + 1, WALL + 2)) == (WALL, False)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert counts.use(b"2", b"a", 1, WALL + 2, WALL + 2)
    assert counts.floor == WALL + 1


def test_room_as_for_one_process() -> None:
    """As many nonces at once as three minutes of 500 calls a second bring; the floor stays."""
    counts = SharedNonceCounts(WALL)
    for number in range(90_000):
        assert counts.use(b"%d" % number, b"a", 1, WALL + 1 + number // 500, WALL + 180)
    assert counts.floor == WALL
    counts.close()


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 3), st.integers(0, 3)), max_size=80))
def test_nothing_is_right_twice(steps: list[tuple[int, int, int]]) -> None:
    """Whatever the order, and however long a nonce holds by then: each count of it is taken once at most."""
    counts, wall = SharedNonceCounts(WALL, buckets=2, ways=2), WALL
    issued: dict[int, int] = {}
    taken: set[tuple[int, int]] = set()
    for number, count, pause in steps:
        wall += pause
        made = issued.setdefault(number // 2, max(wall, counts.floor + 1))
        if counts.use(b"%d" % (number // 2), b"%d" % (number % 2), count, made, wall):
            assert (number, count) not in taken
            taken.add((number, count))
    counts.close()
