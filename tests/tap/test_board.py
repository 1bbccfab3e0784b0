"""Memory that processes share."""

from __future__ import annotations

import os

import pytest

from tap.board import Board


def test_rows_are_apart() -> None:
    """Each worker writes its own; what was never written is 0."""
    board = Board(3, 2)
    board.write(1, [1.5, 2**53])
    assert [board.read(worker) for worker in range(3)] == [[0, 0], [1.5, 2**53], [0, 0]]
    board.clear(1)
    assert board.read(1) == [0, 0]
    board.close()


def test_a_row_has_its_width() -> None:
    """A row of another width would run into the next one's."""
    board = Board(2, 2)
    with pytest.raises(ValueError, match="width"):
        board.write(0, [1, 2, 3])
    board.close()


def test_what_a_process_wrote_outlives_it() -> None:
    """Whatever it died of."""
    board = Board(1, 1)
    pid = os.fork()
    if not pid:
        board.write(0, [42])
        os._exit(0)
    os.waitpid(pid, 0)
    assert board.read(0) == [42]
    board.close()
