"""Look-ups of next hops that are configured by name, beside the reactor.

dnspython asks in a thread of its own (`resolver_query`), so that a dead name server holds up nobody but the requests
that wait for that name. Answers are kept for their TTL within bounds, failures for a moment, and a
name whose server has died keeps its last places (RFC 8767): a trunk does not go down with its DNS.
Names in the hosts file, and `localhost` (RFC 6761 §6.3), are answered without asking.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from proxy.location import Place, plain
from proxy.resolver_query import FAILED, FAILURE_TTL, NEGATIVE_TTL, Answer, Query

MIN_TTL = 5.0
"""Seconds that an answer is kept at least: a TTL of 0 must not become a look-up a call."""
MAX_TTL = 3600.0
"""Seconds that an answer is kept at most, so that a moved trunk is found within the hour."""
STALE_RECHECK = 30.0
"""Seconds until a name whose servers failed is asked for again while older places serve (RFC 8767 §5)."""
MAX_STALE = 86_400.0
"""Seconds beyond its TTL that an answer serves while the name servers fail (RFC 8767 §5: one to three days)."""
PATIENCE = 1.8
"""Seconds that callers wait for servers where older places would serve (RFC 8767 §5, client response timer)."""
MAX_THREADS = 16
"""Most questions under way at once; each is a thread that waits for the network."""
MAX_WAITING = 1024
"""Most names waiting for a thread; above it a look-up fails at once."""
MAX_NAMES = 4096
"""Most names kept; the one that was not asked for the longest leaves first."""

Done = Callable[[Sequence[Place]], None]


class Clock(Protocol):
    """The part of the reactor that the resolver uses."""

    def seconds(self) -> float:
        """Return the reactor's time in seconds."""

    def callLater(self, delay: float, callable: Callable[..., object], *args: object) -> object:  # noqa: A002, N802
        """Call after delay seconds."""

    def callFromThread(self, callable: Callable[..., object], *args: object) -> object:  # noqa: A002, N802
        """Call in the reactor's thread."""


_Key = tuple[str, str]
"""A name, and the transport whose services count; "" for addresses alone."""


class _Kept(NamedTuple):
    places: tuple[Place, ...]
    expires: float
    stale_until: float
    failing: bool = False
    """Whether the servers failed when last asked: then nobody waits for them again."""


def read_hosts(path: Path) -> dict[str, list[str]]:
    """Return name (lower case) → addresses of a hosts(5) file; an unreadable one is empty."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    hosts: dict[str, list[str]] = {}
    for line in lines:
        address, *names = line.partition("#")[0].split() or [""]
        for name in names:
            hosts.setdefault(name.lower(), []).append(address)
    return hosts


def _lifetime(answer: Answer) -> float:
    """Return how many seconds an answer is kept."""
    if answer.failed:
        return FAILURE_TTL
    return min(max(answer.ttl, MIN_TTL), MAX_TTL if answer.places else NEGATIVE_TTL)


class Resolver:
    """Look-ups with a cache; asks once for a name, however many wait for it."""

    def __init__(self, clock: Clock, query: Query, hosts: Mapping[str, list[str]] | None = None) -> None:
        """Set up, asking nothing yet.

        Args:
            clock: the reactor.
            query: blocking look-up, see `resolver_query.ask_name_servers`.
            hosts: names that are never asked for, lower case.
        """
        self._clock = clock
        self._query = query
        known = {"localhost": ["127.0.0.1", "::1"], **(hosts or {})}
        self._hosts = {name: plain(addresses) for name, addresses in known.items()}
        self._cache: OrderedDict[_Key, _Kept] = OrderedDict()
        self._waiters: dict[_Key, list[Done]] = {}
        self._queue: deque[_Key] = deque()
        self._threads = 0
        self._open = True

    @property
    def in_flight(self) -> int:
        """Names being asked for or waiting to be."""
        return len(self._waiters)

    def lookup(self, host: str, port: int, done: Done, transport: str = "UDP") -> None:
        """Find where host is served over a transport and hand that to done, later and never from within this call.

        With a port its addresses alone count (RFC 3263 §4.2); 0 means that none was given. Nothing found means: it is
        served nowhere, or nobody answered.
        """
        key = host.lower().removesuffix("."), "" if port else transport
        known = self._known(key)
        if known is not None:
            self._clock.callLater(0, done, known)
        elif key in self._waiters or self._enqueue(key):
            self._waiters[key].append(done)
        else:
            self._clock.callLater(0, done, ())

    def ask(self, query: Query) -> None:
        """Ask by another query from now on; what is known stays for its time."""
        self._query = query

    def close(self) -> None:
        """Forget who waits; threads under way end by themselves."""
        self._open = False
        self._waiters.clear()
        self._queue.clear()

    def _known(self, key: _Key) -> tuple[Place, ...] | None:
        """Return what can be said without asking, or None."""
        if key[0] in self._hosts:
            return self._hosts[key[0]]
        kept = self._cache.get(key)
        if kept is None:
            return None
        now = self._clock.seconds()
        if kept.expires <= now:
            if not kept.failing or kept.stale_until <= now:
                return None
            if key not in self._waiters:
                self._enqueue(key)  # behind the caller's back, who gets the old places meanwhile
        self._cache.move_to_end(key)
        return kept.places

    def _enqueue(self, key: _Key) -> bool:
        """Have a name asked for; False where too many wait already."""
        if len(self._queue) >= MAX_WAITING:
            return False
        self._waiters[key] = []
        self._queue.append(key)
        if key in self._cache:
            self._clock.callLater(PATIENCE, self._wait_no_longer, key)
        self._ask_next()
        return True

    def _wait_no_longer(self, key: _Key) -> None:
        """Give who waits the older places, if there are some; the question stays under way."""
        kept = self._cache.get(key)
        if self._waiters.get(key) and kept and kept.places and self._clock.seconds() < kept.stale_until:
            self._cache[key] = kept._replace(failing=True)  # nobody else waits until the servers have answered
            waiting, self._waiters[key] = self._waiters[key], []
            for done in waiting:
                done(kept.places)

    def _ask_next(self) -> None:
        """Start as many threads as there are names and room; a daemon, so that no dead server delays our end."""
        while self._open and self._queue and self._threads < MAX_THREADS:
            self._threads += 1
            key = self._queue.popleft()
            threading.Thread(target=self._ask, args=(key,), name="sipveil-dns", daemon=True).start()

    def _ask(self, key: _Key) -> None:
        """Ask, in a thread."""
        try:
            answer = self._query(*key)
        except Exception:  # a thread's traceback would name the host on stderr
            answer = FAILED
        self._clock.callFromThread(self._answered, key, answer)

    def _answered(self, key: _Key, answer: Answer) -> None:
        """Keep an answer and hand it out, in the reactor's thread."""
        self._threads -= 1
        if not self._open:
            return
        places = self._keep(key, answer)
        for done in self._waiters.pop(key, []):
            self._clock.callLater(0, done, places)
        self._ask_next()

    def _keep(self, key: _Key, answer: Answer) -> tuple[Place, ...]:
        """Put an answer into the cache; return the places to use, the last known where the servers failed."""
        now = self._clock.seconds()
        old = self._cache.get(key)
        if answer.failed and old is not None and old.places and now < old.stale_until:
            kept = old._replace(expires=now + STALE_RECHECK, failing=True)
        else:
            expires = now + _lifetime(answer)
            kept = _Kept(answer.places, expires, expires + MAX_STALE)
        self._cache[key] = kept
        self._cache.move_to_end(key)
        while len(self._cache) > MAX_NAMES:
            self._cache.popitem(last=False)
        return kept.places
