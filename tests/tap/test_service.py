"""The service: the real core, built from files."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.application.service import Application
from twisted.internet import reactor as _reactor
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver

from config.settings import Settings
from proxy.sinks import Sinks
from tap.log import LineObserver
from tap.service import SipveilService, SystemClocks, core_maker
from tap.state import key_ring_path, retired_trunks_path, subscriber_store_path
from tests.config.store.people import NOW, change, two
from tests.tap.fakes import CONFIG, FakeCore, Lines, settings_of

reactor: Any = _reactor


class NoSinks:
    """Swallows everything."""

    def send(self, flow: object, data: bytes) -> bool:
        return True

    def lookup(self, ticket: int, host: str, port: int, transport: str = "UDP") -> None:
        pass

    def event(self, event: object) -> None:
        pass


def test_first_start_makes_the_files_of_the_state_folder(tmp_path: Path) -> None:
    """A private key ring, and the memory of the trunks."""
    settings = settings_of(tmp_path)
    core = core_maker(SystemClocks())(settings, NoSinks())
    assert key_ring_path(settings).stat().st_mode & 0o777 == 0o600
    assert "carrier" in retired_trunks_path(settings).read_text()
    assert core.gauges()["sipveil_server_transactions"] == 0


def test_retired_trunk_comes_back_for_its_dialogs(tmp_path: Path) -> None:
    """A trunk that is renamed is remembered for the calls that are up over it."""
    core_maker(SystemClocks())(settings_of(tmp_path), NoSinks())
    renamed = settings_of(tmp_path, CONFIG.replace("carrier", "other").replace("5080", "5081"))
    core_maker(SystemClocks())(renamed, NoSinks())
    assert "carrier" in retired_trunks_path(renamed).read_text()


@pytest_twisted.ensureDeferred
async def test_life_of_the_real_service(tmp_path: Path) -> None:
    """Opened, started, asked, stopped: an OPTIONS with Max-Forwards 0 is answered by the core itself."""
    service = SipveilService(settings_of(tmp_path), reactor)
    service.privilegedStartService()
    service.startService()
    listener = service.shell.settings.listeners[0]
    assert service.shell.healthy
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.setblocking(False)
        peer.sendto(options(peer.getsockname()[1]), (listener.address, listener.port))
        answer = await _receive(peer)
    assert answer.startswith(b"SIP/2.0 483 ")
    await service.stopService()
    assert not service.shell.healthy


def options(port: int) -> bytes:
    return (
        b"OPTIONS sip:+15550123@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK1;rport\r\n"
        b"Max-Forwards: 0\r\nFrom: <sip:a@example.net>;tag=1\r\nTo: <sip:b@example.net>\r\nCall-ID: x\r\n"
        b"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n" % port
    )


async def _receive(peer: socket.socket) -> bytes:
    for _ in range(200):
        try:
            return peer.recv(65535)
        except BlockingIOError:
            await deferLater(reactor, 0.01)
    raise AssertionError("no answer within 2 s")


def test_key_ring_that_others_may_read_is_one_line_and_the_end(tmp_path: Path) -> None:
    """No traceback: which file, and what to do about it; and nothing stays open."""
    settings = settings_of(tmp_path)
    core_maker(SystemClocks())(settings, NoSinks())
    key_ring_path(settings).chmod(0o644)
    service = SipveilService(settings, reactor)
    service.privilegedStartService()
    with pytest.raises(SystemExit, match=r"^sipveil: .*keys\.json"):
        service.startService()
    assert not service.shell.healthy


def test_address_in_use_is_one_line_and_the_end(tmp_path: Path) -> None:
    """The same for a port."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 0))
    text = CONFIG.replace("port = 0", f"port = {taken.getsockname()[1]}", 1)
    service = SipveilService(settings_of(tmp_path, text), reactor)
    with pytest.raises(SystemExit, match="cannot open udp"):
        service.privilegedStartService()
    taken.close()


def test_application_logs_our_way(tmp_path: Path) -> None:
    """Joined to twistd's application, its log is ours: twistd's own writes failures out with their texts."""

    def make(settings: Settings, sinks: Sinks) -> FakeCore:
        return FakeCore(settings, sinks)

    observer = LineObserver(Lines())
    application: Any = Application("x")
    service = SipveilService(settings_of(tmp_path), reactor, make, observer)
    service.setServiceParent(application)
    assert application.getComponent(ILogObserver) is observer


@pytest_twisted.ensureDeferred
async def test_the_policy_asks_what_the_watch_keeps(tmp_path: Path) -> None:
    """A store is read before the first call; what is set afterwards is known soon."""
    settings = settings_of(tmp_path, CONFIG + "\n[subscribers]\npoll = 0.05\n")
    book = two(subscriber_store_path(settings))
    service = SipveilService(settings, reactor)
    service.privilegedStartService()
    service.startService()
    core: Any = service.shell.core
    subscribers = core.generation.privacy.subscribers
    assert len(subscribers) == 2
    book.add(change("carol@example.net", name="hide"), NOW)
    for _ in range(200):
        if subscribers.find(b"carol@example.net") is not None:
            break
        await deferLater(reactor, 0.01)
    assert len(subscribers) == 3
    await service.stopService()
