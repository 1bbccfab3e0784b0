"""The calls that are counted: whole ones, and nothing of them is left before the next batch."""

from __future__ import annotations

import pytest

from scripts.benchmark import instructed
from scripts.benchmark.calls import CALL, Step
from scripts.benchmark.core import receive_all
from scripts.benchmark.digest_calls import DIGEST_CALL
from scripts.benchmark.instructed import BATCH, DIGEST, OPEN, PLAIN, RECORDER, play


@pytest.mark.parametrize(
    ("kind", "call"), [(PLAIN, CALL), (DIGEST, (*DIGEST_CALL, *CALL)), (RECORDER, CALL)], ids=[PLAIN, DIGEST, RECORDER]
)
def test_batches_of_whole_calls_are_played(monkeypatch: pytest.MonkeyPatch, kind: str, call: tuple[str, ...]) -> None:
    seen: list[tuple[str, int]] = []
    waiting: list[int] = []

    def receive(step: Step) -> None:
        if step.kind == call[0]:
            waiting.append(len(step.world.core.servers) + len(step.world.core.clients))
        seen.append((step.kind, len(step.messages)))
        receive_all(step)

    monkeypatch.setattr(instructed, "receive_all", receive)
    play(2, kind)
    assert seen == [(kind, BATCH) for kind in call] * 2
    assert waiting == [0, 0]


@pytest.mark.parametrize("kind", [PLAIN, DIGEST, RECORDER])
def test_open_calls_are_those_of_callers_who_ask_for_nothing(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    def asking(of: str) -> int:
        found: list[bytes] = []

        def receive(step: Step) -> None:
            found.extend(each for each in step.messages if b"\r\nPrivacy:" in each)
            receive_all(step)

        monkeypatch.setattr(instructed, "receive_all", receive)
        play(1, of)
        return len(found)

    assert asking(kind) >= BATCH
    assert asking(kind + OPEN) == 0
