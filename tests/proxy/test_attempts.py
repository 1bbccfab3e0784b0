"""Wrong answers count where they came from, for a while, and within bounds."""

from __future__ import annotations

from proxy.attempts import MAX_NAME, WINDOW, Attempts, Sender

WALL = 1_200_000
HERE = Sender(b"10.1.1.23", b"10.1.1.23:5060")
NEXT_DOOR = Sender(b"10.1.1.23", b"10.1.1.23:5070")
THERE = Sender(b"10.1.1.24", b"10.1.1.24:5060")


def guess(attempts: Attempts, times: int, sender: Sender = HERE, name: bytes = b"alice", wall: int = WALL) -> None:
    for _ in range(times):
        attempts.failed(sender, name, wall)


def test_a_pair_is_blocked_and_nobody_else() -> None:
    attempts = Attempts(3, 100)
    guess(attempts, 3)
    assert attempts.blocks(HERE, b"alice", WALL)
    assert attempts.blocks(NEXT_DOOR, b"alice", WALL)
    assert not attempts.blocks(HERE, b"bob", WALL)
    assert not attempts.blocks(THERE, b"alice", WALL)


def test_it_passes() -> None:
    attempts = Attempts(3, 100)
    guess(attempts, 3)
    assert not attempts.blocks(HERE, b"alice", WALL + WINDOW)
    guess(attempts, 1, wall=WALL + WINDOW)
    assert not attempts.blocks(HERE, b"alice", WALL + WINDOW)


def test_a_source_is_blocked_for_all_accounts() -> None:
    attempts = Attempts(3, 5)
    for name in (b"a", b"b", b"c", b"d", b"e"):
        guess(attempts, 1, name=name)
    assert attempts.blocks(HERE, b"f", WALL)
    assert not attempts.blocks(THERE, b"f", WALL)


def test_where_it_was_proved_others_do_not_count() -> None:
    """And one's own wrong answers count by themselves."""
    attempts = Attempts(3, 5)
    attempts.proved(HERE, b"alice")
    guess(attempts, 10, NEXT_DOOR)
    assert attempts.blocks(NEXT_DOOR, b"alice", WALL)
    assert not attempts.blocks(HERE, b"alice", WALL)
    assert attempts.blocks(HERE, b"bob", WALL)
    guess(attempts, 3, HERE)
    assert attempts.blocks(HERE, b"alice", WALL)
    assert not attempts.blocks(HERE, b"alice", WALL + WINDOW)


def test_what_is_remembered_is_bounded() -> None:
    attempts = Attempts(1, 1, most=10)
    for number in range(100):
        sender = Sender(b"10.0.0.%d" % number, b"10.0.0.%d:1" % number)
        guess(attempts, 1, sender, b"n" * 1000)
        attempts.proved(sender, b"m" * 1000)
    assert len(attempts) <= 20
    assert attempts.blocks(sender, b"n" * MAX_NAME + b"other", WALL)
