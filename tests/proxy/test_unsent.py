"""What is raised where nothing can leave."""

from __future__ import annotations

from proxy.forking import STANDARD, Answer
from proxy.unsent import Unsent


def test_it_tells_what_the_sender_is_told() -> None:
    """Status and answer; by default nothing besides the standard phrase."""
    assert (Unsent(480).status, Unsent(480).answer) == (480, STANDARD)
    answer = Answer(b"Why", (b"X: y",))
    assert Unsent(513, answer).answer == answer
