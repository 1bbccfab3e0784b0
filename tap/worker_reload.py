"""A reload with several workers, in two phases, so that none stays behind: first all make ready, then all take it up.

supervisor ── prepare N ──> each worker    reads the shelf, in a thread
           <── ready N ───
all are:   shelf.commit; whoever is forked from now on begins with the new one
           ── adopt N ────> each worker
           <── adopted N ──
one fails, dies, or does not answer before: ── drop N ──>, and nothing has changed anywhere
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure

from config.subscribers import Subscribers
from tap.candidate import Candidate, ReloadRefused
from tap.log import logger, where
from tap.reload import SLICE, USUAL_SLICE
from tap.shelf import Shelf
from tap.watch import Watch

PATIENCE = 10.0
"""Seconds that workers may take for one phase."""


class Line:
    """A way between supervisor and one worker, which outlives the worker."""

    def __init__(self) -> None:
        """Make both ends."""
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def close(self) -> None:
        """Close both ends; safe to call twice."""
        self.ours.close()
        self.theirs.close()


class Conductor:
    """The supervisor's part."""

    def __init__(
        self, reactor: Any, lines: Sequence[Line], shelf: Shelf, is_ready: Callable[[int], bool]  # noqa: ANN401
    ) -> None:  # fmt: skip
        """Set up; is_ready tells of a worker whether it takes calls."""
        self._reactor = reactor
        self._lines = lines
        self._shelf = shelf
        self._is_ready = is_ready
        self._number = 0
        self._phase = ""
        self._missing: set[int] = set()
        self._done: Deferred[None] | None = None
        self._timer: Any = None

    def listen(self) -> None:
        """Hear what workers say."""
        for worker, line in enumerate(self._lines):
            ours = line.ours.dup().detach()
            Watch(self._reactor, ours, lambda data, worker=worker: self.heard(worker, data), lambda: None)  # type: ignore[misc]

    def adopt(self, candidate: Candidate) -> Deferred[None]:
        """Let all workers take a candidate up, or none.

        Raises:
            ReloadRefused: while a worker is missing; the result may fail with it too.
        """
        away = [worker for worker in range(len(self._lines)) if not self._is_ready(worker)]
        if away:
            raise ReloadRefused([f"worker {away[0]} is being started; reload again when all are ready"])
        self._shelf.lay(candidate)
        self._number += 1
        self._done = Deferred()
        self._begin("prepare")
        return self._done

    def heard(self, worker: int, data: bytes) -> None:
        """Take a worker's answer; what a dead one said of an earlier reload counts for nothing."""
        word, number, reason = (*data.decode().split(" ", 2), "")[:3]
        if number != str(self._number) or worker not in self._missing:
            return
        if word == "failed":
            self._fail(f"worker {worker}: {reason}")
        elif word == {"prepare": "ready", "adopt": "adopted"}.get(self._phase):
            self._answered(worker)

    def died(self, worker: int) -> None:
        """Take note of a worker's end: it comes back with what is committed."""
        if self._phase == "prepare":
            self._fail(f"worker {worker} has ended meanwhile; reload again when all are ready")
        elif worker in self._missing:
            self._answered(worker)

    def _begin(self, phase: str) -> None:
        self._phase = phase
        self._missing = set(range(len(self._lines)))
        self._timer = self._reactor.callLater(PATIENCE, self._late)
        self._say(phase)

    def _answered(self, worker: int) -> None:
        self._missing.discard(worker)
        if self._missing:
            return
        self._timer.cancel()
        if self._phase == "prepare":
            self._shelf.commit()
            self._begin("adopt")
        else:
            self._end().callback(None)

    def _late(self) -> None:
        """Wait no longer: before the commit nothing has changed, after it who hangs is all that is left."""
        if self._phase == "prepare":
            self._fail(f"worker {min(self._missing)} has not answered", late=True)
        else:
            self._end().callback(None)

    def _fail(self, reason: str, *, late: bool = False) -> None:
        if not late:
            self._timer.cancel()
        self._say("drop")
        self._end().errback(ReloadRefused([reason]))

    def _end(self) -> Deferred[None]:
        done, self._done = self._done, None
        self._phase, self._missing = "", set()
        assert done is not None  # noqa: S101 -- a phase runs only between `adopt` and its result
        return done

    def _say(self, word: str) -> None:
        for line in self._lines:
            with suppress(OSError):  # one that does not read for long: it will not answer in time either
                line.ours.send(f"{word} {self._number}".encode(), socket.MSG_DONTWAIT)


class Follower:
    """A worker's part."""

    def __init__(
        self, reactor: Any, line: Line, shelf: Shelf, subscribers: Subscribers,  # noqa: ANN401
        adopt: Callable[[Candidate], None],
    ) -> None:  # fmt: skip
        """Set up; adopt puts a candidate to work."""
        self._reactor = reactor
        self._line = line
        self._shelf = shelf
        self._subscribers = subscribers
        self._adopt = adopt
        self._log = logger("service")
        self._ready: tuple[str, Candidate] | None = None

    def start(self) -> None:
        """Listen; what was said to a predecessor is none of ours."""
        theirs = self._line.theirs
        theirs.setblocking(False)
        with suppress(BlockingIOError):
            while theirs.recv(64):
                pass
        Watch(self._reactor, theirs.dup().detach(), self.heard, lambda: None)

    def heard(self, data: bytes) -> None:
        """Do what the supervisor says."""
        word, number = data.decode().split(" ")
        if word == "prepare":
            sys.setswitchinterval(SLICE)
            pool = self._reactor.getThreadPool()
            prepared: Deferred[Any] = deferToThreadPool(self._reactor, pool, self._shelf.spare, self._subscribers)
            prepared.addBoth(self._prepared, number)
        elif word == "adopt":
            self._take_up(number)
        else:
            self._ready = None

    def _take_up(self, number: str) -> None:
        """Take up what is ready; whoever cannot is started anew, and then begins with it."""
        ready, self._ready = self._ready, None
        try:
            if ready is None or ready[0] != number:
                raise LookupError("another reload is ready")
            self._adopt(ready[1])
        except Exception as error:
            self._log.error("a reload was not taken up: {spot}", spot=where(error))
            self._reactor.stop()
            return
        self._say(f"adopted {number}")

    def _prepared(self, result: Candidate | Failure, number: str) -> None:
        sys.setswitchinterval(USUAL_SLICE)
        if isinstance(result, Failure):
            self._say(f"failed {number} {where(cast(BaseException, result.value), result.getTracebackObject())}")
            return
        self._ready = number, result
        self._say(f"ready {number}")

    def _say(self, text: str) -> None:
        with suppress(OSError):  # the supervisor is gone, which the lifeline tells too
            self._line.theirs.send(text.encode())
