"""Two workers' shells in one process, on one running reactor, and what is a worker's share."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor
from twisted.internet.task import deferLater

from config.settings import Settings
from proxy.core import Core
from proxy.flow import Flow
from proxy.matching import owner
from proxy.sinks import Sinks
from tap import worker as module
from tap.equipment import Equipment
from tap.registration_feed import PATIENCE
from tap.worker import WorkerShell, core_maker, share, work
from tests.tap.fakes import CONFIG, FakeCore, StoppedClocks, settings_of
from tests.tap.test_service import NoSinks

reactor: Any = _reactor
PAIR = "workers = 2\n" + CONFIG


class Bench:
    """Equipment, two workers, and a phone."""

    def __init__(self, folder: Path, text: str = PAIR, *, begin: bool = True) -> None:
        self.clocks = StoppedClocks()
        self.equipment = Equipment(settings_of(folder, text))
        self.equipment.open()
        self.equipment.prepare(1_790_000_000.0)
        self.cores: list[FakeCore] = []
        self.ready: list[int] = []
        self.shells = [
            WorkerShell(reactor, self.equipment, worker, self._make, clocks=self.clocks, ready=self._note(worker))
            for worker in range(2)
        ]
        for shell in self.shells if begin else ():
            shell.start()
        self.phone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.phone.bind(("127.0.0.1", 0))

    def _note(self, worker: int) -> Callable[[], None]:
        return lambda: self.ready.append(worker)

    def _make(self, settings: Settings, sinks: Sinks) -> FakeCore:
        self.cores.append(FakeCore(settings, sinks))
        return self.cores[-1]

    async def close(self) -> None:
        for shell in self.shells:
            await shell.stop()
        self.equipment.close()
        self.phone.close()


@pytest_twisted.ensureDeferred
async def test_whoever_reads_a_datagram_its_owner_gets_it(tmp_path: Path) -> None:
    """With its flow, and once. One port, and a form that the kernel cannot tell: it gives all to one worker."""
    bench = Bench(tmp_path)
    listener = bench.equipment.settings.listeners[0]
    sent = [b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP x\r\ni: %d\r\n\r\n" % number for number in range(20)]
    for data in sent:
        bench.phone.sendto(data, (listener.address, listener.port))
    for _ in range(200):
        if sum(len(core.received) for core in bench.cores) == len(sent):
            break
        await deferLater(reactor, 0.01)
    for worker, core in enumerate(bench.cores):
        assert sorted(data for data, _ in core.received) == sorted(data for data in sent if owner(data, 2) == worker)
        assert {flow.peer for _, flow in core.received} == {bench.phone.getsockname()}
        assert {flow.local for _, flow in core.received} == {(listener.address, listener.port)}
    assert bench.ready == [0, 1]
    for shell in bench.shells:
        shell.publish()
    rows = bench.equipment.ledger.rows()
    handed = sum(row[-5] for row in rows)
    assert handed == sum(row[-4] for row in rows)
    assert handed in {len(core.received) for core in bench.cores}
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_the_last_numbers_stay_on_the_board(tmp_path: Path) -> None:
    """A worker that stops has counted to the end."""
    bench = Bench(tmp_path)
    bench.cores[1].counters.add("requests_received", "BYE")
    before = sum(bench.equipment.ledger.rows()[1])
    await bench.close()
    assert sum(bench.equipment.ledger.rows()[1]) >= before + 1


def test_limits_for_all_calls_are_shared(tmp_path: Path) -> None:
    """Rounded up; those for one message or one peer are not."""
    settings = settings_of(tmp_path, "workers = 3\n" + CONFIG + "\n[limits]\ntransactions = 1000\nparked = 1\n")
    shared = share(settings).limits
    assert (shared.transactions, shared.parked) == (334, 1)
    assert shared.headers == settings.limits.headers


def test_a_core_knows_its_number(tmp_path: Path) -> None:
    """Its branches carry it."""
    equipment = Equipment(settings_of(tmp_path, PAIR))
    equipment.open()
    equipment.prepare(1_790_000_000.0)
    core = core_maker(equipment, 1, StoppedClocks())(equipment.settings, NoSinks())
    assert isinstance(core, Core)
    assert core.worker == 1
    equipment.close()


def test_work_in_a_process_of_its_own(tmp_path: Path) -> None:
    """It says that it is ready, and ends with 0 when the lifeline does: by a reactor that is not the parent's."""
    equipment = Equipment(settings_of(tmp_path, PAIR))
    equipment.open()
    equipment.prepare(1_790_000_000.0)
    lifeline, far = socket.socketpair()
    news, announcing = socket.socketpair()
    news.settimeout(10)
    pid = os.fork()
    if not pid:
        lifeline.close()
        os._exit(work(equipment, 1, far.detach(), announcing.detach()))
    far.close()
    assert news.recv(10) == b"\1"
    lifeline.close()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == os.EX_OK
    for sock in (news, announcing):
        sock.close()
    equipment.close()


def test_a_worker_that_cannot_start_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exit code; the text of what was raised is not written."""

    def explode() -> None:
        raise ValueError("sip:+15550142@example.net")

    monkeypatch.setattr(module, "fresh_reactor", explode)
    equipment = Equipment(settings_of(tmp_path, PAIR))
    assert work(equipment, 0, -1, -1) == os.EX_SOFTWARE


# --- connections and registrations

STREAMS = PAIR.replace(
    "[access]", '[[listeners]]\nname = "tcp"\naddress = "127.0.0.1"\nport = 0\ntransport = "tcp"\n\n[access]', 1
)
REGISTRAR = '[registrar]\ndomains = ["example.net"]\nunauthenticated = true\n'


async def until(met: Callable[[], object]) -> None:
    for _ in range(300):
        if met():
            return
        await deferLater(reactor, 0.01)
    pytest.fail("waited in vain")


def request(number: int) -> bytes:
    return b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP x\r\nCall-ID: %d\r\nContent-Length: 0\r\n\r\n" % number


@pytest_twisted.ensureDeferred
async def test_a_connection_is_for_all_workers(tmp_path: Path) -> None:
    """Its messages meet their owners, and any worker sends over it; where it is gone, whoever sent hears so."""
    bench = Bench(tmp_path, STREAMS)
    listener = bench.equipment.settings.listeners[1]
    with socket.create_connection((listener.address, listener.port)) as phone:
        phone.setblocking(False)
        sent = [request(number) for number in range(20)]
        phone.sendall(b"".join(sent))
        await until(lambda: sum(len(core.received) for core in bench.cores) == len(sent))
        for worker, core in enumerate(bench.cores):
            assert [data for data, _ in core.received] == [data for data in sent if owner(data, 2) == worker]
        (flow,) = {flow for core in bench.cores for _, flow in core.received}
        assert flow.peer == phone.getsockname()
        has, other = flow.connection >> 32, 1 - (flow.connection >> 32)
        for worker in range(2):
            assert bench.shells[worker].send(flow, b"from %d" % worker)
        await until(lambda: _readable(phone, 12))
        assert sorted((phone.recv(6), phone.recv(6))) == [b"from 0", b"from 1"]
    await until(lambda: all(core.ended for core in bench.cores))
    assert [core.ended for core in bench.cores] == [[flow], [flow]]
    branch = b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=z9hG4bK%cxxxxxxxxxxxx.l\r\n\r\n" % b"ab"[other]
    assert bench.shells[other].send(flow, branch), "handed over"
    assert not bench.shells[has].send(flow, branch)
    await until(lambda: bench.cores[other].lost)
    assert bench.cores[other].lost == [(flow, branch)]
    assert (flow, branch) not in bench.cores[has].lost
    await bench.close()


def _readable(sock: socket.socket, size: int) -> bool:
    try:
        return len(sock.recv(size, socket.MSG_PEEK)) == size
    except BlockingIOError:
        return False


@pytest_twisted.ensureDeferred
async def test_what_a_full_inbox_does_not_take_is_answered(tmp_path: Path) -> None:
    """By the worker that has read it: over a connection nothing is repeated."""
    bench = Bench(tmp_path, STREAMS)
    await until(lambda: bench.ready == [0, 1])
    for shell in bench.shells:
        reactor.removeReader(shell._inbox)
    for inbox in bench.equipment.inboxes:
        with suppress(BlockingIOError):
            while True:
                inbox.writer.send(b"x" * 1000)
    listener = bench.equipment.settings.listeners[1]
    with socket.create_connection((listener.address, listener.port)) as phone:
        phone.sendall(b"".join(map(request, range(20))))
        await until(lambda: sum(len(core.received) + len(core.refused) for core in bench.cores) == 20)
    assert any(core.refused for core in bench.cores)
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_offers_and_beginnings_are_told(tmp_path: Path) -> None:
    """A worker that begins later knows what the others' connections are offered for, and they that its own are gone."""
    bench = Bench(tmp_path, STREAMS)
    await until(lambda: [core.gone for core in bench.cores] == [[1], [0]])
    local = bench.equipment.settings.listeners[1]
    flow = Flow("TCP", (local.address, local.port), ("127.0.0.9", 5061), (1 << 32) + 7, ("carrier.example",))
    bench.cores[1].aliases.learn(flow, 5061)
    bench.shells[0]._outboxes.began(flow, 0.0)
    await until(lambda: len(bench.cores[0].aliases))
    assert bench.cores[0].aliases.offers() == {flow: 5061}
    assert bench.cores[1].aliases.tell is not None
    other = flow._replace(connection=(1 << 32) + 8)
    bench.cores[1].aliases.tell(other, 5062)
    await until(lambda: len(bench.cores[0].aliases) == 2)
    assert bench.cores[0].registrations.tell is not None
    bench.cores[0].registrations.tell(b"what became of one")
    await until(lambda: bench.cores[1].registrations.heard)
    assert bench.cores[0].registrations.heard == []
    bench.shells[0]._outboxes.began(flow, 0.0)
    await until(lambda: bench.cores[0].registrations.heard == [b"what became of one"])
    assert bench.cores[0].timed.tell is not None
    bench.cores[0].timed.tell(flow, True)
    await until(lambda: bench.cores[1].timed.has(flow))
    bench.cores[0].timed.tell(flow, False)
    await until(lambda: not bench.cores[1].timed.has(flow))
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_a_worker_reads_nothing_before_it_knows_who_is_registered(tmp_path: Path) -> None:
    """Or before the others have had their time: one that is dead itself says nothing."""
    bench = Bench(tmp_path, STREAMS + REGISTRAR, begin=False)
    bench.shells[0].start()
    await deferLater(reactor, 0.1)
    assert bench.ready == []
    bench.clocks.monotonic += PATIENCE
    await until(lambda: bench.ready == [0])
    bench.shells[1].start()
    await until(lambda: bench.ready == [0, 1])
    assert bench.shells[1].healthy
    await bench.close()


def test_connections_are_shared_out(tmp_path: Path) -> None:
    """In all, and new ones from one address; how many that one has all workers count together."""
    bounds = "[streams]\nconnections = 100\nper_source = 7\nper_source_rate = 10\n"
    streams = share(settings_of(tmp_path, "workers = 3\n" + CONFIG + "\n" + bounds)).streams
    assert (streams.connections, streams.per_source, streams.per_source_rate) == (34, 7, 4)
