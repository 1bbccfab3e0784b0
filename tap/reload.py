"""A reload: prepared in a thread, taken up on the reactor, told to whoever asked and to the log.

One at a time. Whoever asks while one runs gets the next, all of them the same: it reads the files after they asked.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure

from config.settings import Settings
from config.subscribers import Subscribers
from tap.candidate import Candidate, ReloadRefused, digest, prepare
from tap.log import where
from tap.reload_history import History, Outcome

SLICE = 0.00002
"""Seconds for which the preparing thread keeps the interpreter when the reactor wants it (Python's default: 0.005).

The reactor lets go of the interpreter with each datagram that it reads or sends, and waits so long to have it back.
"""
USUAL_SLICE = 0.005


class Reloader:
    """Reloads one configuration file for one running Sipveil."""

    def __init__(
        self,
        reactor: Any,  # noqa: ANN401 - Twisted has no one interface for all that a reactor does
        path: Path,
        settings: Settings,
        subscribers: Subscribers,
        adopt: Callable[[Candidate], Deferred[None] | None],
        *,
        wall: Callable[[], float],
        log: Logger,
    ) -> None:
        """Set up.

        Args:
            reactor: a Twisted reactor with threads.
            path: of the configuration.
            settings: what runs now, as configured.
            subscribers: lives on.
            adopt: puts a candidate to work, on the reactor; may raise ReloadRefused, at once or later.
            wall: gives Unix time in seconds.
            log: where it is told.
        """
        self.path = path.absolute()
        self.history = History(digest(settings), wall())
        self._reactor = reactor
        self._settings = settings
        self._subscribers = subscribers
        self._adopt = adopt
        self._wall = wall
        self._log = log
        self._running = False
        self._waiting: list[Deferred[Outcome]] = []

    def catch_signal(self) -> None:
        """Reload at SIGHUP; to be called in the main thread."""
        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.request))

    def request(self) -> Deferred[Outcome]:
        """Reload; the result never fails."""
        asked: Deferred[Outcome] = Deferred()
        self._waiting.append(asked)
        if not self._running:
            self._begin()
        return asked

    def _begin(self) -> None:
        """Serve all who wait."""
        self._running = True
        served, self._waiting = self._waiting, []
        sys.setswitchinterval(SLICE)
        pool = self._reactor.getThreadPool()
        prepared: Deferred[Any] = deferToThreadPool(
            self._reactor, pool, prepare, self.path, self._settings, self._subscribers, self._wall()
        )
        prepared.addBoth(_calm)
        prepared.addCallback(self._take_up)
        prepared.addCallbacks(self._succeeded, self._refused)
        prepared.addCallback(self._tell, served)

    def _take_up(self, candidate: Candidate) -> Deferred[Candidate]:
        adopted: Deferred[Any] = maybeDeferred(self._adopt, candidate)
        return adopted.addCallback(lambda _: candidate)

    def _succeeded(self, candidate: Candidate) -> Outcome:
        history = self.history
        self._settings = candidate.settings
        history.adopted(candidate.digest, self._wall())
        for warning in candidate.warnings:
            self._log.warn("reload: {warning}", warning=warning)
        line = f"reloaded {self.path}: generation {history.generation}, hash {history.digest}"
        self._log.info("{line}", line=line)
        return Outcome(True, (*(f"warning: {warning}" for warning in candidate.warnings), line))

    def _refused(self, failure: Failure) -> Outcome:
        self.history.refused()
        error = cast(BaseException, failure.value)
        reasons: tuple[str, ...]
        if isinstance(error, ReloadRefused):
            reasons = error.reasons
        else:
            reasons = (f"reload failed: {where(error, failure.getTracebackObject())}",)
        for reason in reasons:
            self._log.error("reload: {reason}", reason=reason)
        kept = f"not reloaded: generation {self.history.generation}, hash {self.history.digest}, goes on unchanged"
        self._log.error("{kept}", kept=kept)
        return Outcome(False, (*reasons, kept))

    def _tell(self, outcome: Outcome, served: list[Deferred[Outcome]]) -> None:
        """Tell everybody, and go on with those who have asked meanwhile."""
        self._running = False
        for asked in served:
            asked.callback(outcome)
        if self._waiting and not self._running:
            self._begin()


def _calm(result: Candidate | Failure) -> Candidate | Failure:
    """Give threads their usual share again."""
    sys.setswitchinterval(USUAL_SLICE)
    return result
