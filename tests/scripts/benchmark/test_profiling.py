"""Own time by stage."""

from __future__ import annotations

import pytest

from scripts.benchmark import profiling
from scripts.benchmark.calls import CALL
from scripts.benchmark.profiling import OTHER, TOTAL, attribute, short, stage_of
from scripts.load.proxy import ROOT

OURS = (str(ROOT / "proxy/parse.py"), 1, "parse")
OTHERS = (str(ROOT / "proxy/record.py"), 1, "encode")
ENUM = ("/usr/lib/python3.11/enum.py", 9, "__call__")
JOIN = ("~", 0, "<method 'join' of 'bytes' objects>")


@pytest.mark.parametrize(
    ("file", "stage"),
    [
        ("proxy/parse.py", "parse"),
        ("proxy/handle_ack.py", "transaction"),
        ("proxy/policy.py", "decision"),
        ("filters/policy.py", "decision"),
        ("filters/sdp.py", "plan"),
        ("proxy/forward_response.py", "serialise"),
        ("proxy/quite_new.py", OTHER),
    ],
)
def test_every_file_has_one_stage(file: str, stage: str) -> None:
    assert stage_of(str(ROOT / file)) == stage


def test_short_names() -> None:
    assert short(str(ROOT / "proxy/uri.py")) == "proxy/uri.py"
    assert short("/usr/lib/python3.11/enum.py") == "python3.11/enum.py"


def test_foreign_time_belongs_to_our_callers() -> None:
    """What join took inside of enum goes up to whoever of ours called enum, in the shares of their calls."""
    stats = {
        OURS: (1, 1, 1.0, 2.0, {}),
        OTHERS: (1, 1, 2.0, 3.0, {}),
        ENUM: (4, 4, 0.4, 1.2, {OURS: (1, 1, 0.1, 0.3), OTHERS: (3, 3, 0.3, 0.9)}),
        JOIN: (4, 4, 0.8, 0.8, {ENUM: (4, 4, 0.8, 0.8)}),
    }
    found = attribute(stats)
    assert found == pytest.approx({OURS: 1.3, OTHERS: 2.9})


def test_a_short_run() -> None:
    """Every message's stages add up to what it takes without the profiler."""
    found = profiling.run(calls=4, batch=2, top=3)
    assert tuple(found.stages) == CALL
    for stages in found.stages.values():
        parts = sum(micros for stage, micros in stages.items() if stage != TOTAL)
        assert parts == pytest.approx(stages[TOTAL])
    assert all(len(functions) == 3 for functions in found.functions.values())
