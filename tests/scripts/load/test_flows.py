"""Registered flows of a real proxy, a few of them for a second."""

from __future__ import annotations

import json
import re
import resource
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.load import flows
from scripts.load.errors import LoadError
from scripts.load.flows import MOST, PER_HOST, SPARE, FlowsTrial, hosts, room
from scripts.load.flows_result import Flows
from scripts.load.trial import run
from tests.real.harness import program

QUICK = Flows(flows=250, seconds=2.2, keep_alive=0.5, calls=10)
"""Two looks, a second apart, while pongs come."""


@pytest.mark.parametrize(("digest", "tls"), [(True, False), (False, False), (True, True)])
def test_flows(tmp_path: Path, digest: bool, tls: bool) -> None:
    """All register, from more than one address; none is lost, and each that is called answers."""
    if tls:
        program("openssl", "openssl")
    seen: list[str] = []
    load = replace(QUICK, digest=digest, tls=tls, flows=250 if not tls else 50)
    found = run(FlowsTrial, load, tmp_path, lambda _, words: seen.append(words))
    assert (found.registered, found.lost, found.failing, found.leaking) == (load.flows, {}, False, False)
    assert (found.called, found.answered, found.ended, found.refused) == (10, 10, 10, {})
    assert found.pongs >= load.flows
    assert 0 < found.bytes_per_flow < 1_000_000
    assert len(seen) == len(found.samples) >= 1
    assert re.fullmatch(r"\d+ registered, \d+ pongs, 0 lost, \d+ MB, CPU \d+ %", seen[-1])
    assert max(sample.values["registered flows"] for sample in found.samples) == load.flows
    assert max(sample.values["pongs/s"] for sample in found.samples) > 0
    assert f"{load.flows} of {load.flows}" in found.text()
    assert json.loads(json.dumps(found.as_json()))["bytes_per_flow"] > 0


def test_phones_that_nobody_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More from one address than `streams.per_source`: those are lost, and it fails."""
    monkeypatch.setattr(flows, "PER_HOST", 1000)
    found = run(FlowsTrial, replace(QUICK, flows=300, seconds=0, calls=0, digest=False), tmp_path)
    assert found.failing
    assert found.registered == 256
    assert sum(found.lost.values()) == 44


def test_hosts() -> None:
    """No more flows from one than streams.per_source allows."""
    assert hosts(1) == hosts(PER_HOST) == ["127.12.0.1"]
    assert hosts(PER_HOST * 256)[-2:] == ["127.12.0.255", "127.12.1.0"]


def test_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hard limit less a thousand, and no more than 20,000."""
    for hard, wanted in ((5000, 5000 - SPARE), (1 << 20, MOST), (resource.RLIM_INFINITY, MOST), (500, 0)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, hard=hard: (256, hard))
        assert room() == wanted


def test_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said before anything is started."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 5000))
    with pytest.raises(LoadError, match="room for 4000 flows"):
        run(FlowsTrial, Flows(flows=4001), tmp_path)
    assert list(tmp_path.iterdir()) == []
