"""Sockets, ticks, look-ups and the metrics page around a core that only remembers."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor
from twisted.internet.task import deferLater
from twisted.logger import Logger, LogPublisher

from config.settings import Settings
from proxy.datagrams import DATAGRAMS_PER_WAKE_UP
from proxy.flow import Flow
from proxy.sinks import Event, Sinks
from tap import shell as module
from tap.log import LineObserver
from tap.shell import GOODBYE, Shell, StartError
from tests.tap.fakes import CONFIG, FakeCore, Lines, StoppedClocks, settings_of
from tests.tap.test_site import get

reactor: Any = _reactor


class Bench:
    """A shell on the running reactor, and a peer."""

    def __init__(self, folder: Path, text: str = CONFIG) -> None:
        self.stream = Lines()
        self.clocks = StoppedClocks()
        log = Logger(namespace="sipveil.test", observer=LogPublisher(LineObserver(self.stream)))
        self.shell = Shell(reactor, settings_of(folder, text), self._make, clocks=self.clocks, log=log)
        self.peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.peer.bind(("127.0.0.1", 0))
        self.peer.settimeout(2)

    def _make(self, settings: Settings, sinks: Sinks) -> FakeCore:
        self.core = FakeCore(settings, sinks)
        return self.core

    def start(self) -> None:
        self.shell.open()
        self.shell.start()

    @property
    def address(self) -> tuple[str, int]:
        listener = self.shell.settings.listeners[0]
        return listener.address, listener.port

    def flow(self) -> Flow:
        return Flow("UDP", self.address, self.peer.getsockname())

    async def until(self, what: Any) -> None:
        for _ in range(200):
            if what():
                return
            await deferLater(reactor, 0.01, lambda: None)
        raise AssertionError("did not happen within 2 s")

    async def close(self) -> None:
        await self.shell.stop()
        self.peer.close()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest_twisted.ensureDeferred
async def test_core_learns_the_ports_that_the_system_chose(bench: Bench) -> None:
    """Port 0 in the file, a real one in the settings that the core is built from."""
    bench.start()
    assert bench.core.settings.listeners[0].port == bench.address[1] > 0
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_datagram_in_and_out(bench: Bench) -> None:
    """A datagram reaches the core, and what the core sends reaches the peer."""
    bench.start()
    sent: list[bool] = []
    bench.core.on_receive = lambda data, flow: sent.append(bench.shell.send(flow, b"pong"))
    bench.peer.sendto(b"ping", bench.address)
    await bench.until(lambda: bench.core.received)
    assert bench.core.received == [(b"ping", bench.flow())]
    assert bench.peer.recv(100) == b"pong"
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_the_core_hears_of_a_datagram_that_the_system_refuses(bench: Bench) -> None:
    """It leaves when what has come is worked through: too late for `send` to tell."""
    bench.start()
    large = bytes(65_535)  # more than an IPv4 datagram holds (RFC 768, RFC 791 §3.1)
    sent: list[bool] = []
    bench.core.on_receive = lambda data, flow: sent.append(bench.shell.send(flow, large))
    bench.peer.sendto(b"ping", bench.address)
    await bench.until(lambda: bench.core.lost)
    assert (sent, bench.core.lost) == ([True], [(bench.flow(), large)])
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_unknown_listener_cannot_be_sent_from(bench: Bench) -> None:
    """A flow from an old record may name a listener that is gone: refused, no exception."""
    bench.start()
    assert not bench.shell.send(bench.flow()._replace(local=("192.0.2.1", 5060)), b"x")
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_time_passes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Timers tick, and a clock that was set is told to the core."""
    monkeypatch.setattr(module, "WALL_TICK", 0.01)
    bench.start()
    await bench.until(lambda: bench.core.timeouts > 2 and bench.core.walls)
    bench.clocks.unix -= 3600
    await bench.until(lambda: bench.core.walls[-1] == bench.clocks.unix)
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_nothing_that_the_core_raises_stops_it(bench: Bench) -> None:
    """A datagram, a tick and an answer that raise are counted; the next ones are served."""

    def explode(*_: object) -> None:
        raise ValueError("sip:+15550142@example.net")

    bench.start()
    bench.core.on_receive = bench.core.on_timeout = bench.core.on_resume = explode
    for _ in range(3):
        bench.peer.sendto(b"poison", bench.address)
    bench.shell.lookup(7, "localhost", 0)
    await bench.until(lambda: len(bench.core.received) == 3 and bench.core.timeouts > 3 and bench.core.resumed)
    counts = bench.shell.boundary.counts
    assert counts["datagram"] == 3
    assert counts["timer"] >= 3
    assert counts["lookup"] == 1
    assert "5550142" not in bench.stream.getvalue()
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_the_core_learns_that_it_is_behind(bench: Bench) -> None:
    """Datagrams that had to wait reach overload control, with the time that they waited; and that nothing is left."""
    bench.start()
    most: list[float] = []
    bench.core.on_receive = lambda data, flow: most.append(bench.core.overload.wait)
    for _ in range(DATAGRAMS_PER_WAKE_UP + 5):
        bench.peer.sendto(b"x", bench.address)
    bench.clocks.unix = time.time() + 7
    await bench.until(lambda: len(bench.core.received) == DATAGRAMS_PER_WAKE_UP + 5)
    assert 7 <= max(most) < 9
    await bench.until(lambda: bench.core.overload.wait == 0)
    assert bench.core.overload.active
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_lookup_comes_back_later(bench: Bench) -> None:
    """Never from within `lookup`, and with the ticket."""
    bench.start()
    bench.shell.lookup(7, "localhost", 0)
    assert bench.core.resumed == []
    await bench.until(lambda: bench.core.resumed)
    ticket, places = bench.core.resumed[0]
    assert ticket == 7
    assert ("127.0.0.1",) in [place.addresses for place in places]
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_lines_of_a_life(bench: Bench) -> None:
    """What tests and operators wait for."""
    bench.start()
    metrics = bench.shell.metrics_address
    assert metrics is not None
    await bench.close()
    said = [line.split(" ", 2)[2] for line in bench.stream.lines]
    assert said == [
        f"metrics http 127.0.0.1:{metrics[1]}",
        f"listening udp 127.0.0.1:{bench.address[1]}",
        "sipveil is ready",
        "sipveil has stopped",
    ]


@pytest_twisted.ensureDeferred
async def test_event_is_written(bench: Bench) -> None:
    """The event sink ends in the log."""
    bench.start()
    bench.shell.event(Event("failed-closed", "ab12", "carrier", "request"))
    assert "failed-closed peer=carrier call=ab12" in bench.stream.getvalue()
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_metrics_and_health(bench: Bench) -> None:
    """The pages show the core's numbers, and health as long as the listeners are open."""
    bench.start()
    bench.core.counters.add("requests_received", "BYE")
    _, port = bench.shell.metrics_address or ("", 0)
    _, _, page = await get(port, "/metrics")
    assert 'sipveil_requests_received_total{method="BYE"} 1.0' in page
    assert 'sipveil_datagrams_received_total{listener="access"} 0.0' in page
    assert (await get(port, "/healthz"))[0] == 200
    for listener in bench.shell._listeners.values():
        listener.close()
    assert (await get(port, "/healthz"))[0] == 503
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_no_page_where_none_is_wanted(tmp_path: Path) -> None:
    """`enabled = false` opens no port."""
    bench = Bench(tmp_path, CONFIG + "enabled = false\n")
    bench.start()
    assert bench.shell.metrics_address is None
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_address_in_use_is_a_sentence_and_opens_nothing(tmp_path: Path) -> None:
    """All listeners or none; what is said names the address."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    second = f'[[listeners]]\nname = "second"\naddress = "127.0.0.1"\nport = {port}\n\n'
    bench = Bench(tmp_path, CONFIG.replace("[access]", second + "[access]", 1))
    with pytest.raises(StartError, match=f"cannot open udp 127.0.0.1:{port}: Address already in use"):
        bench.shell.open()
    assert not bench.shell.healthy
    taken.close()
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_metrics_port_in_use_is_a_sentence(tmp_path: Path) -> None:
    """The same for the page."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    port = taken.getsockname()[1]
    bench = Bench(tmp_path, CONFIG.replace("[metrics]\nport = 0", f"[metrics]\nport = {port}"))
    bench.shell.open()
    with pytest.raises(StartError, match=f"cannot open metrics 127.0.0.1:{port}: Address already in use"):
        bench.shell.start()
    taken.close()
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_a_stop_waits_for_goodbyes_and_goes_on_reading(bench: Bench) -> None:
    """Until the last one is answered."""
    bench.start()
    core, left = bench.core, [1]
    core.on_leaving = lambda: left[0]
    stopped = bench.shell.stop()
    await deferLater(reactor, 0.1, lambda: None)
    assert (core.left, stopped.called, bench.shell.healthy) == (1, False, True)
    left[0] = 0
    await stopped
    assert not bench.shell.healthy
    await bench.close()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("how", ["late", "again"])
async def test_a_stop_waits_for_no_goodbye_for_long(bench: Bench, how: str) -> None:
    """Nor any longer when somebody asks a second time."""
    bench.start()
    bench.core.on_leaving = lambda: 1
    stopped = bench.shell.stop()
    await deferLater(reactor, 0.05, lambda: None)
    if how == "late":
        bench.clocks.monotonic += GOODBYE
    else:
        await bench.shell.stop()
    await stopped
    assert bench.core.left == 1
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_stopping_twice_is_harmless(bench: Bench) -> None:
    """Stopped while starting, or by two signals."""
    bench.start()
    await bench.shell.stop()
    await bench.close()
