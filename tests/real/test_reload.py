"""Reloads under load, one process and two workers: no call fails, nothing is sent twice."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.real import sipp
from tests.real.harness import PHONE, Lab, Sipveil, now
from tests.real.harness import wait_for as wait
from tests.real.test_workers import PUBLISHED, Load, workers

CALLS = 400
RATE = 50
"""Calls a second; scripts/loadtest --reload-every shows what more is like."""
RELOADS = 8
PAUSE = 0.25
"""Seconds between two reloads."""
LONG = (
    b"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.11;branch=z9hG4bKlong;rport\r\nMax-Forwards: 0\r\n"
    b"From: <sip:a@example.net>;tag=1\r\nTo: <sip:b@example.net>\r\nCall-ID: long\r\nCSeq: 1 OPTIONS\r\n"
    b"X-Long: %b\r\nContent-Length: 0\r\n\r\n"
) % (b"x" * 1300)
CALLED = 'sipveil_calls_total{zone="trunk"}'
OK = 'sipveil_reloads_total{result="ok"}'
UNHURRIED = """
[overload]
enabled = false

[timers]
t1 = 4.0
"""


@pytest.fixture
def unhurried(sipveil: Sipveil, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sipveil:
    """Return a proxy in a world where nobody repeats for four seconds: what is repeated was lost, not late.

    A busy machine is late by half a second now and then, reload or not, and a proxy that is late refuses calls.
    """
    sipveil.sections = UNHURRIED
    scenarios = tmp_path / "scenarios"
    scenarios.mkdir()
    for scenario in sipp.SCENARIOS.glob("*.xml"):
        (scenarios / scenario.name).write_text(scenario.read_text().replace('retrans="500"', 'retrans="4000"'))
    monkeypatch.setattr(sipp, "SCENARIOS", scenarios)
    return sipveil


def hang_up_repeatedly(sipveil: Sipveil, times: int) -> None:
    """Send SIGHUP, wait for what came of it, and again."""
    for number in range(1, times + 1):
        sipveil.runs[-1].signal(signal.SIGHUP)
        text = f": generation {number + 1}, hash"
        wait("the reload", lambda text=text: text in sipveil.runs[-1].output or None)  # type: ignore[misc]
        time.sleep(PAUSE)


@pytest.mark.parametrize("count", [1, 2])
def test_reloads_under_load(lab: Lab, unhurried: Sipveil, count: int) -> None:
    """Every call ends as its scenario says, and nobody had to repeat anything."""
    sipveil = unhurried
    sipveil.workers = count
    load = Load(lab, sipveil)
    load.answer(CALLS)
    load.call(CALLS, rate=RATE, talk=100, ports=64)
    wait("the first calls", lambda: sipveil.metrics().get(CALLED) or None)
    began = now()
    hang_up_repeatedly(sipveil, RELOADS)
    took = now() - began
    load.expect_success()
    wait("workers to have told of all calls", lambda: sipveil.metrics()[CALLED] == CALLS or None)
    time.sleep(PUBLISHED)  # and of how they ended
    series = sipveil.metrics()
    assert series[OK] == RELOADS
    assert series["sipveil_configuration_generation"] == RELOADS + 1
    lost = {name: value for name, value in series.items() if value and ("absorbed" in name or "kernel_drops" in name
            or "overload_refused_total" in name or "datagrams_lost" in name or "sipveil_failures" in name)}  # fmt: skip
    assert lost == {}, f"{RELOADS} reloads in {took:.1f} s"


def test_a_worker_that_dies_comes_back_with_the_new_one(lab: Lab, sipveil: Sipveil) -> None:
    """What is on disk by then is another, broken one."""
    sipveil.workers = 2
    Load(lab, sipveil)
    config = Path(lab.folder / "sipveil.toml")
    config.write_text(config.read_text() + "\n[limits]\nmessage = 1300\n")
    hang_up_repeatedly(sipveil, 1)
    config.write_text("broken")
    for victim in workers(sipveil):
        os.kill(victim, signal.SIGKILL)
    wait(
        "the workers",
        lambda: (sipveil.metrics().get("sipveil_worker_restarts_total", 2) and len(workers(sipveil)) == 2) or None,
    )
    run = sipveil.runs[-1]
    wait("the workers", lambda: "workers ready: 2 of 2" in run.output or None)
    run.signal(signal.SIGHUP)
    wait("the refusal", lambda: "not reloaded: generation 2" in run.output or None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((PHONE, 0))
        phone.settimeout(5)
        phone.sendto(LONG, sipveil.address)
        assert phone.recv(65535).startswith(b"SIP/2.0 513 ")
