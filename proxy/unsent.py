"""What is raised where a request cannot be finished."""

from __future__ import annotations

from proxy.forking import STANDARD, Answer


class Unsent(Exception):  # noqa: N818
    """A request could not be finished; nothing of it left.

    Args:
        status: what the sender is told.
        answer: what the answer says besides.
    """

    def __init__(self, status: int, answer: Answer = STANDARD) -> None:
        """Keep what the answer needs."""
        super().__init__(str(status))
        self.status = status
        self.answer = answer
