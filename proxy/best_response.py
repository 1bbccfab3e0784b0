"""Which of several final responses goes back (RFC 3261 §16.7 item 6): of a request's branches, of a branch's targets.

A branch that fails over has had several answers when its last target fails. What a target has said counts before what
we only suppose of one that was silent or could not be reached; among the latter the last one counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from proxy.crossing import Crossing
    from proxy.forking import Answer
    from proxy.message import Message

#: Finals among 4xx that tell the caller how to go on (§16.7 item 6).
_PREFERRED = (401, 407, 415, 420, 484)


class Tried(NamedTuple):
    """How one target of a branch has failed."""

    status: int
    response: Message | None
    """None where we answer in its place."""
    answer: Answer
    """What our answer says then."""
    crossing: Crossing
    """By which the response is edited: it is of that target's side."""


def rank(status: int, *, is_ours: bool) -> tuple[int, int, int]:
    """Order final responses, the best being the least: 6xx first, else the lowest class.

    In a class what tells the caller how to go on comes first, and then what somebody has said (`is_ours`: nobody has).
    """
    if status >= 600:
        return (0, 0, status)
    return (status // 100, 0 if status in _PREFERRED else 1, 1 if is_ours else 0)


def better(one: Tried | None, other: Tried) -> Tried:
    """Return the better of two; the later one, `other`, of equals."""
    return one if one is not None and _order(one) < _order(other) else other


def _order(tried: Tried) -> tuple[bool, tuple[int, int, int]]:
    supposed = tried.response is None and tried.status in (408, 503)
    if supposed:
        return True, (0, 0, 0)
    return False, rank(tried.status, is_ours=tried.response is None)
