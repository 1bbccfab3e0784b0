"""The supervisor, told by hand what its spawner would say; real families are in tests/real/test_workers.py."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from typing import Any

import pytest
from twisted.application.service import Application
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, globalLogPublisher

from proxy.steering import REACHES
from tap.log import LineObserver
from tap.plugin import service_for
from tap.service import SipveilService
from tap.spawner import REPORT
from tap.supervisor import SupervisorService, _steering
from tests.tap.fakes import CONFIG, Lines, settings_of

PAIR = "workers = 2\n" + CONFIG


class HandReactor(Clock):
    """Time that the test moves, and whether it was stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = False

    def callWhenRunning(self, call: Any, *arguments: Any) -> None:  # noqa: N802
        call(*arguments)

    def stop(self) -> None:
        self.stopped = True


class Bench:
    """A supervisor that believes itself started, and the spawner's end of its commands."""

    def __init__(self, folder: Path) -> None:
        self.reactor = HandReactor()
        self.service = SupervisorService(settings_of(folder, PAIR), self.reactor)
        self.service.equipment.prepare(1_790_000_000.0)
        self.service.running = True
        self.service._commands, self.spawner = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.spawner.setblocking(False)
        for worker in range(2):
            self.service._start_worker(worker)

    def commands(self) -> list[int]:
        found = []
        while True:
            try:
                found.append(self.spawner.recv(10)[0])
            except BlockingIOError:
                return found

    def dies(self, worker: int, status: int = signal.SIGKILL) -> None:
        self.service._on_report(REPORT.pack(worker, 77, status, True))

    def close(self) -> None:
        self.spawner.close()
        self.service._end()


@pytest.fixture
def said() -> Any:
    stream = Lines()
    observer = LineObserver(stream)
    globalLogPublisher.addObserver(observer)
    yield stream
    globalLogPublisher.removeObserver(observer)


def test_ready_when_all_are(tmp_path: Path, said: Lines) -> None:
    """Said once; healthy from then on."""
    bench = Bench(tmp_path)
    assert bench.commands() == [0, 1]
    bench.service._on_news(b"\1")
    assert not bench.service.healthy
    bench.service._on_news(b"\0")
    assert bench.service.healthy
    assert said.getvalue().count("sipveil is ready") == 1
    bench.close()


def test_who_dies_is_started_again(tmp_path: Path, said: Lines) -> None:
    """At once the first time, later the second; not healthy meanwhile; counted, and said how it died."""
    bench = Bench(tmp_path)
    bench.service._on_news(b"\0\1")
    bench.commands()
    bench.dies(1)
    assert not bench.service.healthy
    bench.reactor.advance(0)
    assert bench.commands() == [1]
    bench.service._on_news(b"\1")
    assert bench.service.healthy
    bench.dies(1, 3 << 8)
    bench.reactor.advance(0.05)
    assert bench.commands() == []
    bench.reactor.advance(0.06)
    assert bench.commands() == [1]
    assert bench.service._restarts == {0: 0, 1: 2}
    assert "worker 1 was killed by SIGKILL; starting it again in 0.0 s" in said.getvalue()
    assert "worker 1 ended with code 3; starting it again in 0.1 s" in said.getvalue()
    bench.close()


def test_who_cannot_start_at_all_ends_it(tmp_path: Path, said: Lines) -> None:
    """A mistake that would repeat itself is no reason to try for ever."""
    bench = Bench(tmp_path)
    bench.service._on_news(b"\0")
    bench.dies(1, 70 << 8)
    assert bench.reactor.stopped
    assert bench.service.failed
    bench.dies(0, 70 << 8)
    assert said.getvalue().count("could not start") == 1
    assert "worker 1 could not start (ended with code 70)" in said.getvalue()
    bench.close()


def test_nobody_is_started_while_stopping(tmp_path: Path) -> None:
    """Deaths are what is wanted then."""
    bench = Bench(tmp_path)
    bench.service._on_news(b"\0\1")
    bench.commands()
    bench.dies(0)
    bench.service.running = False
    bench.dies(1)
    bench.reactor.advance(10)
    assert bench.commands() == []
    bench.service._on_spawner_gone()
    assert not bench.reactor.stopped
    bench.close()


def test_without_a_spawner_it_ends(tmp_path: Path, said: Lines) -> None:
    """With a reason; a worker that should be started in that moment is no second fault."""
    bench = Bench(tmp_path)
    bench.spawner.close()
    bench.service._start_worker(0)
    bench.service._on_spawner_gone()
    assert bench.reactor.stopped
    assert bench.service.failed
    assert "the spawner has ended" in said.getvalue()
    bench.service._end()


def test_an_unknown_signal_has_a_number(tmp_path: Path, said: Lines) -> None:
    """A real-time signal has no name in Python."""
    bench = Bench(tmp_path)
    bench.service._on_news(b"\0\1")
    bench.dies(0, 40)
    assert "was killed by signal 40" in said.getvalue()
    bench.close()


def test_port_in_use_is_one_line_and_the_end(tmp_path: Path) -> None:
    """Before anything is forked."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        text = PAIR.replace("port = 0", f"port = {taken.getsockname()[1]}", 1)
        service = SupervisorService(settings_of(tmp_path, text), HandReactor())
        with pytest.raises(SystemExit, match="cannot open udp"):
            service.privilegedStartService()


def test_one_worker_needs_no_supervisor(tmp_path: Path) -> None:
    """The configuration decides."""
    assert isinstance(service_for(settings_of(tmp_path), HandReactor()), SipveilService)
    assert isinstance(service_for(settings_of(tmp_path, PAIR), HandReactor()), SupervisorService)


def test_application_logs_our_way(tmp_path: Path) -> None:
    """As with one process."""
    observer = LineObserver(Lines())
    application: Any = Application("x")
    SupervisorService(settings_of(tmp_path, PAIR), HandReactor(), observer).setServiceParent(application)
    assert application.getComponent(ILogObserver) is observer


@pytest.mark.parametrize(
    ("reach", "said"),
    [
        (REACHES[0].call_id, "the kernel gives datagrams to their workers"),
        (REACHES[1].call_id, "the kernel gives datagrams to their workers where the Call-ID is in the first 276 bytes; "
                             "net.core.optmem_max = 131072 would let it look further"),
        (0, "the kernel does not know whose a datagram is, so workers hand over what is not theirs"),
    ],
)  # fmt: skip
def test_who_sorts_is_said(reach: int, said: str) -> None:
    """One line, whichever it is."""
    assert _steering(reach) == said
