"""Everything that the trunk receives, while it receives it: SIPp's message trace, read through a pipe.

SIPp writes each datagram before it does anything with it, so repetitions and messages that no scenario expects are
there too, which they would not be with a regular expression in the scenario (and only what was searched for would be
known, not where it stood). It needs no root as a packet socket would, puts nothing between the proxy and the trunk
as a relay would, and writes nothing to a disk. It costs the trunk's SIPp some microseconds a message, on the load's
core; the proxy does not notice.
"""

from __future__ import annotations

import fcntl
import os
import re
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

PIPE = 1 << 20
"""Bytes that SIPp may be ahead of us; the most that Linux gives without root (/proc/sys/fs/pipe-max-size)."""

_ENTRY = re.compile(
    rb"-{47} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6})\n[^\n]*\b(received|sent)\b[^\n\d]*(\d+)[^\n]*:\n\n"
)
"""The head of an entry: a line with the time, one with direction and length, an empty one."""


class Tape:
    """A context manager: reads the trace in a thread of its own and hands out what was received."""

    def __init__(self, pipe: Path, take: Callable[[bytes, float], None]) -> None:
        """Make a pipe for SIPp's -message_file; take is called in the thread, with each message and its time."""
        self.path = pipe
        self._take = take
        self._thread = threading.Thread(target=self._run, name="tape", daemon=True)
        self._error: Exception | None = None

    def __enter__(self) -> Self:
        """Begin to read, before SIPp begins to write."""
        os.mkfifo(self.path)
        # Not blocking: a reader who comes first would wait for the writer.
        self._pipe = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, PIPE)
        # An end of our own keeps the pipe open until SIPp has come; closing it is how the thread learns of the end.
        self._own = os.open(self.path, os.O_WRONLY)
        os.set_blocking(self._pipe, True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Read what is left; SIPp must have ended. An error of `take` comes out here."""
        os.close(self._own)
        self._thread.join()
        os.close(self._pipe)
        if self._error is not None and error is None:
            raise self._error

    def _run(self) -> None:
        rest = b""
        while chunk := os.read(self._pipe, PIPE):
            if self._error is None:  # after it, only so that SIPp is not held up
                try:
                    rest = self._entries(rest + chunk)
                except Exception as error:
                    self._error = error

    def _entries(self, data: bytes) -> bytes:
        """Hand out the entries that are complete; return what is not."""
        done = 0
        for end, entry in entries(data):
            if entry is not None:
                self._take(*entry)
            done = end
        return data[done:]


def entries(trace: bytes) -> Iterator[tuple[int, tuple[bytes, float] | None]]:
    """Yield of each complete entry where it ends, and message and Unix seconds, None for one that was sent."""
    place = 0
    while head := _ENTRY.search(trace, place):
        end = head.end() + int(head[3])
        if end > len(trace):
            return
        yield end, (trace[head.end() : end], _seconds(head[1])) if head[2] == b"received" else None
        place = end


def _seconds(text: bytes) -> float:
    """Return Unix seconds of SIPp's time, which is local."""
    return datetime.fromisoformat(text.decode()).timestamp()
