"""The calls that `instructions` counts: run by valgrind, as a program of its own.

It stands outside of the tree's ordinary path so that another checkout's core can be put under the same calls.
"""

from __future__ import annotations

import gc
import sys

from scripts.benchmark import CORE
from scripts.benchmark.calls import lines, whole_calls
from scripts.benchmark.core import LINGER, receive_all
from scripts.benchmark.world import World

PLAIN, DIGEST, RECORDER = "plain", "digest", "recorder"
"""Calls as they are; of phones that have to prove who they are; ordinary ones where recording is configured."""

BATCH = 50
"""Calls in flight at once, and different callers: all that repeats from call to call is known after the first batch."""


OPEN = "-open"
"""Behind a kind: of callers who do not ask for privacy; all others do, for themselves in each call."""
WISH = b"Privacy: id\r\n"


def play(batches: int, kind: str = PLAIN) -> None:
    """Let a core carry so many batches of calls of a kind, and time pass until nothing of them is left."""
    wish = WISH if kind.endswith(OPEN) else b""
    kind = kind.removesuffix(OPEN)
    world, calls = World(), whole_calls
    # Not before it is wanted: the tree that is measured may be older.
    if kind == DIGEST:
        from scripts.benchmark.digest_calls import digest_calls, digest_world  # noqa: PLC0415

        world, calls = digest_world(BATCH), digest_calls
    elif kind == RECORDER:
        from scripts.benchmark.world import recorder_world  # noqa: PLC0415

        world = recorder_world()
    for number in range(batches):
        for step in calls(world, lines("abcd1234", BATCH, BATCH, number * BATCH)):
            receive_all(step._replace(messages=[each.replace(wish, b"") for each in step.messages]) if wish else step)
        world.wait(LINGER)
        world.sent.clear()


if __name__ == "__main__":
    gc.disable()  # when it looks hangs on what was made before, not on the calls
    play(int(sys.argv[-1]), *sys.argv[1:-1])
    print(CORE)
