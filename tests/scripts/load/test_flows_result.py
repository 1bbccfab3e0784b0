"""What registered connections have shown."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from scripts.load.flows_result import Flowing, Flows

TIMES: dict[str, float | None] = {"p50": 1.0, "max": 2.0}
FOUND = Flowing(
    load=Flows(flows=100, seconds=3, keep_alive=0.5, calls=10), wanted=100, registered=100, registering_seconds=2.0,
    register_ms=TIMES, register_cpu_us=400.0, resident_before=60 << 20, resident_after=(60 << 20) + 100 * 7168,
    held_cpu_percent=4.2, pongs=600, pong_ms=TIMES, lost={}, called=10, answered=10, ended=10, refused={}, samples=(),
)  # fmt: skip


@pytest.mark.parametrize(
    "found",
    [
        replace(FOUND, lost={"closed": 1}),
        replace(FOUND, registered=99),
        replace(FOUND, answered=9),
        replace(FOUND, ended=9),
    ],
    ids=["lost", "not registered", "not answered", "not ended"],
)
def test_failing(found: Flowing) -> None:
    assert found.failing
    assert not FOUND.failing
    assert not FOUND.leaking


def test_text() -> None:
    text = replace(FOUND, lost={"closed": 1}, refused={486: 2}).text()
    assert text.startswith("flows: 100 over TCP, digest, a ping every 0.5 s for 3 s\n")
    assert "100 of 100, 50/s, 400 µs of CPU each" in text
    assert "7.0 KiB (60.0 MB before, 60.7 after)" in text
    assert "600 answered, ms: p50 1.0, max 2.0" in text
    assert "1 (closed 1)" in text
    assert text.endswith("10, answered 10, ended 10 (486 2)")
    assert "over TLS, no passwords" in replace(FOUND, load=Flows(tls=True, digest=False)).text()


def test_json() -> None:
    read = json.loads(json.dumps(FOUND.as_json()))
    assert (read["scenario"], read["flows"], read["bytes_per_flow"]) == ("flows", 100, 7168)
