"""A group of three trunks, one killed and one swallowing, through a real proxy in a few seconds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scripts.load import trunk_group
from scripts.load.trial import run
from scripts.load.trunk_group import GroupTrial
from scripts.load.trunk_group_result import MARGIN, Group

QUICK = Group(rate=40, seconds=12, failover=1, talk=200)


def test_no_call_is_lost(tmp_path: Path) -> None:
    """What was first sent to a trunk that is gone is set up within the failover time; soon nothing goes there."""
    seen: list[str] = []
    found = run(GroupTrial, QUICK, tmp_path, lambda _, words: seen.append(words))
    assert (found.lost, found.failing, found.leaking) == ([], False, False), found.text()
    assert found.calls == 480
    assert found.answered + len([each for each in found.failures if each.state in ("called", "rang")]) == 480
    assert found.answered > 200
    assert found.delayed > 0
    assert 0.5 < found.longest_beyond < QUICK.failover + MARGIN
    assert all(at is not None and at < 2 * QUICK.failover + MARGIN for at in found.detection.values()), found.text()
    assert all(number > 10 for number in found.by_trunk.values()), found.text()
    assert len(seen) == len(found.samples) >= 9
    assert re.fullmatch(r"\d+/\d+ ended, \d+ without an answer yet, CPU \d+ %", seen[0])
    assert max(sample.values["longest set-up, s"] for sample in found.samples) > 0.5
    assert "lost               0" in found.text()
    assert json.loads(json.dumps(found.as_json()))["lost"] == 0


def test_a_lost_call_is_told_with_its_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fire drill: a group of one trunk has no other to turn to while that is dead."""
    monkeypatch.setattr(trunk_group, "MEMBERS", ("first",))
    monkeypatch.setattr(trunk_group, "PATIENCE", 0.0)
    found = run(GroupTrial, Group(rate=20, seconds=8, failover=1, talk=100), tmp_path)
    assert found.failing
    assert found.lost
    early = found.lost[0]
    assert 1.2 < early.at < 5
    assert early.status == 408
    assert early.state in ("called", "rang"), "it rings when the trunk is back, and the caller is gone by then"
    assert f"call {early.call} at {early.at:.2f} s: {early.state}, 408" in found.text()
