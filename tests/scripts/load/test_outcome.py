"""What a run has shown, whatever was played."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from scripts.load.looks import Sample
from scripts.load.offered import OfferedCalls
from scripts.load.outcome import Outcome


@dataclass(frozen=True, kw_only=True)
class Rung(Outcome):
    """A scenario in which a bell is rung."""

    scenario = "bell"
    load: OfferedCalls
    times: int

    @property
    def leaking(self) -> bool:
        return False

    @property
    def failing(self) -> bool:
        return self.times == 0

    def head(self) -> str:
        return f"rings for {self.load.ring} ms"

    def rows(self) -> Mapping[str, str]:
        return {"rung": str(self.times)}


RUNG = Rung(load=OfferedCalls(ring=5), samples=(Sample(1.0, {"bells/s": 2.0}),), times=2)


def test_text() -> None:
    assert RUNG.text() == "bell: rings for 5 ms\n  rung  2"


def test_json() -> None:
    """What was offered, what came of it, and how it went."""
    assert json.loads(json.dumps(RUNG.as_json())) == {
        "scenario": "bell", "cores": [[], []], "ring": 5, "talk": 200, "times": 2,
        "samples": [{"at": 1.0, "bells/s": 2.0}],
    }  # fmt: skip
