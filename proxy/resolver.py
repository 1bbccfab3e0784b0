"""Addresses of next hops that are configured by name: A and AAAA look-ups beside the reactor.

dnspython asks in a thread of its own, so that a dead name server holds up nobody but the requests
that wait for that name. Answers are kept for their TTL within bounds, failures for a moment, and a
name whose server has died keeps its last addresses (RFC 8767): a trunk does not go down with its DNS.
Names in the hosts file, and `localhost` (RFC 6761 §6.3), are answered without asking.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import dns.exception
import dns.message
import dns.rdatatype
import dns.resolver

MIN_TTL = 5.0
"""Seconds that an answer is kept at least: a TTL of 0 must not become a look-up a call."""
MAX_TTL = 3600.0
"""Seconds that an answer is kept at most, so that a moved trunk is found within the hour."""
NEGATIVE_TTL = 30.0
"""Seconds that `no such name` is kept at most (RFC 2308 §5 allows hours: too long for a trunk that comes back)."""
FAILURE_TTL = 5.0
"""Seconds until a name whose servers failed is asked for again (RFC 9520 §3.2: at least 1, at most 300)."""
STALE_RECHECK = 30.0
"""The same for a name that has older addresses to serve meanwhile (RFC 8767 §5: the failure recheck timer)."""
MAX_STALE = 86_400.0
"""Seconds beyond its TTL that an answer serves while the name servers fail (RFC 8767 §5: one to three days)."""
LIFETIME = 3.0
"""Seconds that all tries of one question may take: well inside timer B (32 s), so that failover has time."""
MAX_THREADS = 16
"""Most questions under way at once; each is a thread that waits for the network."""
MAX_WAITING = 1024
"""Most names waiting for a thread; above it a look-up fails at once."""
MAX_NAMES = 4096
"""Most names kept; the one that was not asked for the longest leaves first."""

Done = Callable[[list[str]], None]


class Clock(Protocol):
    """The part of the reactor that the resolver uses."""

    def seconds(self) -> float:
        """Return the reactor's time in seconds."""

    def callLater(self, delay: float, callable: Callable[..., object], *args: object) -> object:  # noqa: A002, N802
        """Call after delay seconds."""

    def callFromThread(self, callable: Callable[..., object], *args: object) -> object:  # noqa: A002, N802
        """Call in the reactor's thread."""


class Answer(NamedTuple):
    """What the name servers said of one name."""

    addresses: list[str]
    """Addresses in the order to try; empty: there are none."""
    ttl: float
    """Seconds that they may be kept."""
    failed: bool = False
    """Whether no server answered, so that older addresses may go on serving."""


class _Kept(NamedTuple):
    addresses: list[str]
    expires: float
    stale_until: float
    failing: bool = False
    """Whether the servers failed when last asked: then nobody waits for them again."""


Query = Callable[[str], Answer]


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


def system_name_servers(path: str = "/etc/resolv.conf") -> dns.resolver.Resolver:
    """Return the machine's resolver; one that finds nothing where path names no server, so that IP hops still work."""
    try:
        return dns.resolver.Resolver(path)
    except (dns.exception.DNSException, OSError):
        return dns.resolver.Resolver(configure=False)


def ask_name_servers(
    resolver: dns.resolver.Resolver, families: Sequence[str] = ("A", "AAAA"), lifetime: float = LIFETIME
) -> Query:
    """Return a query that asks resolver for each record type of families, in that order.

    The query blocks up to lifetime seconds a family and never raises: it is called in a thread.
    """

    def query(host: str) -> Answer:
        return _merge([_ask(resolver, host, family, lifetime) for family in families])

    return query


def _ask(resolver: dns.resolver.Resolver, host: str, family: str, lifetime: float) -> Answer:
    """Ask for one record type."""
    try:
        # The search list is for single labels only: a trunk's full name is never completed to something else.
        found = resolver.resolve(host, family, lifetime=lifetime, search="." not in host)
    except dns.resolver.NXDOMAIN as error:
        return Answer([], _negative_ttl(error.responses().values()))
    except dns.resolver.NoAnswer as error:
        return Answer([], _negative_ttl([error.response()]))
    except Exception:  # timeout, SERVFAIL, no route, a name that is none: nothing a caller could do differently
        return Answer([], FAILURE_TTL, failed=True)
    return Answer([record.address for record in found], float(found.rrset.ttl if found.rrset else 0))


def _negative_ttl(responses: Iterable[dns.message.Message]) -> float:
    """Return how long `no such name` holds: the SOA's TTL and minimum (RFC 2308 §5)."""
    ttls = [
        min(rrset.ttl, rrset[0].minimum)
        for response in responses
        for rrset in response.authority
        if rrset.rdtype == dns.rdatatype.SOA
    ]
    return float(min(ttls, default=NEGATIVE_TTL))


def _merge(answers: Sequence[Answer]) -> Answer:
    """Join the answers for all families; what failed counts only where nothing was found."""
    found = [answer for answer in answers if answer.addresses]
    if found:
        return Answer([a for answer in found for a in answer.addresses], min(answer.ttl for answer in found))
    failed = any(answer.failed for answer in answers)
    return Answer([], min(answer.ttl for answer in answers), failed)


def _lifetime(answer: Answer) -> float:
    """Return how many seconds an answer is kept."""
    if answer.failed:
        return FAILURE_TTL
    return min(max(answer.ttl, MIN_TTL), MAX_TTL if answer.addresses else NEGATIVE_TTL)


class Resolver:
    """Look-ups with a cache; asks once for a name, however many wait for it."""

    def __init__(self, clock: Clock, query: Query, hosts: Mapping[str, list[str]] | None = None) -> None:
        """Set up, asking nothing yet.

        Args:
            clock: the reactor.
            query: blocking look-up, see `ask_name_servers`.
            hosts: names that are never asked for, lower case.
        """
        self._clock = clock
        self._query = query
        self._hosts = {"localhost": ["127.0.0.1", "::1"], **(hosts or {})}
        self._cache: OrderedDict[str, _Kept] = OrderedDict()
        self._waiters: dict[str, list[Done]] = {}
        self._queue: deque[str] = deque()
        self._threads = 0
        self._open = True

    @property
    def in_flight(self) -> int:
        """Names being asked for or waiting to be."""
        return len(self._waiters)

    def lookup(self, host: str, done: Done) -> None:
        """Find the addresses of host and hand them to done, later and never from within this call.

        An empty list means: there are none, or nobody answered.
        """
        name = host.lower().removesuffix(".")
        known = self._known(name)
        if known is not None:
            self._clock.callLater(0, done, known)
        elif name in self._waiters or self._enqueue(name):
            self._waiters[name].append(done)
        else:
            self._clock.callLater(0, done, [])

    def close(self) -> None:
        """Forget who waits; threads under way end by themselves."""
        self._open = False
        self._waiters.clear()
        self._queue.clear()

    def _known(self, name: str) -> list[str] | None:
        """Return what can be said without asking, or None."""
        if name in self._hosts:
            return list(self._hosts[name])
        kept = self._cache.get(name)
        if kept is None:
            return None
        now = self._clock.seconds()
        if kept.expires <= now:
            if not kept.failing or kept.stale_until <= now:
                return None
            if name not in self._waiters:
                self._enqueue(name)  # behind the caller's back, who gets the old addresses meanwhile
        self._cache.move_to_end(name)
        return list(kept.addresses)

    def _enqueue(self, name: str) -> bool:
        """Have name asked for; False where too many wait already."""
        if len(self._queue) >= MAX_WAITING:
            return False
        self._waiters[name] = []
        self._queue.append(name)
        self._ask_next()
        return True

    def _ask_next(self) -> None:
        """Start as many threads as there are names and room; a daemon, so that no dead server delays our end."""
        while self._open and self._queue and self._threads < MAX_THREADS:
            self._threads += 1
            name = self._queue.popleft()
            threading.Thread(target=self._ask, args=(name,), name="sipveil-dns", daemon=True).start()

    def _ask(self, name: str) -> None:
        """Ask, in a thread."""
        try:
            answer = self._query(name)
        except Exception:  # a thread's traceback would name the host on stderr
            answer = Answer([], FAILURE_TTL, failed=True)
        self._clock.callFromThread(self._answered, name, answer)

    def _answered(self, name: str, answer: Answer) -> None:
        """Keep an answer and hand it out, in the reactor's thread."""
        self._threads -= 1
        if not self._open:
            return
        addresses = self._keep(name, answer)
        for done in self._waiters.pop(name, []):
            self._clock.callLater(0, done, list(addresses))
        self._ask_next()

    def _keep(self, name: str, answer: Answer) -> list[str]:
        """Put an answer into the cache; return the addresses to use, the last known where the servers failed."""
        now = self._clock.seconds()
        old = self._cache.get(name)
        if answer.failed and old is not None and old.addresses and now < old.stale_until:
            kept = old._replace(expires=now + STALE_RECHECK, failing=True)
        else:
            expires = now + _lifetime(answer)
            kept = _Kept(list(answer.addresses), expires, expires + MAX_STALE)
        self._cache[name] = kept
        self._cache.move_to_end(name)
        while len(self._cache) > MAX_NAMES:
            self._cache.popitem(last=False)
        return kept.addresses
