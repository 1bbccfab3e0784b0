"""A short real comparison; never a time, only that all do the job."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.benchmark import peers
from scripts.benchmark.contenders import KAMAILIO, NULL, SIPVEIL, Contender, ends
from scripts.benchmark.errors import BenchError
from scripts.benchmark.generator import Generator, Load
from scripts.benchmark.peers import Plan, Turn, busy, compare, loads, settle, warm_up
from scripts.load.account import Account
from scripts.load.cores import available, share
from scripts.load.proxy import Proxy
from tests.real.harness import program


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "WARM", Load(calls=20, window=5))


def test_two_loads() -> None:
    found = loads(1000, 5)
    assert [load.rate for load in found.values()] == [1000, 0]
    assert list(loads(0, 5)) == ["saturated"]
    assert list(loads(50, 5, saturated=False)) == ["50 calls/s"]


@pytest.mark.parametrize("rival", [NULL, KAMAILIO], ids=["null", "kamailio"])
def test_compared(tmp_path: Path, rival: Contender) -> None:
    """Each is measured in each round; every call completes, and with Kamailio as with us nothing leaks."""
    program("gcc", "build-essential")
    if rival is KAMAILIO:
        program("kamailio", "kamailio")
    told: list[Turn] = []
    plan = Plan([SIPVEIL, rival], {"few": Load(calls=60, window=5)}, 2, share(available()))
    turns = compare(plan, tmp_path, told.append)
    assert turns == told
    assert [(turn.contender, turn.round) for turn in turns] == [
        ("sipveil", 0), (rival.name, 0), (rival.name, 1), ("sipveil", 1),
    ]  # fmt: skip
    for turn in turns:
        assert (turn.played.completed, turn.played.failed, turn.failed) == (60, 0, 0.0)
        assert turn.played.checked >= 60
        assert turn.played.leaks == (turn.played.checked if turn.contender == "null" else 0)
        assert turn.cpu > 0
        assert turn.resident > 0


def test_a_proxy_that_leaks_is_no_peer(tmp_path: Path) -> None:
    """What it saves by not doing the job would be taken for speed."""
    program("gcc", "build-essential")
    plan = Plan([NULL._replace(name="other")], {}, 1, share(available()))
    with pytest.raises(BenchError, match="lets the trunk see 'Liddell'"):
        compare(plan, tmp_path, lambda turn: None)


def test_a_proxy_that_completes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program("gcc", "build-essential")
    monkeypatch.setattr(peers, "WARM", Load(calls=1, patience=0.1))
    where = ends()
    other = ends()
    with NULL.start(tmp_path, other, ()) as proxy, pytest.raises(BenchError, match="null completes no call"):
        warm_up("null", proxy, Generator(tmp_path, where.caller, where.trunk))


def test_still_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that goes on with an earlier load would disturb the next measurement."""
    clock = iter(range(0, 10_000_000_000, 1_000_000))
    monkeypatch.setattr(peers, "account", lambda *pids: Account({1: float(next(clock))}, 0))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    proxies: dict[str, Proxy] = {}
    with pytest.raises(BenchError, match="still busy"):
        settle(proxies, 1.0)


def test_core_time() -> None:
    assert busy(sorted(available())[:1]) > 0
    assert busy(()) == 0
