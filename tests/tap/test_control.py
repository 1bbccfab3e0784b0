"""The control socket: private, short-named, nobody else's, and gone at the end."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from tap.control import NAME, Control, ControlError, ControlSocket, ask
from tap.log import LineObserver
from tap.reload_history import Outcome
from tests.tap.fakes import Lines

reactor: Any = _reactor


class FakeReloader:
    """Says what it was told to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked = 0

    def request(self) -> Deferred[Outcome]:
        self.asked += 1
        return succeed(Outcome(True, ("done", "well")))

    def catch_signal(self) -> None:
        pass


async def closed(control: ControlSocket | Control) -> None:
    control.close()
    await deferLater(reactor, 0.01)


@pytest_twisted.ensureDeferred
async def test_a_command_and_its_answer(tmp_path: Path) -> None:
    """However long the folder's name is; only its owner may ask."""
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    path = tmp_path / "sipveil.toml"
    path.touch()
    reloader: Any = FakeReloader(path)
    control = ControlSocket(reactor, folder, reloader)
    assert (folder / NAME).stat().st_mode & 0o777 == 0o600
    assert await deferToThread(ask, folder, f"reload {path}") == Outcome(True, ("done", "well"))
    other = await deferToThread(ask, folder, f"reload {folder / 'other.toml'}")
    assert other == Outcome(False, (f"the Sipveil that runs here was started with {path}",))
    unknown = await deferToThread(ask, folder, "dance")
    assert not unknown.ok
    assert reloader.asked == 1
    await closed(control)
    assert not (folder / NAME).exists()


@pytest_twisted.ensureDeferred
async def test_what_a_killed_process_left_behind_is_replaced(tmp_path: Path) -> None:
    """And what a living one has is not."""
    with socket.socket(socket.AF_UNIX) as left:
        before = Path.cwd()
        os.chdir(tmp_path)
        left.bind(NAME)
        os.chdir(before)
    reloader: Any = FakeReloader(tmp_path / "sipveil.toml")
    control = ControlSocket(reactor, tmp_path, reloader)
    with pytest.raises(ControlError, match="another Sipveil has this state folder"):
        ControlSocket(reactor, tmp_path, reloader)
    await closed(control)


def test_nobody_there(tmp_path: Path) -> None:
    """Said in a sentence, with or without a folder."""
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(ControlError, match=f"^no Sipveil runs with the state folder {folder}$"):
            ask(folder, "reload x")


@pytest_twisted.ensureDeferred
async def test_without_the_socket_calls_go_on(tmp_path: Path) -> None:
    """SIGHUP still works; that the command does not is told."""
    lines = Lines()
    reloader: Any = FakeReloader(tmp_path / "sipveil.toml")
    before = signal.getsignal(signal.SIGHUP)
    log = Logger("sipveil.control", observer=LineObserver(lines))
    control = Control(reactor, tmp_path / "none", reloader, log)
    assert "`sipveil reload` will not work, SIGHUP does" in lines.getvalue()
    await closed(control)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    signal.signal(signal.SIGHUP, before)
