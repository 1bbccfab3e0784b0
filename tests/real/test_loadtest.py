"""scripts/loadtest with real SIPp: every scenario for a moment, and that it notices leaks, refusals and deaths."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.load.addresses import PHONE, PROXY, TRUNK, Address, free, is_bound
from scripts.load.canaries import CALLER, CALLER_AGENT, CALLER_CONTACT, CALLER_HEADERS, CALLER_OFFER, CANARIES, planted
from scripts.load.errors import LoadError
from scripts.load.proxy import ROOT, Proxy
from scripts.load.run import Load, Snapshot, drive, run
from scripts.load.scenario import SCENARIOS
from tests.real.harness import Lab, program
from tests.real.relay import Relay

QUICK = Load(rate=50, calls=15, talk=20, ring=10)
MESSAGES = {"rich": 3, "plain": 3, "messages": 2, "cancel": 3, "busy": 2, "reinvite": 7, "trunk-bye": 3}
"""How many messages the trunk gets of a call."""


@pytest.fixture(autouse=True)
def _sipp() -> None:
    program("sipp", "sip-tester")


class Standing:
    """A proxy under test that this process plays itself."""

    pid = 0

    def __init__(self, address: Address) -> None:
        self.address = address

    def check(self) -> None:
        """It runs as long as the test does."""


class Refuser(Standing):
    """Answers every INVITE with 503."""

    def __init__(self) -> None:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind((PROXY, 0))
        super().__init__(self._sock.getsockname())
        self.sources: Counter[Address] = Counter()
        self.acks = 0
        self.together = 1
        """How many INVITEs have to come before any is answered."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", self.address)
        self._thread.join(10)
        self._sock.close()

    def _run(self) -> None:
        waiting: list[tuple[bytes, Address]] = []
        while data := self._sock.recvfrom(65535):
            message, source = data
            if not message:
                return
            if message.startswith(b"ACK"):
                self.acks += 1
                continue
            self.sources[source] += 1
            kept = [line for line in message.split(b"\r\n")[1:] if line[:2] in (b"Vi", b"Fr", b"To", b"Ca", b"CS")]
            answer = [b"SIP/2.0 503 Service Unavailable", *kept, b"Retry-After: 1", b"Content-Length: 0", b"", b""]
            waiting.append((b"\r\n".join(answer), source))
            if sum(self.sources.values()) >= self.together:
                for each in waiting:
                    self._sock.sendto(*each)
                waiting.clear()


@pytest.fixture
def refuser() -> Iterator[Refuser]:
    made = Refuser()
    yield made
    made.close()


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(tmp_path: Path, name: str) -> None:
    """All calls go as written, every message at the trunk is searched, and nothing is found."""
    seen: list[Snapshot] = []
    result = run(SCENARIOS[name], QUICK, tmp_path, seen.append)
    assert (result.failed, result.reasons, result.surprise) == (0, {}, None)
    assert (result.completed, result.refused) == (QUICK.calls, 0)
    assert result.leaks == []
    assert result.searched >= MESSAGES[name] * QUICK.calls
    assert 0 < result.searched_decoded <= result.searched
    assert 10 < result.achieved < 100
    assert result.set_up_ms["max"] is not None
    assert 100 < (result.cpu_us_per_call or 0) < 1_000_000
    assert result.resident_after > 10_000_000
    assert result.ring_ms == (10 if SCENARIOS[name].rings else 0)
    assert seen


@pytest.mark.parametrize("workers", [1, 2])
def test_reloads(tmp_path: Path, workers: int) -> None:
    """Every call is answered and no datagram lost while plans change under them; test_reload.py counts repetitions."""
    load = Load(rate=100, calls=800, talk=100, ring=10, workers=workers, reload_every=0.2)
    result = run(SCENARIOS["rich"], load, tmp_path)
    assert (result.failed, result.reasons, result.surprise) == (0, {}, None)
    assert (result.completed + result.refused, result.dropped, result.leaks) == (load.calls, 0, [])
    assert result.completed > load.calls / 2
    assert result.reloads is not None
    assert result.reloads.refused == []
    assert result.reloads.made >= 5
    assert 0 < result.reloads.longest_ms < 10_000
    assert max(result.reloads.gap_ms, result.reloads.other_gap_ms) > 2


def test_a_reload_that_is_refused_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the proxy's reason; the calls go on."""
    monkeypatch.setattr("scripts.load.run.RELOADED", 'number = "whispered"')
    result = run(SCENARIOS["plain"], Load(rate=50, calls=100, talk=20, ring=10, reload_every=0.1), tmp_path)
    assert (result.failed, result.completed) == (0, 100)
    assert result.reloads is not None
    assert "whispered" in result.reloads.refused[0]


def test_everything_that_is_planted_is_found(lab: Lab, tmp_path: Path) -> None:
    """A forwarder that changes nothing: each value of a call arrives, and each in the messages that have it."""
    trunk = free(TRUNK)
    relay = lab.keep(Relay("nothing", PROXY, trunk))
    result = drive(SCENARIOS["rich"], QUICK, Standing(relay.inner), trunk, tmp_path)
    assert result.failed == 0
    places = {leak.place for leak in result.leaks}
    assert places == set(CANARIES) - {"address that the proxy sees"}  # SIPp's Via does not say it
    in_bye = {leak.place for leak in result.leaks if leak.message == "BYE"}
    assert in_bye == set(planted(CALLER, CALLER_AGENT)) | {"Call-ID", "Call-ID host", "Via host"}
    in_invite = {leak.place: leak.messages for leak in result.leaks if leak.message == "INVITE"}
    assert set(in_invite) >= set(planted(CALLER, CALLER_CONTACT, CALLER_HEADERS, CALLER_OFFER))
    assert min(in_invite.values()) >= QUICK.calls


def test_a_proxy_that_keeps_too_much_is_reported(tmp_path: Path) -> None:
    """By the command: exit status 1, and the place, the message and the number of times."""
    command = "--rate 50 --calls 10 --talk 20 --keep device --json"
    done = subprocess.run(
        [ROOT / "scripts/loadtest", *command.split(), "-"],
        check=False, capture_output=True, text=True, cwd=tmp_path, env=None,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    read = json.loads(done.stdout)
    assert read["leaking"] is True
    (found,) = read["runs"]
    assert found["completed"] == 10
    assert {"place": "MAC", "message": "INVITE", "messages": 10} in found["leaks"]
    assert set(found["set_up_ms"]) == {"p50", "p90", "p99", "max"}
    assert list(tmp_path.iterdir()) == []


def test_refused_calls_are_not_failed_ones(refuser: Refuser, tmp_path: Path) -> None:
    """503 ends a call properly; the calls come from as many addresses as were asked for."""
    load = Load(rate=100, calls=40, sources=4)
    result = drive(SCENARIOS["rich"], load, refuser, free(TRUNK), tmp_path)
    assert (result.completed, result.refused, result.failed) == (0, 40, 0)
    assert result.cpu_us_per_call is None
    assert refuser.acks == 40
    assert sorted(refuser.sources.values()) == [10] * 4


def test_ports(refuser: Refuser, tmp_path: Path) -> None:
    """Of one address, and as many at a time as were asked for: none of these calls ends before all have begun."""
    refuser.together = 40
    result = drive(SCENARIOS["rich"], Load(rate=200, calls=40, ports=8), refuser, free(TRUNK), tmp_path)
    assert result.refused == 40
    assert sorted(refuser.sources.values()) == [5] * 8
    assert {host for host, _ in refuser.sources} == {PHONE}


def test_a_proxy_that_dies_is_told(tmp_path: Path) -> None:
    """With the last that it said; and nothing goes on running."""
    address, trunk = free(PROXY), free(TRUNK)
    code = f"import socket; s = socket.socket(2, 2); s.bind({address}); s.recv(9); raise SystemExit('out of steam')"
    with (
        Proxy([sys.executable, "-c", code], address, tmp_path, ready=lambda: is_bound(address)) as proxy,
        pytest.raises(LoadError, match="ended with 1; the last it said: out of steam"),
    ):
        drive(SCENARIOS["rich"], QUICK, proxy, trunk, tmp_path)
    assert not is_bound(trunk)
