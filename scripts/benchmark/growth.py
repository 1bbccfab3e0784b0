"""How the cost of a call grows with what its messages hold and with what else goes on, in the process.

Each axis is measured at its points in turn, round after round, so that drift of the machine hits all points alike, and
each point in a core of its own.
"""

from __future__ import annotations

import secrets
import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from scripts.benchmark.calibration import measure, timed
from scripts.benchmark.calls import Line, lines, whole_calls
from scripts.benchmark.core import receive_all
from scripts.benchmark.errors import BenchError
from scripts.benchmark.world import CARRIER, World

BATCH = 40


class Axis(NamedTuple):
    """What is varied."""

    title: str
    unit: str
    points: Sequence[int]
    make: Callable[[int], World]
    """Value → a core to measure in."""
    change: Callable[[bytes, int], bytes]
    """(INVITE, value) → the INVITE to send instead."""
    subscribers: Callable[[int], int] = lambda _value: 1000
    invite_only: bool = False
    """Whether the INVITE alone counts; else the whole call."""


class Curve(NamedTuple):
    """Cost along an axis."""

    title: str
    unit: str
    of: str
    """What the cost is one of: `INVITE` or `call`."""
    micros: Mapping[int, float]
    """Value → median microseconds of CPU."""
    relative: Mapping[int, float]
    """Value → the same in units of the calibration's fixed work."""


def same(invite: bytes, _value: int) -> bytes:
    """Return the INVITE as it is."""
    return invite


def with_size(invite: bytes, value: int) -> bytes:
    """Return an INVITE of about so many bytes: codecs are added to its offer until it is long enough."""
    head, _, body = invite.partition(b"\r\n\r\n")
    number = 96
    while len(head) + len(body) < value:
        body += b"a=rtpmap:%d opus/48000/2\r\na=fmtp:%d useinbandfec=1;maxaveragebitrate=20000\r\n" % (number, number)
        number += 1
    head = head.rpartition(b"Content-Length: ")[0] + b"Content-Length: %d" % len(body)
    return head + b"\r\n\r\n" + body


def with_headers(invite: bytes, value: int) -> bytes:
    """Return an INVITE with so many header lines more, of which the catalogue knows none."""
    more = b"".join(b"X-Vendor-%d: value=%d;colour=grey\r\n" % (n, n) for n in range(value))
    return invite.replace(b"Content-Type:", more + b"Content-Type:", 1)


def with_prefix(invite: bytes, value: int) -> bytes:
    """Return an INVITE whose number leads to one of so many trunks, each with a contract of its own."""
    place = int(invite[invite.index(b"Call-ID: ") + 9 :][:8], 16) % value
    return invite.replace(b"sip:+15551234567", b"sip:9%04d15551234567" % place)


def ordinary(_value: int) -> World:
    """Return a core with nothing in it."""
    return World()


def with_calls(value: int) -> World:
    """Return a core in which so many other calls ring."""
    world = World()
    for line in lines("held", value, 1000):
        world.core.receive(line.say("invite"), world.from_caller, world.now)
        world.sent.clear()
    return world


def with_trunks(value: int) -> World:
    """Return a core with so many trunks, whose contracts differ in categories by the bits of their number."""
    world = World(
        trunks=[{**CARRIER, "name": f"carrier{n}", "privacy": contract(n)} | host(n) for n in range(value)],
        routes=[{"source": "access", "prefix": f"9{n:04d}", "to": [f"carrier{n}"]} for n in range(value)],
    )
    for line in lines("warm", value, 1000):  # every plan is compiled once, and that is no cost of a call
        world.core.receive(with_prefix(line.say("invite"), value), world.from_caller, world.now)
        world.sent.clear()
    return world


def host(number: int) -> dict[str, Any]:
    """Return the address of one of many trunks."""
    return {"hosts": [f"127.0.0.21:{5060 + number}"]}


def contract(number: int) -> dict[str, str]:
    """Return one of 256 contracts."""
    names = ("location", "device", "status", "software", "credentials", "content", "history", "recording")
    return {name: "remove" if number >> bit & 1 else "keep" for bit, name in enumerate(names)}


AXES: Mapping[str, Axis] = {
    "size": Axis("message size", "bytes of the INVITE", (1800, 3000, 6000, 12000, 24000), ordinary, with_size,
                 invite_only=True),
    "headers": Axis("headers", "unknown header lines more in the INVITE", (0, 25, 50, 100, 200), ordinary,
                    with_headers, invite_only=True),
    "policies": Axis("policies", "trunks with different contracts", (1, 4, 16, 64, 256), with_trunks, with_prefix,
                     invite_only=True),
    "subscribers": Axis("subscribers", "different callers", (1, 10, 100, 100_000), ordinary, same, lambda value: value),
    "calls": Axis("calls in flight", "other calls that ring", (0, 100, 1000, 5000), with_calls, same),
}  # fmt: skip


def run(axis: Axis, rounds: int, points: Sequence[int] = (), progress: Callable[[], None] = lambda: None) -> Curve:
    """Measure one axis; the first round warms up and does not count."""
    values = points or axis.points
    worlds = {value: axis.make(value) for value in values}
    code = secrets.token_hex(4)
    micros: dict[int, list[float]] = {value: [] for value in values}
    relative: dict[int, list[float]] = {value: [] for value in values}
    for number in range(rounds + 1):
        for value, world in worlds.items():
            batch = lines(code, BATCH, axis.subscribers(value), number * BATCH)
            unit = measure()
            cost = play(axis, value, world, batch) / BATCH
            if number:
                micros[value].append(cost)
                relative[value].append(cost / ((unit + measure()) / 2))
        progress()
    return Curve(axis.title, axis.unit, "INVITE" if axis.invite_only else "call", medians(micros), medians(relative))


def play(axis: Axis, value: int, world: World, batch: Sequence[Line]) -> float:
    """Return the microseconds of CPU that a batch takes, of those messages that count.

    Raises BenchError when the core does not forward what it gets.
    """
    cost = 0.0
    for step in whole_calls(world, batch):
        if step.kind != "INVITE":
            cost += timed(partial(receive_all, step))
            continue
        changed = step._replace(messages=[axis.change(data, value) for data in step.messages])
        cost += timed(partial(receive_all, changed))
        gone = sum(data.startswith(b"INVITE") for _, data in world.sent)
        if gone != len(batch):
            raise BenchError(f"{axis.title} {value}: of {len(batch)} INVITEs {gone} were forwarded")
        if axis.invite_only:
            break
    return cost


def medians(found: Mapping[int, Sequence[float]]) -> dict[int, float]:
    """Return the median of each list."""
    return {value: statistics.median(each) for value, each in found.items()}
