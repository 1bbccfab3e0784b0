"""Several processes on one machine: the work is shared, and who dies takes no call with it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.agents import read
from tests.real import sipp
from tests.real.agent import Call
from tests.real.desk import Desk
from tests.real.harness import NO_KEYS, PHONE, READY, TRUNK, Address, Lab, Process, Sipveil, free_port, is_bound
from tests.real.harness import wait_for as wait
from tests.real.sipp import PATIENCE, Calls, arguments, towards

PUBLISHED = 0.7
"""Seconds after which the page shows what has happened (tap/worker.py PUBLISH)."""

BURST = 40
"""Calls at once that a phone may begin in a test of that limit."""


@pytest.fixture
def pair(sipveil: Sipveil) -> Sipveil:
    """Return a proxy of two workers, not yet configured."""
    sipveil.workers = 2
    return sipveil


@pytest.fixture(params=["by the kernel", "by hand-over"])
def sorting(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Say who gives datagrams to their workers; what callers write in the compact form, the kernel cannot tell."""
    if request.param == "by hand-over":
        for scenario in sipp.SCENARIOS.glob("*.xml"):
            name = "Call-ID: [call_id]", "i: [call_id]"
            (tmp_path / scenario.name).write_text(scenario.read_text().replace(*name))
        monkeypatch.setattr(sipp, "SCENARIOS", tmp_path)
    return str(request.param)


class Load:
    """SIPp on both sides, straight at the proxy: many phones' ports, one trunk address."""

    def __init__(self, lab: Lab, sipveil: Sipveil) -> None:
        self._lab, self._proxy = lab, sipveil.address
        self._trunk: Address = (TRUNK, free_port(TRUNK))
        sipveil.configure(self._trunk, NO_KEYS)
        sipveil.start()
        self._playing: list[Process] = []

    def answer(self, calls: int) -> None:
        """Let the trunk take so many calls."""
        self._playing.append(
            self._lab.start("trunk", arguments("trunk_call", self._trunk, self._trunk, calls=calls, talk=0))
        )
        wait("SIPp to listen", lambda: is_bound(self._trunk) or None)

    def call(self, calls: int, *, rate: int, talk: int, ports: int) -> None:
        """Place calls from so many ports."""
        local = (PHONE, free_port(PHONE))
        argv = arguments("caller_call", local, self._trunk, calls=calls, talk=talk) + towards(self._proxy, rate)
        argv[1:1] = ["-t", "un", "-max_socket", str(ports)] if ports > 1 else []
        self._playing.append(self._lab.start("phones", argv))

    def expect_success(self) -> None:
        """Assert that all calls have ended as their scenarios say."""
        codes = {process.name: process.wait(PATIENCE + 10) for process in reversed(self._playing)}
        assert set(codes.values()) == {0}
        self._playing.clear()


def children(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that these have started."""
    try:
        direct = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
    return direct + [each for child in direct for each in children(child)]


def workers(sipveil: Sipveil) -> list[int]:
    """Return the workers' process ids: those below the spawner."""
    return children(sipveil.runs[-1].pid)[1:]


def handled(series: dict[str, float]) -> list[float]:
    """Return how many datagrams each worker's core has taken."""

    def of(worker: int, what: str) -> float:
        return series.get(f'sipveil_worker_datagrams_{what}_total{{worker="{worker}"}}', 0)

    return [of(each, "received") + of(each, "taken_over") - of(each, "handed_over") for each in range(2)]


@pytest.mark.parametrize("ports", [64, 1])
def test_the_work_is_shared(lab: Lab, pair: Sipveil, ports: int, sorting: str) -> None:
    """Neither does less than 40 %, with one trunk address, and even where all calls come from one port."""
    load = Load(lab, pair)
    load.answer(160)
    load.call(160, rate=250, talk=100, ports=ports)
    load.expect_success()
    time.sleep(PUBLISHED)
    series = pair.metrics()
    parts = handled(series)
    assert min(parts) >= 0.4 * sum(parts), parts
    assert series['sipveil_calls_total{zone="trunk"}'] == 160
    assert sum(parts) == sum(value for name, value in series.items() if "sipveil_datagrams_received" in name)
    assert not any("datagrams_lost" in name for name in series)
    if "the kernel gives datagrams to their workers" not in pair.runs[-1].output:
        pytest.skip("this kernel takes no program for a group of sockets (SO_ATTACH_REUSEPORT_CBPF)")
    assert any("handed_over" in name for name in series) == (sorting == "by hand-over")


@pytest.mark.parametrize(("caller", "trunk"), [("caller_cancel", "trunk_cancelled"), ("caller_busy", "trunk_busy")])
@pytest.mark.usefixtures("sorting")
def test_cancel_and_refusal_meet_their_transaction(lab: Lab, pair: Sipveil, caller: str, trunk: str) -> None:
    """CANCEL and the ACK of a refusal reach the worker that has the INVITE, whoever reads them."""
    calls = Calls(lab, pair)
    calls.play(caller, trunk)
    calls.expect_private()
    calls.expect_unchanged(487, 486)


@pytest.mark.usefixtures("sorting")
def test_lost_datagrams(lab: Lab, pair: Sipveil) -> None:
    """Retransmissions too: calls complete, and none becomes two."""
    calls = Calls(lab, pair, lossy="phone")
    calls.play("caller_call", "trunk_call", talk=2000)
    calls.expect_unchanged()
    assert calls.transactions()["INVITE"] == 25


@pytest.mark.usefixtures("sorting")
def test_a_worker_is_killed_under_load(lab: Lab, pair: Sipveil) -> None:
    """Calls that are up end as they should, new ones go on, the worker comes back, and no counter goes backwards."""
    load = Load(lab, pair)
    load.answer(90)
    load.call(40, rate=80, talk=2500, ports=40)
    name = 'sipveil_responses_received_total{class="2xx"}'
    wait("all calls to be up", lambda: pair.metrics().get(name, 0) >= 40 or None)
    before, victim = pair.metrics(), workers(pair)[0]
    os.kill(victim, signal.SIGKILL)
    load.call(50, rate=50, talk=200, ports=50)
    load.expect_success()
    time.sleep(PUBLISHED)
    after = pair.metrics()
    counters = {each for each in before if "_total" in each and each.startswith("sipveil_")}
    assert [each for each in counters if after.get(each, 0) < before[each]] == []
    assert after['sipveil_calls_total{zone="trunk"}'] == 90
    assert sum(value for each, value in after.items() if "worker_restarts" in each) == 1
    assert sum(value for each, value in after.items() if "worker_up" in each) == 2
    assert victim not in workers(pair)
    assert "was killed by SIGKILL" in pair.runs[-1].output


def test_each_worker_is_killed_in_a_call(lab: Lab, pair: Sipveil) -> None:
    """Whoever set the call up is gone, and either end still ends it."""
    call = Call(lab, pair)
    call.ring()
    call.answer()
    for victim in workers(pair):
        os.kill(victim, signal.SIGKILL)
    call.exchange("INVITE", by_phone=False)
    for victim in workers(pair):
        os.kill(victim, signal.SIGKILL)
    call.exchange("BYE", by_phone=True)
    call.expect_private_and_unchanged()


def test_the_supervisor_is_killed(lab: Lab, pair: Sipveil) -> None:
    """Nobody is left, and the port is free, so that another can start at once."""
    Load(lab, pair)
    family = children(pair.runs[-1].pid)
    assert len(family) == 3
    pair.kill()
    wait("the others to end", lambda: not any(Path(f"/proc/{pid}").exists() for pid in family) or None, 5)
    assert not is_bound(pair.address)
    pair.start()


def test_the_spawner_is_killed(lab: Lab, pair: Sipveil) -> None:
    """Without it no worker could be started again: all stop, with a reason and an exit code."""
    Load(lab, pair)
    run = pair.runs[-1]
    os.kill(children(run.pid)[0], signal.SIGKILL)
    assert run.wait(READY) == 1
    assert "the spawner has ended" in run.output
    assert not is_bound(pair.address)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop(lab: Lab, pair: Sipveil, number: signal.Signals) -> None:
    """Exit code 0, in time, with everybody, also where a terminal or init system signals all of them."""
    Load(lab, pair)
    run = pair.runs[-1]
    family = children(run.pid)
    for pid in (*family, run.pid):
        os.kill(pid, number)
    assert run.wait(3) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in family)
    assert not is_bound(pair.address)
    assert run.output.count("sipveil is ready") == run.output.count("sipveil has stopped") == 1
    assert "error" not in run.output


def test_a_second_instance_is_refused(lab: Lab, pair: Sipveil) -> None:
    """SO_REUSEPORT among workers lets nobody else in: one sentence, exit code 1, and the first one goes on."""
    Load(lab, pair)
    command: list[str | Path] = [Path(sys.executable).parent / "sipveil", "run", lab.folder / "sipveil.toml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr == f"sipveil: cannot open udp {pair.address[0]}:{pair.address[1]}: Address already in use\n"
    assert len(workers(pair)) == 2


def test_first_answer_within_a_second(lab: Lab, pair: Sipveil) -> None:
    """A phone's OPTIONS, sent again and again from the start on, is answered soon; twice the time on a busy machine."""
    pair.configure((TRUNK, free_port(TRUNK)), NO_KEYS)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((PHONE, 0))
        phone.settimeout(0.02)
        began = time.monotonic()  # noqa: TID251
        process = lab.start("sipveil", [Path(sys.executable).parent / "sipveil", "run", lab.folder / "sipveil.toml"])
        pair.runs.append(process)
        data = (
            f"OPTIONS sip:x@{pair.address[0]} SIP/2.0\r\nVia: SIP/2.0/UDP {PHONE};branch=z9hG4bKx;rport\r\n"
            "Max-Forwards: 0\r\nFrom: <sip:a@example.net>;tag=1\r\nTo: <sip:b@example.net>\r\nCall-ID: x\r\n"
            "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        ).encode()
        answer = b""
        while not answer and time.monotonic() < began + READY:  # noqa: TID251
            phone.sendto(data, pair.address)
            try:
                answer = phone.recv(65535)
            except OSError:
                continue
        took = time.monotonic() - began  # noqa: TID251
    assert answer.startswith(b"SIP/2.0 483 ")
    assert took < 2, f"{took:.2f} s"
    wait("the workers", lambda: "sipveil is ready" in process.output or None)


def test_one_worker_is_one_process(lab: Lab, sipveil: Sipveil) -> None:
    """No supervisor, no child, no series of workers."""
    Load(lab, sipveil)
    assert children(sipveil.runs[-1].pid) == []
    assert not any("sipveil_worker" in each for each in sipveil.metrics())


def test_a_source_may_ask_for_so_much_of_all_workers_together(lab: Lab, pair: Sipveil) -> None:
    """`[guard]`: the kernel spreads the calls of one phone over both, by their Call-IDs."""
    trunk = lab.keep(Desk("trunk", TRUNK, pair.address, b"carrier"))
    phone = lab.keep(Desk("phone", PHONE, pair.address, b"+4930555017342"))
    pair.configure(trunk.address)
    text = pair.config.read_text().replace("source_rate = 1000000", "source_rate = 1")
    pair.config.write_text(text.replace("source_burst = 1000000", f"source_burst = {BURST}"))
    pair.start()
    for number in range(4 * BURST):
        phone.send(phone.agent.invite(call_id=b"%d@phone" % number, branch=b"z9hG4bK%d" % number))
        phone.hear(0.01)
    while phone.hear(0.3):
        pass
    taken = {read(data).call_id for data in phone.received if data.startswith(b"SIP/2.0 100")}
    assert BURST <= len(taken) < 1.5 * BURST
    phone.settle()
    trunk.settle()
