"""SIPp as a process: the caller, and the trunk."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from scripts.load import figures
from scripts.load.addresses import Address, free, is_bound
from scripts.load.canaries import CALL_ID, KEYS, sent
from scripts.load.errors import LoadError

START = 10.0
"""Seconds that SIPp may take to listen, or to stop."""
BUFFER = 4 << 20
"""Bytes of SIPp's socket buffers, as far as the kernel allows: what is lost is to be lost by the proxy."""


def program() -> str:
    """Return SIPp's path."""
    path = shutil.which("sipp")
    if path is None:
        raise LoadError("SIPp is not installed; on Debian: apt-get install sip-tester")
    return path


def options(scenario: Path, local: Address, pause: int) -> list[str]:
    """Return what callers and trunk have in common. pause: milliseconds of a `<pause/>`."""
    keys = [word for name, text in KEYS.items() for word in ("-key", name, sent(text))]
    return [
        "-sf", str(scenario), "-i", local[0], "-p", str(local[1]), "-mi", local[0],
        "-ci", local[0], "-cp", str(free(local[0])[1]), "-d", str(pause), "-cid_str", sent(CALL_ID),
        "-nostdin", "-timer_resol", "1", "-buff_size", str(BUFFER),
        "-trace_stat", "-fd", "1", "-stf", f"{local[0]}.csv", *keys,
    ]  # fmt: skip


_SURPRISE = re.compile(r"while expecting '([^']*)' [^\n]*received '([^\r\n]*)")


class Sipp:
    """A context manager: one SIPp, which is ended when the block ends."""

    def __init__(self, command: Sequence[str], local: Address, folder: Path) -> None:
        """Say how to run it in folder, and where it will listen."""
        self._command, self._local = [program(), *command], local
        self._folder = folder
        self._errors = folder / f"{local[0]}.err"
        self.statistics = folder / f"{local[0]}.csv"

    def __enter__(self) -> Self:
        """Start it and return when it listens."""
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - what to run is our own choice
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, cwd=self._folder
            )
        end = time.monotonic() + START
        while not is_bound(self._local) and self._process.poll() is None:
            if time.monotonic() > end:
                self._process.kill()
                raise LoadError(f"SIPp does not listen; the last it said: {self.last_line()}")
            time.sleep(0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    @property
    def code(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self._process.poll()

    @property
    def counts(self) -> figures.Counts:
        """Return what it has counted, up to a second ago."""
        return figures.counts(self.statistics)

    @property
    def first_surprise(self) -> str | None:
        """Return the first message that its scenario did not expect, as `while expecting …, received …`."""
        found = _SURPRISE.search(self._errors.read_text("utf-8", "replace"))
        return found and f"while expecting {found[1]}, received {found[2]}"

    def last_line(self) -> str:
        """Return the last line on standard error."""
        lines = [line for line in self._errors.read_text("utf-8", "replace").splitlines() if line.strip()]
        return lines[-1] if lines else "(nothing)"

    def stop(self) -> None:
        """End it; at SIGTERM it still writes its statistics."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(START)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
