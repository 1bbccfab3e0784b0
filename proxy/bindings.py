"""The location service (RFC 3261 §10): which phones are registered under which address of record, in memory.

Who wants to change something hands in all bindings of one address of record: so an update is made as a whole or not at
all. What leaves, by its end or with its connection, leaves here; a journal is told of each change and keeps it.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple, Protocol

from proxy.flow import Flow
from proxy.guard import source_of
from proxy.memo import Recent
from proxy.places import worker_of_connection
from proxy.record import Binding as Recorded
from proxy.timers import Timer, TimerWheel, cancel


class Binding(NamedTuple):
    """One phone of an address of record: what to call it, and the flow by which alone it is reached."""

    uri: bytes
    """Its Contact URI as it stands. It is text of a Request-URI, never a place to send to."""
    q: int
    """Preference in thousandths, 1000 at most."""
    call_id: bytes
    cseq: int
    until: float
    """When it ends, in monotonic seconds."""
    flow: Flow
    path: tuple[bytes, ...] = ()
    """Path URIs of edge proxies in front of the phone, nearest to us first (RFC 3327)."""
    instance: bytes = b""
    """The value of `+sip.instance`, without quotes (RFC 5626 §4.1)."""
    reg_id: int = 0
    """Which of the instance's flows it is; 0 without Outbound."""
    made: int = 0
    """Wall clock of the last REGISTER, seconds: of several flows the youngest is tried first."""
    since: int = 0
    """Wall clock from which on it has had this flow."""


class _Identity(NamedTuple):
    """What stays of a binding when its flow changes."""

    aor: bytes
    instance: bytes
    reg_id: int
    call_id: bytes


class _Former(NamedTuple):
    """A flow that a phone is reached by no more."""

    identity: _Identity
    since: int
    left: int
    """Wall clock: dialogs begun later over this flow are somebody else's."""


class Journal(Protocol):
    """Keeps bindings where a restart finds them."""

    def write(self, aor: bytes, bindings: tuple[Binding, ...], now: float) -> None:
        """Take note of all bindings that an address of record has from now on; must not wait nor raise."""


class Others(Protocol):
    """The other workers, each of which has all bindings too; one of all is the owner of an address of record."""

    def owns(self, aor: bytes) -> bool:
        """Tell whether we are the owner, who alone changes what there is."""

    def changed(self, aor: bytes, bindings: tuple[Binding, ...]) -> None:
        """Tell all others what an address of record of ours has from now on, at once; must not wait nor raise."""

    def lost(self, aor: bytes, flow: Flow, path: tuple[bytes, ...]) -> None:
        """Tell the owner of an address of record what leads nowhere any more."""

    def catch_up(self) -> None:
        """Take what others have told until now."""


class _Entry:
    """An address of record with its bindings, which ends the first of them in time."""

    __slots__ = ("aor", "bindings", "table", "timer")

    def __init__(self, table: Bindings, aor: bytes) -> None:
        self.table = table
        self.aor = aor
        self.bindings: tuple[Binding, ...] = ()
        self.timer: Timer | None = None

    def fire(self, name: str, now: float) -> None:
        """Let go of what has ended."""
        # A timer is never early; what ends within the tick ends with it.
        self.table.replace(self.aor, tuple([each for each in self.bindings if each.until > now]), now)


class Bindings:
    """All bindings of one core."""

    def __init__(self, wheel: TimerWheel, epoch: float) -> None:
        """Begin empty; `epoch` is the wall clock (seconds) less the monotonic one."""
        self.journal: Journal | None = None
        self.others: Others | None = None
        self.epoch = epoch
        self._wheel = wheel
        self._entries: dict[bytes, _Entry] = {}
        self._count = 0
        self._digests: dict[bytes, bytes] = {}
        """Addresses of record by what dialog records hold of them."""
        self._flows: dict[Flow, set[bytes]] = {}
        """Addresses of record by the flows that they are reached by."""
        self._sources: dict[str, int] = {}
        """How many bindings each source has, those behind edge proxies not counted."""
        self._former: Recent[Flow, _Former] = Recent(65536)

    def __len__(self) -> int:
        """Return how many bindings there are."""
        return self._count

    @property
    def addresses(self) -> int:
        """How many addresses of record have any."""
        return len(self._entries)

    def all_addresses(self) -> list[bytes]:
        """Return the addresses of record that have bindings."""
        return list(self._entries)

    def owns(self, aor: bytes) -> bool:
        """Tell whether REGISTERs for an address of record are answered here."""
        return self.others is None or self.others.owns(aor)

    def catch_up(self) -> None:
        """Learn what other workers have registered: whoever has its 200 is found from then on."""
        if self.others is not None:
            self.others.catch_up()

    def of(self, aor: bytes) -> tuple[Binding, ...]:
        """Return the bindings of a canonical address of record."""
        entry = self._entries.get(aor)
        return entry.bindings if entry is not None else ()

    def replace(self, aor: bytes, bindings: tuple[Binding, ...], now: float, *, known: bool = False) -> None:
        """Have these bindings, and no others, for an address of record.

        Args:
            aor: canonical.
            bindings: all of them.
            now: the time.
            known: whether journal or owner said so themselves. What else changes what is not ours (time, a connection
                that is gone) its owner sees too.
        """
        entry = self._entries.get(aor)
        if entry is None:
            if not bindings:
                return
            entry = self._entries[aor] = _Entry(self, aor)
            self._digests[_digest(aor)] = aor
        before, entry.bindings = entry.bindings, bindings
        self._count += len(bindings) - len(before)
        self._note_flows(aor, before, bindings, now)
        self._count_sources(before, bindings)
        cancel(entry.timer)
        entry.timer = None
        if bindings:
            first = min(each.until for each in bindings)
            entry.timer = self._wheel.start(now, max(first - now, 0.0), entry, "binding")
        else:
            del self._entries[aor]
            self._digests.pop(_digest(aor), None)
        if known or not self.owns(aor):
            return
        if self.others is not None:
            self.others.changed(aor, bindings)
        if self.journal is not None:
            self.journal.write(aor, bindings, now)

    def lost(self, aor: bytes, flow: Flow, path: tuple[bytes, ...], now: float) -> None:
        """Take out what leads nowhere any more (RFC 5626 §7): by this flow and Path, unless it has moved meanwhile."""
        bindings = self.of(aor)
        kept = tuple([each for each in bindings if (each.flow, each.path) != (flow, path)])
        if len(kept) < len(bindings):
            self.replace(aor, kept, now)
            if self.others is not None and not self.others.owns(aor):
                self.others.lost(aor, flow, path)

    def closed(self, flow: Flow, now: float) -> None:
        """Take out all that was reached by a connection that is gone."""
        for aor in list(self._flows.get(flow, ())):
            self.replace(aor, tuple([each for each in self.of(aor) if each.flow != flow]), now)

    def from_source(self, source: str) -> int:
        """Return how many bindings a source has (`guard.source_of`), those behind edge proxies not counted."""
        return self._sources.get(source, 0)

    def is_outbound(self, flow: Flow) -> bool:
        """Tell whether a phone with Outbound is reached by a flow itself (RFC 5626), and not by an edge proxy."""
        return any(
            binding.flow == flow and binding.reg_id and not binding.path
            for aor in self._flows.get(flow, ())
            for binding in self.of(aor)
        )

    def worker_ended(self, worker: int, now: float) -> None:
        """Take out all that was reached by connections of a worker that is no more."""
        ended = [flow for flow in self._flows if flow.connection and worker_of_connection(flow.connection) == worker]
        for flow in ended:
            self.closed(flow, now)

    def own_addresses(self, worker: int, owner: Callable[[bytes], int]) -> list[bytes]:
        """Return the addresses of record that a worker owns, as `owner` says."""
        return [aor for aor in self._entries if owner(aor) == worker]

    def current(self, flow: Flow, issued: int) -> Flow | None:
        """Return by which flow a phone is reached now that was reached by `flow` at wall clock `issued` (seconds).

        That is the same one as long as a binding has it, or none ever had; None where the phone has lost it and is not
        registered by another.
        """
        self.catch_up()
        if flow in self._flows:
            return flow
        former = self._former.get(flow)
        if former is None or not former.since <= issued <= former.left:
            return flow
        identity = former.identity
        for binding in self.of(identity.aor):
            if _identity(identity.aor, binding) == identity:
                return binding.flow
        return None

    def recorded(self, flow: Flow) -> Recorded | None:
        """Return what a dialog record keeps of the phone that is reached by a connection; None where that is nobody's.

        Digests, for a record has little room. It is sealed, so they need no key, which would end with its time.
        """
        self.catch_up()
        for aor in self._flows.get(flow, ()):
            for binding in self.of(aor):
                if binding.flow == flow and not binding.path:
                    return _recorded(aor, binding)
        return None

    def found_again(self, recorded: Recorded) -> Flow | None:
        """Return by which flow the phone of a record is reached now; None where it is not registered."""
        self.catch_up()
        aor = self._digests.get(recorded.aor)
        if aor is None:
            return None
        return next((each.flow for each in self.of(aor) if _recorded(aor, each) == recorded), None)

    def _count_sources(self, before: tuple[Binding, ...], after: tuple[Binding, ...]) -> None:
        for binding in after:
            if not binding.path:
                source = source_of(binding.flow)
                self._sources[source] = self._sources.get(source, 0) + 1
        for binding in before:
            if not binding.path:
                source = source_of(binding.flow)
                left = self._sources[source] - 1
                if left:
                    self._sources[source] = left
                else:
                    del self._sources[source]

    def _note_flows(self, aor: bytes, before: tuple[Binding, ...], after: tuple[Binding, ...], now: float) -> None:
        """Keep up which flows are in use, and by what a phone was reached before."""
        used = {each.flow for each in after}
        for flow in used:
            self._flows.setdefault(flow, set()).add(aor)
        for binding in before:
            if binding.flow in used:
                continue
            users = self._flows.get(binding.flow)
            if users is not None:
                users.discard(aor)
                if not users:
                    del self._flows[binding.flow]
            if not binding.path:  # the flow of an edge proxy is that of many phones
                left = int(now + self.epoch)
                self._former.put(binding.flow, _Former(_identity(aor, binding), binding.since, left))


def _identity(aor: bytes, binding: Binding) -> _Identity:
    """Return what tells a phone: instance and reg-id, else the Call-ID that it keeps for its registrations (§10.2)."""
    if binding.instance:
        return _Identity(aor, binding.instance, binding.reg_id, b"")
    return _Identity(aor, b"", 0, binding.call_id)


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=8).digest()


def _recorded(aor: bytes, binding: Binding) -> Recorded:
    identity = _identity(aor, binding)
    return Recorded(_digest(aor), _digest(identity.instance or identity.call_id), identity.reg_id & 0xFFFF)
