"""The control socket: how a command reaches the Sipveil that runs, and gets an answer.

A Unix socket in the state folder that its owner alone may open. One line in (`reload PATH`), then `ok` or `refused` and
lines for the operator out, and the connection is closed.
"""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory
from twisted.internet.unix import Port
from twisted.logger import Logger
from twisted.protocols.basic import LineOnlyReceiver

from tap.reload import Reloader
from tap.reload_history import Outcome

NAME = "control"
PATIENCE = 30.0
"""Seconds that a command waits for an answer."""


class ControlError(Exception):
    """No Sipveil can be reached, in a sentence for the operator."""


class Answering(LineOnlyReceiver):
    """One command and its answer."""

    delimiter = b"\n"
    MAX_LENGTH = 4200

    def __init__(self, reloader: Reloader) -> None:
        """Carry out commands with reloader."""
        self._reloader = reloader

    def lineReceived(self, line: bytes) -> None:  # noqa: N802 - Twisted's name
        """Carry a command out; a path that is not ours is another Sipveil's."""
        command, _, path = os.fsdecode(line).partition(" ")
        if command != "reload":
            self._answer(Outcome(False, ("this command is unknown here: it is another version that runs",)))
        elif not _is_same(Path(path), self._reloader.path):
            self._answer(Outcome(False, (f"the Sipveil that runs here was started with {self._reloader.path}",)))
        else:
            self._reloader.request().addCallback(self._answer)

    def _answer(self, outcome: Outcome) -> None:
        text = "\n".join(("ok" if outcome.ok else "refused", *outcome.said))
        assert self.transport is not None  # noqa: S101 -- a line has come over it
        self.transport.write(os.fsencode(text))
        self.transport.loseConnection()


class ControlSocket:
    """The socket of one running Sipveil."""

    def __init__(self, reactor: Any, folder: Path, reloader: Reloader) -> None:  # noqa: ANN401
        """Listen in folder; where another Sipveil does already, leave it alone.

        Raises:
            ControlError: it cannot be made, or is another's.
        """
        self._folder = -1
        try:
            self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            self._port = self._listen(reactor, reloader)
        except (OSError, CannotListenError) as error:
            self._let_go()
            raise ControlError(f"cannot open {folder / NAME}: {getattr(error, 'strerror', None) or error}") from error

    def _listen(self, reactor: Any, reloader: Reloader) -> Port:  # noqa: ANN401
        """Listen, in place of a socket that a process has left behind."""
        name = _short(self._folder)
        with socket.socket(socket.AF_UNIX) as probe, suppress(FileNotFoundError, ConnectionRefusedError):
            probe.connect(name)
            raise OSError("another Sipveil has this state folder")
        with suppress(FileNotFoundError):
            os.unlink(name)
        before = os.umask(0o177)
        try:
            port: Port = reactor.listenUNIX(name, _Connections(reloader), mode=0o600)
        finally:
            os.umask(before)
        return port

    def close(self) -> None:
        """Listen no more, and take the socket away."""
        maybeDeferred(self._port.stopListening).addBoth(lambda _: self._let_go())

    def _let_go(self) -> None:
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1


class Control:
    """What makes a running Sipveil reload: SIGHUP and, where it can be opened, the socket."""

    def __init__(self, reactor: Any, folder: Path, reloader: Reloader, log: Logger) -> None:  # noqa: ANN401
        """Begin; a socket that cannot be opened is told and no reason to take no calls."""
        self._socket: ControlSocket | None = None
        # Once the reactor runs: twistd sets its own signals up before.
        reactor.callWhenRunning(reloader.catch_signal)
        try:
            self._socket = ControlSocket(reactor, folder, reloader)
        except ControlError as error:
            log.warn("{error}; `sipveil reload` will not work, SIGHUP does", error=str(error))

    def close(self) -> None:
        """Listen no more; a later SIGHUP finds everything closing."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        control, self._socket = self._socket, None
        if control is not None:
            control.close()


def ask(folder: Path, command: str) -> Outcome:
    """Send a command to the Sipveil with this state folder and return its answer.

    Raises:
        ControlError: none runs there, or it does not answer.
    """
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(PATIENCE)
            _connect(sock, folder)
            sock.sendall(os.fsencode(command) + b"\n")
            answer = b"".join(iter(lambda: sock.recv(65536), b""))
    except (FileNotFoundError, ConnectionRefusedError):
        raise ControlError(f"no Sipveil runs with the state folder {folder}") from None
    except OSError as error:
        raise ControlError(f"{folder / NAME}: {error.strerror or error}") from None
    head, *said = os.fsdecode(answer).split("\n")
    if head not in ("ok", "refused"):
        raise ControlError(f"{folder / NAME}: whoever listens there has ended without an answer")
    return Outcome(head == "ok", tuple(said))


class _Connections(Factory[Answering]):
    """Answers each connection by itself."""

    noisy = False

    def __init__(self, reloader: Reloader) -> None:
        self._reloader = reloader

    def buildProtocol(self, addr: IAddress | None) -> Answering:  # noqa: N802 - Twisted's name
        return Answering(self._reloader)


def _is_same(one: Path, other: Path) -> bool:
    """Tell whether two paths lead to the same file; by their names where there is none."""
    try:
        return one.samefile(other)
    except OSError:
        return one == other


def _connect(sock: socket.socket, folder: Path) -> None:
    """Connect to the socket in a folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sock.connect(_short(descriptor))
    finally:
        os.close(descriptor)


def _short(folder: int) -> str:
    """Return a name of the socket that is short enough, however long that of the folder is (108 bytes, unix(7))."""
    return f"/proc/self/fd/{folder}/{NAME}"
