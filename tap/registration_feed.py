"""Who is registered, in all workers: each has all bindings in memory, and one of them owns an address of record.

    REGISTER ──> owner: changes its table ──> a frame into the feed of every other worker ──> 200
    call     ──> any worker: reads its feed empty ──> looks the phones up

So whoever has its 200 is found by a call that comes after it, whichever worker that meets. A feed is a pair of Unix
datagram sockets that outlives its worker. A worker that takes no more (it hangs, or 4 MiB wait for it) holds nobody up:
the addresses are noted, and it is told what they have by then as soon as there is room.

A worker that begins has read the store, and the feed that waited for it. The others tell it what the store cannot:
bindings by their connections, and changes of the last moments, of the addresses of its own too. It takes no message
until they have, or `PATIENCE` is over.

Frames are pickles of plain values, made and read by processes of one program in sockets that nobody else has.
"""

from __future__ import annotations

import pickle
import socket
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from proxy.bindings import Binding, Bindings
from proxy.flow import Flow
from proxy.places import worker_of_connection
from proxy.registration_owner import owner_of_address

LONGEST = 1 << 18
"""Bytes of a frame: 30 bindings of 8 KiB are the most that there may be (proxy/registration.py)."""
AT_ONCE = 4096
"""Frames that one look takes: some 60 ms; what is left after it is more than a feed holds."""
FLUSH = 0.05
"""Seconds between two tries to tell a worker what it took not at once."""
BATCH = 500
"""Addresses of record in one try: some 5 ms."""
PATIENCE = 1.0
"""Seconds that a worker waits to be told when it begins; a worker that dies with it says nothing."""

_HAS, _IS_SAID_TO_HAVE, _LOST, _TOLD = range(4)


@implementer(IReadDescriptor)
class RegistrationFeed:
    """A worker's part (`proxy.bindings.Others`)."""

    def __init__(
        self, worker: int, reader: socket.socket, writers: Sequence[socket.socket], table: Bindings, *,
        most: int, clock: Callable[[], float], failed: Callable[[Exception], None],
    ) -> None:  # fmt: skip
        """Set up.

        Args:
            worker: our number.
            reader: the end of our feed that is read.
            writers: the ends of all feeds that are written to, by worker.
            table: all bindings, its store already read into it.
            most: addresses of record that are noted for one worker: what is beyond it ends there by its time.
            clock: monotonic seconds, of the machine.
            failed: told of what reading a frame raised; must not raise and must not write out its text.
        """
        self._worker = worker
        self._workers = len(writers)
        self._socket = reader
        self._sends = {each: writer.send for each, writer in enumerate(writers) if each != worker}
        self._table = table
        self._most = most
        self._clock = clock
        self._failed = failed
        self._untold: dict[int, dict[bytes, None]] = {each: {} for each in self._sends}
        """Worker → addresses of record that it does not know the present state of."""
        self._asking: set[int] = set()
        """Workers that wait for the end of what they are told at their beginning."""
        self._missing = set(self._sends)
        """Workers that have not told us all yet."""
        self._changed: set[bytes] = set()
        """Addresses of ours that have changed here meanwhile: what others say of them is old."""

    # --- proxy.bindings.Others

    def owns(self, aor: bytes) -> bool:
        """Tell whether we answer REGISTERs for an address of record."""
        return owner_of_address(aor, self._workers) == self._worker

    def changed(self, aor: bytes, bindings: tuple[Binding, ...]) -> None:
        """Tell all others, as far as they take it."""
        if self._missing:
            self._changed.add(aor)
        frame = pickle.dumps((_HAS, aor, _plain(bindings)))
        for worker, untold in self._untold.items():
            # What waits for it is told later as it is then, so this may overtake it.
            if not self._write(worker, frame) and len(untold) < self._most:
                untold[aor] = None

    def lost(self, aor: bytes, flow: Flow, path: tuple[bytes, ...]) -> None:
        """Tell the owner; where that takes nothing it finds out for itself."""
        self._write(owner_of_address(aor, self._workers), pickle.dumps((_LOST, aor, tuple(flow), path)))

    def catch_up(self) -> None:
        """Read what others have told."""
        recv = self._socket.recv
        for _ in range(AT_ONCE):
            try:
                frame = recv(LONGEST)
            except OSError:  # nothing left
                return
            try:
                self._take(pickle.loads(frame))  # noqa: S301 -- written by another worker, in a socket of ours alone
            except Exception as error:  # the boundary: a frame that cannot be taken must not fail a call
                self._failed(error)

    # --- beginning

    @property
    def is_complete(self) -> bool:
        """Whether all others have told us what they know."""
        return not self._missing

    def began(self, worker: int) -> None:
        """Tell a worker that has just begun all that is ours, and what was its own."""
        untold = self._untold[worker]
        untold.update(dict.fromkeys(self._table.own_addresses(self._worker, self._owner)))
        untold.update(dict.fromkeys(self._table.own_addresses(worker, self._owner)))
        self._asking.add(worker)
        self.flush()

    def flush(self) -> None:
        """Tell what could not be told at once."""
        for worker, untold in self._untold.items():
            for aor in list(untold)[:BATCH]:
                matter = _HAS if self.owns(aor) else _IS_SAID_TO_HAVE
                if not self._write(worker, pickle.dumps((matter, aor, _plain(self._table.of(aor))))):
                    break
                del untold[aor]
            if worker in self._asking and not untold and self._write(worker, pickle.dumps((_TOLD, self._worker))):
                self._asking.discard(worker)

    # --- IReadDescriptor

    def fileno(self) -> int:
        """Return the socket's number, -1 once closed."""
        return self._socket.fileno()

    def doRead(self) -> None:  # noqa: N802 - IReadDescriptor
        """Read what others have told, where no call asks for it."""
        self.catch_up()

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802 - IReadDescriptor
        """Read no more: the reactor stops."""
        self._socket.close()

    def logPrefix(self) -> str:  # noqa: N802 - ILoggingContext
        """Return the name for the reactor's own log."""
        return "registrations"

    # --- inner works

    def _owner(self, aor: bytes) -> int:
        return owner_of_address(aor, self._workers)

    def _write(self, worker: int, frame: bytes) -> bool:
        try:
            self._sends[worker](frame)
        except OSError:  # no room
            return False
        return True

    def _take(self, said: Any) -> None:  # noqa: ANN401 - one of four shapes
        matter, now = said[0], self._clock()
        if matter == _HAS:
            self._table.replace(said[1], _bindings(said[2]), now, known=True)
        elif matter == _LOST:
            self._table.lost(said[1], Flow(*said[2]), said[3], now)
        elif matter == _TOLD:
            self._missing.discard(said[1])
            if not self._missing:
                self._changed.clear()
        else:
            self._hear(said[1], _bindings(said[2]), now)

    def _hear(self, aor: bytes, bindings: tuple[Binding, ...], now: float) -> None:
        """Take what another remembers of an address of ours, less what our predecessor's connections have led to."""
        if aor in self._changed or not self._missing:
            return
        left = tuple([
            each for each in bindings
            if not each.flow.connection or worker_of_connection(each.flow.connection) != self._worker
        ])  # fmt: skip
        if left != self._table.of(aor):
            self._table.replace(aor, left, now)


def _plain(bindings: tuple[Binding, ...]) -> tuple[tuple[object, ...], ...]:
    return tuple([(*each[:5], tuple(each.flow), *each[6:]) for each in bindings])


def _bindings(plain: tuple[Any, ...]) -> tuple[Binding, ...]:
    return tuple([Binding._make((*each[:5], Flow(*each[5]), *each[6:])) for each in plain])
