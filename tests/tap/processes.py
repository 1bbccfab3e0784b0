"""A real Sipveil process for tests: started, waited for, and ended by its own id."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BIN = Path(sys.executable).parent


class Process:
    """A command that logs; its lines are collected as they come."""

    def __init__(self, *command: str | Path, cwd: Path) -> None:
        self.popen = subprocess.Popen(
            command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
        )
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stdout
        for line in self.popen.stdout:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self.lines.append("(end)")
            self._changed.notify_all()

    def wait_for(self, pattern: str, timeout: float = 20) -> re.Match[str]:
        """Return the match in the first line that pattern is found in."""

        def found() -> re.Match[str] | None:
            return next((match for line in self.lines if (match := re.search(pattern, line))), None)

        with self._changed:
            self._changed.wait_for(lambda: found() or "(end)" in self.lines, timeout)
        match = found()
        assert match, f"no line with {pattern!r}:\n" + "\n".join(self.lines)
        return match

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.popen.send_signal(how)
        code = self.popen.wait(15)
        self._reader.join(5)
        return code


@contextmanager
def running(*command: str | Path, cwd: Path) -> Iterator[Process]:
    """Yield a process that is gone afterwards, whatever happens."""
    process = Process(*command, cwd=cwd)
    try:
        yield process
    finally:
        process.popen.kill()
        process.popen.wait()
        process._reader.join(5)
        if process.popen.stdout:
            process.popen.stdout.close()
