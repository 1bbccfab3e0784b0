"""A short run in the process; never a time, only that everything is measured."""

from __future__ import annotations

import pytest

from scripts.benchmark import core
from scripts.benchmark.calls import CALL, KINDS
from scripts.benchmark.core import TIMERS, WHOLE, Options, Sample, total
from scripts.benchmark.stages import STAGES
from scripts.benchmark.world import World


def test_everything_is_measured() -> None:
    ticks: list[None] = []
    found = core.run(Options(rounds=2, batch=3, subscribers=2), lambda: ticks.append(None))
    assert set(found.of) | set(found.missing) == {*KINDS, TIMERS, WHOLE, *STAGES}
    assert {len(samples) for samples in found.of.values()} == {2}
    assert all(sample.micros > 0 for kind in CALL for sample in found.of[kind])
    assert len(ticks) == 3


def test_total_of_samples() -> None:
    assert total([Sample(1.0, 0.1), Sample(2.0, 0.2)]) == pytest.approx((3.0, 0.3))


def test_a_stage_whose_names_are_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(world: World) -> object:
        raise AttributeError("no attribute 'plan'")

    monkeypatch.setattr(core, "STAGES", {"plan": gone, "nothing": lambda world: lambda: None})
    ready, missing = core.ready_stages(World())
    assert list(ready) == ["nothing"]
    assert missing == {"plan": "AttributeError: no attribute 'plan'"}
