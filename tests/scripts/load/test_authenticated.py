"""Calls with passwords through a real proxy, for a second or two; and that what goes wrong is seen."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scripts.load import authenticated
from scripts.load.authenticated import AuthenticatedTrial
from scripts.load.authenticated_messages import as_file
from scripts.load.authenticated_result import Calls
from scripts.load.looks import CPU, MEMORY
from scripts.load.trial import run
from tests.real.harness import program

QUICK = Calls(rate=50, seconds=2, accounts=20, sources=8, talk=50)


@pytest.fixture(autouse=True)
def _compiler() -> None:
    program("gcc", "build-essential")
    if not Path("/usr/include/openssl/evp.h").exists():
        pytest.skip("the headers of OpenSSL are not installed: apt-get install libssl-dev")


@pytest.mark.parametrize(("algorithm", "reuse"), [("SHA-256", False), ("MD5", True)])
def test_calls(tmp_path: Path, algorithm: str, reuse: bool) -> None:
    """Each is answered, none is lost; challenged is each call, or each phone once, whose nonce goes on to serve."""
    seen: list[str] = []
    load = Calls(rate=50, seconds=2, accounts=20, sources=8, talk=50, algorithm=algorithm, reuse=reuse)
    found = run(AuthenticatedTrial, load, tmp_path, lambda _, words: seen.append(words))
    assert (found.lost, found.failed, found.failing, found.played.leaked) == (0, 0, False, "")
    assert found.played.completed + found.busy == found.played.created == 100
    assert found.played.completed > 50
    if reuse:
        # More only where the machine was so busy that calls came out of order.
        assert 20 <= found.played.challenges <= 30
    else:
        assert found.played.challenges >= found.played.completed
    assert found.played.stale <= 10
    assert found.played.checked >= 3 * found.played.completed
    assert 20 <= found.played.setup_p50 <= found.played.setup_p99 <= found.played.setup_max
    assert found.resident_after > 10_000_000
    assert (found.cpu_us_per_call or 0) > 100
    assert len(seen) == len(found.samples) >= 1
    assert re.fullmatch(r"\d+/100 completed, \d+ refused, 0 lost, \d+ repeated, CPU \d+ %", seen[-1])
    assert found.samples[-1].values["calls/s completed"] > 10
    assert found.samples[-1].values[CPU] > 0
    assert found.samples[-1].values[MEMORY] > 10
    assert "no leaks" in found.text()
    assert json.loads(json.dumps(found.as_json()))["lost"] == 0


def test_a_wrong_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call fails, and is no lost one."""
    monkeypatch.setattr(authenticated, "PASSWORD", "guessed-")
    found = run(AuthenticatedTrial, QUICK, tmp_path)
    assert (found.played.completed, found.lost, found.failing) == (0, 0, True)
    assert found.played.statuses["407"] == found.failed > 50
    assert "407" in found.text()


def test_a_leak_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fire drill: the number that is dialled does arrive."""
    text = as_file()
    monkeypatch.setattr(authenticated, "as_file", lambda: f"{text}+15551234567\n")
    found = run(AuthenticatedTrial, QUICK, tmp_path)
    assert found.leaking
    assert "LEAKS: '+15551234567'" in found.text()
