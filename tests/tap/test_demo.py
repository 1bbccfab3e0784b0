"""The demo as a whole: a real call through the real core."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor

from filters.catalogue import load_catalogue
from proxy.flow import Flow
from tap import demo
from tap.demo_call import Phone, Trunk, Wire
from tap.demo_messages import invite
from tap.demo_view import message_table
from tap.log import logger

reactor: Any = _reactor
SIPVEIL = Path(sys.executable).with_name("sipveil")


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


@pytest_twisted.ensureDeferred
async def test_call_completes_and_no_secret_arrives() -> None:
    """No fault, six messages across, and each edited line of each of them has its reason."""
    outcome = await demo.perform(reactor, logger("test"))
    assert outcome.faults == []
    assert len(outcome.forwarded) == 6
    catalogue = load_catalogue()
    for forwarded in outcome.forwarded:
        table = message_table(1, forwarded, "phone", catalogue)
        marks, whys = (list(table.columns[number].cells) for number in (0, 3))
        assert all(str(why) for mark, why in zip(marks, whys, strict=True) if str(mark).strip())


@pytest_twisted.ensureDeferred
async def test_hanging_call_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trunk that says nothing ends the demo in time."""
    monkeypatch.setattr(demo, "PATIENCE", 0.3)
    monkeypatch.setattr(Trunk, "arrived", lambda self, data, peer: None)
    outcome = await demo.perform(reactor, logger("test"))
    assert outcome.faults[0] == "the call did not complete within 0 s"


@pytest_twisted.ensureDeferred
async def test_faults_of_a_call_that_seemed_to_go_through() -> None:
    """A leak, a missing BYE, an end that raised, and a recorder that tells tales."""
    tape = [Wire("trunk", False, invite())]
    phone, trunk = Phone(reactor, tape, time.monotonic), Trunk(reactor, tape, time.monotonic)
    trunk.methods = ["INVITE"]
    phone.failures.append(ValueError("x"))
    told = demo.Forwarded(b"never sent", b"never received", Flow("UDP", ("", 0), ("", 0)), [])
    found = demo.faults(demo.Outcome(wires=tape, forwarded=[told]), trunk, phone)
    phone.close()
    trunk.close()
    assert "the phone failed: ValueError" in found
    assert "the trunk received INVITE instead of INVITE, ACK, BYE" in found
    assert "the trunk could read: number" in found
    assert "what Sipveil says it forwarded is not what the ends saw" in found


def test_policy_is_that_of_the_example(tmp_path: Path) -> None:
    """Loopback ports instead of the example's; the trunk's contract and the subscribers' default as they are."""
    settings = demo.demo_settings(str(tmp_path), ("127.0.0.1", 40001), ("127.0.0.1", 40002))
    assert str(settings.trunks[0].hosts[0]) == "127.0.0.1:40002"
    assert not settings.trunks[0].trusted
    assert settings.listeners[0].port == 0


@pytest.mark.parametrize(("option", "coloured"), [("--color", True), ("--no-color", False), ("--width=120", False)])
def test_command(option: str, coloured: bool, tmp_path: Path) -> None:
    """`sipveil demo` without a terminal, from any folder: exit code 0, and colour only when it is asked for."""
    done = run(SIPVEIL, "demo", option, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert ("\x1b[" in done.stdout) is coloured
    assert "phone sent" in done.stdout
    assert "trunk received" in done.stdout
    assert "The call completed" in done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_command_fails_when_the_call_does(tmp_path: Path) -> None:
    """Exit code 1: here because the trunk says nothing."""
    code = (
        "import tap.demo_call as c, sys; from tap import demo; demo.PATIENCE = 0.3;"
        "c.Trunk.arrived = lambda *a: None; sys.exit(demo.play(color=None, width=None))"
    )
    done = run(sys.executable, "-c", code, cwd=tmp_path)
    assert done.returncode == 1
    assert "FAULT: the call did not complete" in done.stdout
