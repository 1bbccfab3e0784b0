"""A fixed piece of work, to see how fast the machine is at this moment.

It does what the proxy's code does (slices, dictionaries, joins, calls), so that what slows one slows the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice

from scripts.load.cores import pinned

LINES = tuple(
    f"X-Header-{number}: <sip:user{number}@host{number % 7}.example.net>;tag={number:08x}" for number in range(40)
)
REPEAT = 10
VARIANTS = 512


def text(variant: int) -> bytes:
    """Return a message's worth of lines, of the same length for every variant."""
    lines = (f"X-Header-{n}: <sip:user{n}@host{n % 7}.example.net>;tag={variant:04x}{n:04x}" for n in range(40))
    return "\r\n".join(lines).encode()


# A megabyte and more, gone through in turn: a neighbour who takes cache away slows this as it slows the core.
_TEXTS = cycle([text(variant) for variant in range(VARIANTS)])


def once() -> int:
    """Take some texts apart, sort their lines by name and put them together again."""
    size = 0
    for data in islice(_TEXTS, REPEAT):
        found: dict[bytes, list[bytes]] = {}
        for line in data.split(b"\r\n"):
            name, _colon, value = line.partition(b":")
            found.setdefault(name.lower(), []).append(value.strip())
        size += len(b"\r\n".join(name + b": " + value for name, values in found.items() for value in values))
    return size


def measure(times: int = 3) -> float:
    """Return the microseconds of CPU that the work takes now: the median of so many times."""
    return sorted(timed(once) for _ in range(times))[times // 2]


def timed(work: Callable[[], object]) -> float:
    """Return the microseconds of CPU of this thread that work takes."""
    start = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - start) / 1000


def machine(cores: Sequence[int]) -> float:
    """Return how long the work takes on these cores now."""
    with pinned(cores):
        return measure(9)
