"""The calls that are counted: whole ones, and nothing of them is left before the next batch."""

from __future__ import annotations

import pytest

from scripts.benchmark import instructed
from scripts.benchmark.calls import CALL, Step
from scripts.benchmark.core import receive_all
from scripts.benchmark.instructed import BATCH, play


def test_batches_of_whole_calls_are_played(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int]] = []
    waiting: list[int] = []

    def receive(step: Step) -> None:
        if step.kind == CALL[0]:
            waiting.append(len(step.world.core.servers) + len(step.world.core.clients))
        seen.append((step.kind, len(step.messages)))
        receive_all(step)

    monkeypatch.setattr(instructed, "receive_all", receive)
    play(2)
    assert seen == [(kind, BATCH) for kind in CALL] * 2
    assert waiting == [0, 0]
