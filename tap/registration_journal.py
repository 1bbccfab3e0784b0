"""Keeps who is registered over a restart: bindings are in memory, and their store follows from a thread of its own.

    begin    before the reactor runs: reads what the last process has left, and listens from then on
    start    on the reactor: a few times a second what has changed is written, as one transaction
    stop     writes the rest

What a crash loses are the changes of the last moments: FLUSH seconds and the time that one write takes. A phone whose
REGISTER was lost is unknown until its next one; one that went, and whose going was lost, is called in vain. While the
store cannot be written (a full disk, say) registrations go on in memory; that is logged, and counted by
`sipveil_registrations_unsaved`. Bindings by connections are not stored: with the process their connections are gone.

Nothing that is logged says who or how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure

from config.settings import Settings
from config.statefile import StateFileError
from proxy.bindings import Binding, Bindings
from proxy.flow import Flow
from tap.log import where

if TYPE_CHECKING:
    from config.store.registrations import Changes, Registrations, StoredBinding

FLUSH = 0.2
"""Seconds between two writes."""

BATCH = 2000
"""Addresses of record in one write: to collect them takes the reactor some ten milliseconds."""

_WAIT = 2.0
"""Seconds that another's lock may hold up one write; it is tried again soon."""


class RegistrationJournal:
    """The journal of one process's bindings (`proxy.bindings.Journal`)."""

    def __init__(self, settings: Settings, clock: Callable[[], float], log: Logger) -> None:
        """Set up; without a registrar of our own in settings nothing here does anything. clock: monotonic seconds."""
        section = settings.registrar
        self._section = section if section is not None and section.mode == "local" else None
        self._path = Path(settings.state_dir) / (section.store if section is not None else "registrations.db")
        self._clock = clock
        self._log = log
        self._table: Bindings | None = None
        self._store: Registrations | None = None
        self._changed: dict[bytes, None] = {}
        """Addresses of record whose bindings the store has not got."""
        self._ticks: LoopingCall | None = None
        self._is_writing = False
        self._under_way: Changes = {}
        """Addresses of record in the write that a thread is at."""
        self._is_failing = False
        self._is_anew = False
        """Whether the store was made by us, empty, and has not been filled yet."""

    def make(self) -> None:
        """Make the store where there is none, and load what reads it: once, for all that are forked afterwards."""
        if self._section is not None:
            try:
                self._opened()
            except StateFileError as error:
                self._fail(str(error))

    def begin(self, table: Bindings) -> None:
        """Read what there is into an empty table, here and now, and listen to it."""
        if self._section is None:
            return
        self._table = table
        now = self._clock()
        wall = now + table.epoch
        try:
            stored = self._opened().read(wall, self._section.all_bindings)
        except StateFileError as error:
            self._fail(str(error))
            stored = {}
        for aor, rows in stored.items():
            longest = float(self._section.maximum_expires)  # a clock that was set back makes nothing last longer
            bindings = [_restored(row, now + min(row.expires - wall, longest)) for row in rows]
            table.replace(aor, tuple(bindings[: self._section.bindings]), now, known=True)
        table.journal = self
        self._is_anew = False  # nobody was known before
        self._log.info("{count} registrations read", count=len(table))

    def start(self, reactor: Any) -> None:  # noqa: ANN401 - Twisted has no one interface for all that a reactor does
        """Write what has changed, again and again."""
        if self._section is None:
            return
        self._ticks = LoopingCall(self._tick, reactor)
        self._ticks.clock = reactor
        self._ticks.start(FLUSH, now=False)

    def stop(self) -> None:
        """Write what is left, and no more. Safe to call twice, and before the start."""
        ticks, self._ticks = self._ticks, None
        if ticks is None:
            return
        ticks.stop()
        while self._changed:
            batch = self._batch()
            try:
                self._write(batch)
            except StateFileError as error:
                self._fail(str(error))
                return
            self._fill()

    def write(self, aor: bytes, bindings: tuple[Binding, ...], now: float) -> None:
        """Note that an address of record has other bindings; which, is asked when they are written."""
        if self._section is not None and len(self._changed) > 4 * self._section.all_bindings:
            # The store has failed for long, and the addresses are none that are still there: they end by themselves.
            self._changed.clear()
        self._changed[aor] = None

    def gauges(self) -> Mapping[str, float]:
        """Return the numbers for the metrics page."""
        return {
            "sipveil_registrations_unsaved": len(self._changed.keys() | self._under_way.keys()),
            "sipveil_registrations_store_failing": int(self._is_failing),
        }

    def _tick(self, reactor: Any) -> None:  # noqa: ANN401
        """Send a thread to write, unless one is still at it."""
        if self._is_writing or not self._changed:
            return
        self._is_writing = True
        batch = self._batch()
        self._under_way = batch
        written = deferToThreadPool(reactor, reactor.getThreadPool(), self._write, batch)
        written.addCallbacks(self._written, self._failed, errbackArgs=(batch,))

    def _batch(self) -> Changes:
        """Take some of what has changed, as it is now."""
        table = self._table
        taken = list(self._changed)[:BATCH]
        for aor in taken:
            del self._changed[aor]
        if table is None:
            return {}
        return {aor: _kept(table.of(aor), table.epoch) for aor in taken}

    def _write(self, batch: Changes) -> None:
        """Write a batch; the thread's part.

        Raises:
            StoreError: it cannot be.
        """
        self._opened().write(batch)

    def _opened(self) -> Registrations:
        if self._store is None:
            # Who has no registrar needs no database library either: 20 MB, and a third of a second.
            from config.store.registrations import Registrations  # noqa: PLC0415

            self._is_anew = self._is_anew or not self._path.exists()
            self._store = Registrations(self._path, _WAIT)
        return self._store

    def _written(self, _: object) -> None:
        """Go on after a write."""
        self._is_writing, self._under_way = False, {}
        self._fill()
        if self._is_failing:
            self._is_failing = False
            self._log.info("registrations are saved again")

    def _fill(self) -> None:
        """Have everybody who is known written to a store that took the place of one that was lost."""
        if self._is_anew and self._table is not None:
            self._is_anew = False
            self._changed = {**self._changed, **dict.fromkeys(self._table.all_addresses())}

    def _failed(self, failure: Failure, batch: Changes) -> None:
        """Keep in mind what could not be written, whoever's fault it is."""
        self._is_writing, self._under_way = False, {}
        self._store = None  # made anew, should it be gone
        self._changed = {**dict.fromkeys(batch), **self._changed}
        error = cast(BaseException, failure.value)
        self._fail(str(error) if isinstance(error, StateFileError) else where(error, failure.getTracebackObject()))

    def _fail(self, reason: str) -> None:
        """Say that nothing is saved, once."""
        if not self._is_failing:
            self._is_failing = True
            self._log.error("registrations cannot be saved and go on in memory: {reason}", reason=reason)


def _kept(bindings: tuple[Binding, ...], epoch: float) -> tuple[StoredBinding, ...]:
    """Return what the store keeps of bindings; `epoch`: wall clock less monotonic one."""
    from config.store.registrations import StoredBinding  # noqa: PLC0415

    return tuple([
        StoredBinding(
            each.uri, each.q, each.call_id, each.cseq, each.until + epoch, each.flow.transport, *each.flow.local,
            *each.flow.peer, b"".join(uri + b"\n" for uri in each.path), each.instance, each.reg_id, each.made,
            each.since, each.account,
        )
        for each in bindings
        if not each.flow.connection
    ])  # fmt: skip


def _restored(row: StoredBinding, until: float) -> Binding:
    """Return the binding of a row, which ends at `until` in monotonic seconds."""
    flow = Flow(row.transport, (row.local_host, row.local_port), (row.peer_host, row.peer_port))
    path = tuple(row.path.split(b"\n")[:-1])
    return Binding(
        row.uri, row.q, row.call_id, row.cseq, until, flow, path, row.instance, row.reg_id, row.made, row.since,
        row.account,
    )  # fmt: skip
