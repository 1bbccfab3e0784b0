"""The questions of one look-up, asked of real name servers with dnspython (RFC 3263 §4.1 and §4.2).

NAPTR names the SRV records, else they stand under `_sip._udp` or what else a party's listener speaks; where there are
none, the name's own addresses serve.
Only answers count, silence is no denial: where nobody says whether there are SRV records, the name's own addresses are
not taken for the trunk's. All of this blocks, and is called in a thread (`resolver`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from time import monotonic  # noqa: TID251 -- a thread that waits has no reactor to ask
from typing import Any, NamedTuple

import dns.exception
import dns.message
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

from proxy.location import Place

NEGATIVE_TTL = 30.0
"""Seconds that `no such name` is kept at most (RFC 2308 §5 allows hours: too long for a trunk that comes back)."""
FAILURE_TTL = 5.0
"""Seconds until a name whose servers failed is asked for again (RFC 9520 §3.2: at least 1, at most 300)."""
QUESTION = 2.0
"""Seconds that all tries of one question may take."""
LIFETIME = 6.0
"""Seconds that all questions of one look-up may take: well inside timer B (32 s), so that failover has time."""
MAX_SERVICES = 8
"""Most SRV records of a name whose addresses are asked for: two questions each."""
MAX_POINTERS = 3
"""Most NAPTR records that are followed."""
SERVICES = {
    "UDP": ("sip+d2u", "_sip._udp."),
    "TCP": ("sip+d2t", "_sip._tcp."),
    "TLS": ("sips+d2t", "_sips._tcp."),
    "WS": ("sip+d2w", "_sip._ws."),
    "WSS": ("sips+d2w", "_sips._ws."),
}
"""Each transport in NAPTR (RFC 3263 §4.1, RFC 7118 §4) and in front of a name (RFC 3263 §4.2). The listener of a party
says which one counts, and no record any other: what TLS is written for is never called without it."""


class Answer(NamedTuple):
    """What the name servers said of one name."""

    places: tuple[Place, ...]
    """Empty: it is served nowhere."""
    ttl: float
    """Seconds that they may be kept."""
    failed: bool = False
    """Whether no server answered, so that older places may go on serving."""


FAILED = Answer((), FAILURE_TTL, failed=True)

Query = Callable[[str, str], Answer]
"""Takes a name and the transport whose services count; "" for its addresses alone, as where a port was given (§4.2)."""


class _Records(NamedTuple):
    """The answer to one question."""

    found: tuple[Any, ...]
    ttl: float
    failed: bool = False


def name_servers(addresses: Sequence[tuple[str, int]]) -> dns.resolver.Resolver:
    """Return a resolver that asks these servers, in this order; the machine's where there are none."""
    if not addresses:
        return system_name_servers()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in addresses]
    resolver.timeout = QUESTION / 2  # the second one has its turn too
    return resolver


def system_name_servers(path: str = "/etc/resolv.conf") -> dns.resolver.Resolver:
    """Return the machine's resolver; one that finds nothing where path names no server, so that IP hops still work."""
    try:
        return dns.resolver.Resolver(path)
    except (dns.exception.DNSException, OSError):
        return dns.resolver.Resolver(configure=False)


def ask_name_servers(
    resolver: dns.resolver.Resolver, families: Sequence[str] = ("A", "AAAA"), lifetime: float = LIFETIME
) -> Query:
    """Return a query that asks resolver; families are the record types of addresses that we can reach.

    The query blocks up to lifetime seconds and never raises: it is called in a thread.
    """

    def query(host: str, services: str) -> Answer:
        search = _Search(resolver, families, monotonic() + lifetime)
        return search.services(host, services) if services else search.addresses(host)

    return query


class _Search:
    """One look-up."""

    def __init__(self, resolver: dns.resolver.Resolver, families: Sequence[str], ends: float) -> None:
        self._resolver = resolver
        self._families = families
        self._ends = ends

    def services(self, host: str, transport: str) -> Answer:
        """Find where a name without a port is served over a transport."""
        service, prefix = SERVICES[transport]
        naptr = self._ask(host, "NAPTR")
        failed, ttl = naptr.failed, naptr.ttl
        for name in _pointers(naptr.found, service) or [prefix + host]:
            srv = self._ask(name, "SRV")
            failed, ttl = failed or srv.failed, min(ttl, srv.ttl)
            if srv.found:
                # Not ttl: a NAPTR that nobody told need not hold up what the SRV records say.
                return self._served(srv, min(srv.ttl, naptr.ttl) if naptr.found else srv.ttl)
        if failed:
            return FAILED
        answer = self.addresses(host)
        return answer if answer.failed else answer._replace(ttl=min(ttl, answer.ttl))

    def addresses(self, host: str) -> Answer:
        """Find the addresses of a name; what failed counts only where nothing was found."""
        # The search list is for single labels only: a trunk's full name is never completed to something else.
        asked = [self._ask(host, family, search="." not in host) for family in self._families]
        found = [records for records in asked if records.found]
        if found:
            addresses = tuple([record.address for records in found for record in records.found])
            return Answer((Place(0, 0, 0, addresses),), min(records.ttl for records in found))
        if any(records.failed for records in asked):
            return FAILED
        return Answer((), min(records.ttl for records in asked))

    def _served(self, srv: _Records, ttl: float) -> Answer:
        """Find the addresses of SRV records; a target of `.` says that there is no such service (RFC 2782)."""
        places: list[Place] = []
        failed = False
        for record in sorted(srv.found, key=lambda each: (each.priority, -each.weight))[:MAX_SERVICES]:
            if record.target == dns.name.root or not record.port:
                continue
            answer = self.addresses(record.target.to_text(omit_final_dot=True))
            failed, ttl = failed or answer.failed, min(ttl, answer.ttl)
            places += [Place(record.priority, record.weight, record.port, each.addresses) for each in answer.places]
        return FAILED if failed and not places else Answer(tuple(places), ttl)

    def _ask(self, name: str, kind: str, *, search: bool = False) -> _Records:
        """Ask one question; over TCP where the answer is truncated, and along CNAMEs."""
        lifetime = min(QUESTION, self._ends - monotonic())
        if lifetime <= 0:
            return _Records((), FAILURE_TTL, failed=True)
        try:
            found = self._resolver.resolve(name, kind, lifetime=lifetime, search=search)
        except dns.resolver.NXDOMAIN as error:
            return _Records((), _negative_ttl(error.responses().values()))
        except dns.resolver.NoAnswer as error:
            return _Records((), _negative_ttl([error.response()]))
        except Exception:  # timeout, SERVFAIL, no route, a name that is none: nothing a caller could do differently
            return _Records((), FAILURE_TTL, failed=True)
        return _Records(tuple(found), float(found.chaining_result.minimum_ttl))


def _pointers(records: Iterable[Any], service: str) -> list[str]:
    """Return the names whose SRV records the NAPTR records for us lead to, first choice first (RFC 3263 §4.1)."""
    ours = sorted(
        (each.order, each.preference, each.replacement.to_text())
        for each in records
        if each.service.lower() == service.encode() and each.flags.lower() == b"s" and not each.regexp
    )
    # Of the records that count those of the lowest order (RFC 3403 §4.1).
    return [name for _, _, name in takewhile(lambda each: each[0] == ours[0][0], ours)][:MAX_POINTERS]


def _negative_ttl(responses: Iterable[dns.message.Message]) -> float:
    """Return how long `no such name` holds: the SOA's TTL and minimum (RFC 2308 §5)."""
    ttls = [
        min(rrset.ttl, rrset[0].minimum)
        for response in responses
        for rrset in response.authority
        if rrset.rdtype == dns.rdatatype.SOA
    ]
    return float(min(ttls, default=NEGATIVE_TTL))
