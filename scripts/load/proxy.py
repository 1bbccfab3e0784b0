"""A proxy in a process of its own, pinned, waited for and stopped.

with Proxy(sipveil(config), ("127.0.0.1", 5060), folder, cores=(1,)) as proxy:
    before = account(proxy.pid)
"""

from __future__ import annotations

import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from scripts.load.addresses import Address, is_bound
from scripts.load.cores import pinned
from scripts.load.errors import LoadError

ROOT = Path(__file__).parents[2]
START = 20.0
"""Seconds that a proxy may take to answer, and to stop."""

OPTIONS = """\
OPTIONS sip:{host}:{port} SIP/2.0
Via: SIP/2.0/UDP {own[0]}:{own[1]};branch=z9hG4bK{token};rport
Max-Forwards: 0
From: <sip:loadtest@invalid>;tag={token}
To: <sip:{host}:{port}>
Call-ID: {token}@loadtest
CSeq: 1 OPTIONS
Content-Length: 0

"""
"""Max-Forwards 0: whoever gets it answers himself (RFC 3261 §16.3 item 3), with whatever."""


def sipveil(config: Path, python: str | Path = sys.executable) -> list[str]:
    """Return the command that runs Sipveil as an operator does, from the tree that `Proxy` is given."""
    return [str(python), "-m", "tap.main", "run", str(config.resolve())]


def answers(address: Address, source: str = "127.0.0.1", seconds: float = 0.25) -> bool:
    """Tell whether somebody at address answers an OPTIONS that comes from the IP address source."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        sock.settimeout(seconds)
        text = OPTIONS.format(host=address[0], port=address[1], own=sock.getsockname(), token=secrets.token_hex(8))
        sock.sendto(text.replace("\n", "\r\n").encode(), address)
        try:
            return sock.recv(65535).startswith(b"SIP/2.0 ")
        except OSError:  # nothing came, or the kernel says that nobody is there
            return False


class Proxy:
    """A context manager: runs a command from `with` to its end, and hands out its process id."""

    def __init__(
        self,
        command: Sequence[str | Path],
        address: Address,
        folder: Path,
        *,
        cores: Sequence[int] = (),
        tree: Path = ROOT,
        probe_from: str = "127.0.0.1",
        ready: Callable[[], bool] | None = None,
    ) -> None:
        """Say what to run in tree, where it will listen and where its output goes (folder/proxy.log).

        It is ready when it answers an OPTIONS from probe_from, or when `ready` says so.
        """
        self.address = address
        self._command, self._cores, self._tree = command, cores, tree
        self._log = folder / "proxy.log"
        self._ready = ready or (lambda: answers(address, probe_from))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return the process id; workers are its descendants."""
        return self._running().pid

    def __enter__(self) -> Self:
        """Start it and return when it is ready."""
        if is_bound(self.address):
            raise LoadError(f"cannot use UDP {self.address[0]}:{self.address[1]}: another program listens there")
        with self._log.open("wb") as log, pinned(self._cores):
            self._process = subprocess.Popen(  # noqa: S603 - what to run is our own choice
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self._tree
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    def check(self) -> None:
        """Raise LoadError with the last lines of its output if it has ended."""
        code = self._running().poll()
        if code is not None:
            raise LoadError(f"the proxy has ended with {code}; the last it said: {self.last_words()}")

    def last_words(self) -> str:
        """Return the last two lines of its output that say something: a reason often stands before a summary."""
        lines = [line for line in self._log.read_text("utf-8", "replace").splitlines() if line.strip()]
        return " | ".join(lines[-2:]) or "(nothing)"

    def stop(self) -> None:
        """End it: politely, then not; safe to call twice."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(START)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("used outside its `with`")
        return self._process

    def _wait(self) -> None:
        end = time.monotonic() + START
        while not self._ready():
            self.check()
            if time.monotonic() > end:
                raise LoadError(f"the proxy does not answer; the last it said: {self.last_words()}")
            time.sleep(0.02)
