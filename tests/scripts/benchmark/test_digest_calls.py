"""Calls of phones with passwords for a core without sockets."""

from __future__ import annotations

import pytest

from scripts.benchmark.calls import CALL, lines
from scripts.benchmark.core import receive_all
from scripts.benchmark.digest_calls import DIGEST_CALL, digest_calls, digest_world
from scripts.benchmark.errors import BenchError
from scripts.benchmark.world import World


def test_a_call_is_asked_once_and_then_as_any_other() -> None:
    world, kinds = digest_world(2), []
    for step in digest_calls(world, lines("r", 3, 2)):
        assert len(step.messages) == len(set(step.messages)) == 3
        kinds.append(step.kind)
        receive_all(step)
    assert tuple(kinds) == (*DIGEST_CALL, *CALL)
    outcomes = world.core.counters.values
    assert (outcomes["authentications", "challenged"], outcomes["authentications", "accepted"]) == (3, 3)
    world.wait(40)
    assert not any(world.core.gauges().values())


def test_a_core_that_asks_nobody_is_no_measurement() -> None:
    steps = digest_calls(World(), lines("r", 1, 1))
    receive_all(next(steps))
    with pytest.raises(BenchError, match="407: 1 went in, 0 came out"):
        next(steps)
