"""Twenty minutes of a group of three in virtual time: one dead, one swallows everything, and both come back."""

from __future__ import annotations

import pytest

from proxy.outages import PROBE_FOR, SILENT_FOR
from tests.agents import ALICE, CARRIER, SECOND, Agent
from tests.ladder import kind
from tests.proxy.test_groups import MEMBERS, world
from tests.world import World

EVERY = 2.0
"""Seconds between two calls."""
FAILOVER = 5.0


class Day:
    """Calls at a steady rate to a group whose members answer, or do not."""

    def __init__(self, there: World) -> None:
        self.world = there
        self.silent: set[Agent] = set()
        self.waits: list[float] = []
        """For each call, seconds until it was answered."""
        self._agents = {agent.address: agent for agent in MEMBERS.values()}
        self._began: dict[bytes, float] = {}
        self._seen = 0

    def run(self, seconds: float) -> list[float]:
        """Let time pass; return how long the calls of it waited."""
        first, until = len(self.waits), self.world.now + seconds
        while self.world.now < until:
            number = b"%d" % len(self._began)
            self._began[number] = self.world.now
            invite = ALICE.invite(branch=b"z9hG4bK" + number, call_id=number + b"@x", tag=b"t" + number)
            self.world.receive(*invite)
            for _ in range(int(EVERY / 0.05)):
                self._answer()
                self.world.wait(0.05)
        return self.waits[first:]

    def _answer(self) -> None:
        """Let the members answer what reached them, and note what reached the phone."""
        while self._seen < len(self.world.sent):
            address, data = self.world.sent[self._seen]
            self._seen += 1
            agent = self._agents.get(address)
            if agent is not None and agent not in self.silent and kind(data) in (b"INVITE", b"OPTIONS"):
                self.world.receive(*agent.answer(data, 200))
            elif address == ALICE.address and kind(data) != 100:
                assert kind(data) == 200, "a lost call"
                number = data.partition(b"Call-ID: ")[2].partition(b"@")[0]
                self.waits.append(self.world.now - self._began[number])


@pytest.mark.parametrize("probes", [False, True])
def test_no_call_is_lost_and_few_wait(probes: bool) -> None:
    """One call waits `failover` when silence begins; then one each time that somebody has to find out, or none."""
    health = {"health": {"options": 10.0}} if probes else {}
    there = world(*({"trunk": name} for name in MEMBERS), trunks=dict.fromkeys(MEMBERS, health))
    day = Day(there)
    assert max(day.run(60)) < 0.2
    there.refuse_send.add(CARRIER.address)
    day.silent.add(SECOND)
    waits = day.run(600)
    assert max(waits) <= FAILOVER + 0.2
    slow = sum(wait > 1 for wait in waits)
    assert slow <= (3 if probes else 3 + 600 / SILENT_FOR), slow
    there.refuse_send.clear()
    day.silent.clear()
    day.run(SILENT_FOR + PROBE_FOR)
    assert max(day.run(60)) < 0.2
    assert not there.core.outages.marks, "both are back"
    assert len(day.waits) == len(day._began)
    assert there.count("failovers", "timeout") == slow
