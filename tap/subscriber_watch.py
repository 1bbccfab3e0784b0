"""Keeps subscribers' settings in memory as the store has them, in a thread of its own: the reactor waits for no disk.

    begin    before the reactor runs: reads what is not known yet, all of it or what changed since a fork
    start    on the reactor: every `poll` seconds a look at the store in a thread, and what is new is taken over
    lost     while the store cannot be read, or does not answer: the last known settings, then the strict profile

What is logged are counts, file names and reasons of config.store.database; never whose settings, or which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from config.settings import Settings
from config.statefile import StateFileError
from config.subscribers import Knowledge, Subscribers
from tap.log import where
from tap.state import subscriber_store_path

if TYPE_CHECKING:
    from config.store.reader import Reader

PATIENCE = 10.0
"""Seconds that one look may take before the store counts as unreachable: a network disk may never answer."""

_WAIT = 2.0
"""Seconds that another's lock may hold up one look; it is asked again soon."""

_REPORT = 100_000
"""Subscribers between two lines of progress."""

_SAID = {
    Knowledge.FRESH: "subscribers' settings are up to date again",
    Knowledge.LAST_KNOWN: "subscribers' settings cannot be read, the last known ones hold: {reason}",
    Knowledge.UNKNOWN: "subscribers' settings cannot be read, everybody gets the strict profile: {reason}",
}


def subscribers_of(settings: Settings) -> Subscribers:
    """Return what holds before anything was read."""
    return Subscribers(settings.subscribers.stale_after if settings.subscribers else None)


def gauges(subscribers: Subscribers, now: float) -> Mapping[str, float]:
    """Return the numbers for the metrics page."""
    return {
        "sipveil_subscribers": len(subscribers),
        "sipveil_accounts": len(subscribers.accounts),
        "sipveil_subscribers_knowledge": subscribers.knowledge,
        "sipveil_subscribers_age_seconds": subscribers.age(now) or 0,
    }


class SubscriberWatch:
    """The watch of one process over the store that settings name."""

    def __init__(self, settings: Settings, subscribers: Subscribers, clock: Callable[[], float], log: Logger) -> None:
        """Set up; without a store in settings nothing here does anything. clock gives monotonic seconds."""
        self._section = settings.subscribers
        self._path = subscriber_store_path(settings)
        self._subscribers = subscribers
        self._clock = clock
        self._log = log
        self._reader: Reader | None = None
        self._told = Knowledge.FRESH
        self._ticks: LoopingCall | None = None
        self._looking: float | None = None
        """Since when a thread looks at the store."""

    def begin(self) -> None:
        """Read what is new, here and now; to be called before the reactor runs."""
        if self._section is None:
            return
        began = self._clock()
        try:
            self._look()
        except StateFileError as error:
            self._doubt(str(error))
            return
        count, took = len(self._subscribers), round(self._clock() - began, 3)
        self._log.info("settings of {count} subscribers read in {took} s", count=count, took=took)

    def start(self, reactor: Any) -> None:  # noqa: ANN401 - Twisted has no one interface for all that a reactor does
        """Look again every `poll` seconds."""
        if self._section is None:
            return
        self._ticks = LoopingCall(self._tick, reactor)
        self._ticks.clock = reactor
        self._ticks.start(self._section.poll, now=False)

    def stop(self) -> None:
        """Look no more; a look that has begun ends by itself. Safe to call twice, and before the start."""
        ticks, self._ticks = self._ticks, None
        if ticks is not None:
            ticks.stop()

    def _tick(self, reactor: Any) -> None:  # noqa: ANN401
        """Send a thread to look, unless one is still there."""
        now = self._clock()
        if self._looking is None:
            self._looking = now
            looked = deferToThreadPool(reactor, reactor.getThreadPool(), self._look)
            looked.addCallbacks(self._seen, self._failed)
        elif now - self._looking > PATIENCE:
            self._doubt(f"{self._path}: does not answer")

    def _look(self) -> None:
        """Read what is new and take it over; the thread's part.

        Raises:
            StoreError: the store cannot be read.
        """
        if self._reader is None:
            self._reader = _open(self._path)
        news = self._reader.read(self._subscribers.mark, self._progress)
        now = self._clock()
        if news is None:
            self._subscribers.confirm(now)
        elif news.whole:
            self._subscribers.replace(news.profiles, news.mark, now, news.accounts)
        else:
            self._subscribers.patch(
                news.profiles, news.remaining, news.mark, now, news.accounts, news.remaining_accounts
            )
        self._subscribers.accounts.index()

    def _progress(self, count: int) -> None:
        """Say how far a long reading has come."""
        if count % _REPORT == 0:
            self._log.info("settings of {count} subscribers read so far", count=count)

    def _seen(self, _: object) -> None:
        """Go on after a look."""
        self._looking = None
        self._tell("")

    def _failed(self, failure: Failure) -> None:
        """Go on after a look that showed nothing, whoever's fault it is."""
        self._looking = None
        error = cast(BaseException, failure.value)
        self._doubt(str(error) if isinstance(error, StateFileError) else where(error, failure.getTracebackObject()))

    def _doubt(self, reason: str) -> None:
        """Let the last known settings hold for as long as they may."""
        self._subscribers.doubt(self._clock())
        self._tell(reason)

    def _tell(self, reason: str) -> None:
        """Say what holds where that has changed, not with every look."""
        knowledge = self._subscribers.knowledge
        if knowledge is not self._told:
            self._told = knowledge
            level = LogLevel.info if knowledge is Knowledge.FRESH else LogLevel.error
            self._log.emit(level, _SAID[knowledge], reason=reason)


def _open(path: Path) -> Reader:
    """Return the reader of a store, which is brought to today's schema."""
    # Who has no store needs no database library either: 20 MB, and a third of a second.
    from config.store.reader import Reader  # noqa: PLC0415
    from config.store.schema import prepare  # noqa: PLC0415

    prepare(path, create=False)
    return Reader(path, _WAIT)
