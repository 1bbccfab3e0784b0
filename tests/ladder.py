"""Tests that read as ladders: `>>` is what Sipveil receives, `<<` what it must send, in order.

    assert (
        Ladder()
        >> ALICE.invite()
        << Sent(ALICE, 100)
        << Sent(CARRIER, b"INVITE")
    )

A step that needs an earlier message is a function of the ladder: `>> (lambda l: CARRIER.answer(l[b"INVITE"], 200))`.
`ladder[what]` is the last message sent with that method or status. In the end nothing may be left over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.agents import Agent, Packet
from tests.world import World

What = bytes | int


@dataclass(frozen=True)
class Sent:
    """A message that Sipveil must send: to whom, and its method or status."""

    to: Agent
    what: What


@dataclass(frozen=True)
class Wait:
    """Time that passes."""

    seconds: float


class Silence:
    """Nothing may have been sent."""


class Restart:
    """kill -9 and start again: same settings and keys, nothing else."""


Step = Packet | Wait | Restart | Callable[["Ladder"], Packet]


class Ladder:
    """A world, and the messages that it has sent and nobody has looked at."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.left: list[tuple[tuple[str, int], bytes]] = []
        self.seen: dict[What, bytes] = {}

    def __rshift__(self, step: Step) -> Ladder:
        if isinstance(step, Wait):
            self.left += self.world.wait(step.seconds)
        elif isinstance(step, Restart):
            self.world.new_core()
        else:
            packet = step if isinstance(step, Packet) else step(self)
            self.left += self.world.receive(*packet)
        return self

    def __lshift__(self, expected: Sent | Silence) -> Ladder:
        if isinstance(expected, Silence):
            assert not self.left, f"silence expected, sent: {self._shown()}"
            return self
        assert self.left, f"{expected} expected, nothing sent"
        address, data = self.left.pop(0)
        what = kind(data)
        assert (address, what) == (expected.to.address, expected.what), f"{expected} expected, sent {address} {data!r}"
        self.seen[what] = data
        return self

    def __getitem__(self, what: What) -> bytes:
        return self.seen[what]

    def __bool__(self) -> bool:
        assert not self.left, f"left over: {self._shown()}"
        return True

    def _shown(self) -> str:
        return "\n".join(f"{address} {data.decode('utf-8', 'replace')}" for address, data in self.left)


def kind(data: bytes) -> What:
    """Return the method of a request, or the status of a response."""
    first, second, _ = data.split(b" ", 2)
    return int(second) if first == b"SIP/2.0" else first
