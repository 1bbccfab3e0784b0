"""Who of the phones is who: challenges, and what becomes of the answers (RFC 3261 §22, RFC 8760).

Asked is in front of every transaction: who brings no proof gets 401 or 407 from the bytes of the request alone, with a
To tag that tells its ACK (RFC 3261 §8.2.7), and nothing is kept. What follows from an answer is the same, and takes the
same work, for accounts that there are and for those that there are not.
"""

from __future__ import annotations

import ipaddress
from binascii import hexlify
from typing import TYPE_CHECKING, Final

from config.accounts import Accounts, addresses_of, is_disabled, md5_of, sha256_of, sha512_256_of, stand_in
from config.authentication_section import Authentication
from proxy.account_identity import Identity
from proxy.attempts import Attempts, Sender
from proxy.claimed import foreign
from proxy.digest import ALGORITHMS, SHA_256, SHA_512_256, Credentials, challenge, is_right, read
from proxy.errors import Malformed, Refused
from proxy.flow import Flow
from proxy.grammar import COLON
from proxy.headers import Via, parse_via
from proxy.initial import Arrival
from proxy.memo import remembered
from proxy.message import Message
from proxy.nonce import FOREIGN, STALE, Nonces
from proxy.nonce_counts import Counts, NonceCounts
from proxy.party import Party
from proxy.rate import RateLimit, part_of
from proxy.reply import reply
from proxy.uri import parse_sip_uri

if TYPE_CHECKING:
    from proxy.core import Core

NOBODY: Final = ""
"""The account of who need not be anybody."""
CHALLENGED: Final = b"401-"
"""What the To tag of a challenge begins with: any other ACK is told from that of one by the look for it."""
LEAST_FAILURES: Final = 3
"""Wrong answers a minute that each worker allows, if so many may be at all: a phone's REGISTERs all meet one."""
MOST_VALUES: Final = 8
"""Credentials in one request that are read: a proxy in a row asks for one each."""
_TOLD = frozenset(("wrong", "slowed", "replayed", "uri", "identity", "malformed"))
"""Outcomes that are events; the others happen to everybody."""
_STALE = frozenset(("stale", "foreign", "replayed"))
"""Outcomes for which the nonce alone is to blame."""
_WORTHLESS: Final = {STALE: "stale", FOREIGN: "foreign"}


class Verdict:
    """What is to become of a request."""

    __slots__ = ("account", "outcome", "stale", "status")

    def __init__(self, outcome: str, status: int = 0, account: str = NOBODY) -> None:
        """Decide.

        Args:
            outcome: a label of the counter.
            status: of the answer; 0: it may go on.
            account: whose request it is.
        """
        self.outcome = outcome
        self.status = status
        self.account = account
        self.stale = outcome in _STALE
        """Whether a phone may answer anew without asking anybody (RFC 7616 §3.3)."""


class Authenticator:
    """Judges requests of phones outside dialogs."""

    def __init__(self, core: Core, accounts: Accounts | None, shared: Counts | None = None) -> None:
        """Know accounts; None: nobody is ever asked, as by commands that only explain.

        Args:
            core: whose requests are judged.
            accounts: who there is.
            shared: counts of nonces that all workers have in common; None: ours are ours alone.
        """
        self._core = core
        self._shared = shared
        self._accounts = accounts
        self.active = False
        """Whether anybody is asked."""
        self._section = Authentication(realm="unused")
        self._realm = b""
        self._nobody = b""
        self._algorithms: tuple[bytes, ...] = ()
        self._usual: tuple[bytes, ...] = ()
        """Those that each account has."""
        self._counts: Counts | None = shared
        """Begun with the first request that is asked, where they are ours alone: what was issued until then is old."""
        self._attempts = Attempts(1, 1)
        self._challenges = RateLimit(1, 1)

    def obey(self) -> None:
        """Take over the settings and keys of the core's generation; what was counted stays, where it still says it."""
        generation = self._core.generation
        section = generation.network.settings.authentication
        self.active = section is not None and self._accounts is not None
        if section is None:
            return
        realm, tokens = section.realm.encode(), generation.tokens
        if realm != self._realm or section.nonce_life != self._section.nonce_life:
            self._counts = self._shared  # which forgets nothing that still holds, however long that is now
            self._attempts = Attempts(1, 1)
            self._challenges = RateLimit(1, 1)
        workers = generation.network.settings.workers
        self._attempts.failures = part_of(section.failures, workers, LEAST_FAILURES)
        self._attempts.source_failures = part_of(section.source_failures, workers, LEAST_FAILURES)
        self._challenges.limit = part_of(section.challenges, workers)
        self._section, self._realm = section, realm
        self._exempt, self._required = section.exempt, section.required
        self._algorithms = tuple([name for name in ALGORITHMS if name.decode() in section.algorithms])
        self._usual = tuple([name for name in self._algorithms if name != SHA_512_256])
        if self._accounts is not None:
            self._accounts.hashes.wanted = section.userhash
        self._nonces = Nonces(tokens, realm, section.nonce_life, self._core.worker, shared=self._shared is not None)
        # Stands in for an account that there is not: nobody can know what it is the hash of.
        self._nobody = stand_in(
            tokens.mac(tokens.current, b"nobody", size=48) + tokens.mac(tokens.current, b"nobody-else", size=32)
        )
        self._realms = tuple(one.lower().encode() for one in generation.network.settings.own_realms)

    # --- what the handlers ask

    def judge(self, request: Message, flow: Flow, source: Party, now: float) -> str | None:
        """Return the account of a request without To tag, NOBODY where it needs none; None where it was answered."""
        core = self._core
        wall = core.wall(now)
        sender, verdict = self._weighed(request, flow, source, wall)
        if not verdict.status:
            if verdict.account:
                core.guard.proved(flow)
            return verdict.account
        if verdict.status in (401, 407) and not self._may_challenge(sender, flow, wall):
            core.counters.add("authentications", "silenced")
            core.drop("challenge-rate")
            return None
        lines = self._lines(verdict, request, sender, wall)
        tag = self._tag(request)
        core.answer(request, flow, reply(request, flow, verdict.status, tag, extra=lines))
        core.counters.add("responses_made", str(verdict.status))
        return None

    def _may_challenge(self, sender: Sender, flow: Flow, wall: int) -> bool:
        """Count a challenge, and tell whether it may be sent: over UDP its receiver may not have asked for it.

        Who has proved an account from there has a number of their own, and so hears us whatever is sent in the name of
        their address; only who writes their port too could use that up.
        """
        if flow.transport != "UDP" or self._challenges.allow(sender.origin, wall):
            return True
        return self._core.guard.has_proved(flow) and self._challenges.allow(sender.place, wall)

    def demand(self, arrival: Arrival, now: float) -> None:
        """Ask for proof of a request with a To tag that no record speaks for, before it may take the routing table.

        Raises:
            Refused: 407, and whatever else `judge` would have answered.
        """
        wall = self._core.wall(now)
        request = arrival.request
        sender, verdict = self._weighed(request, arrival.flow, arrival.source, wall)
        if verdict.status:
            raise Refused(verdict.status, "", *self._lines(verdict, request, sender, wall))
        self.vouch(arrival, verdict.account)

    def vouch(self, arrival: Arrival, account: str) -> None:
        """Note on an arrival whose it is, once it speaks as one who that account may be.

        Raises:
            Refused: 403 for another's identity; never for an emergency call.
        """
        if not account:
            return
        arrival.account = account
        if self._core.generation.network.calls_for_help(arrival.request):
            return
        username = account.encode()
        packed = self._packed(username)
        if packed is None:
            raise Refused(403, "Forbidden")  # it was removed between two looks
        identity = Identity(addresses_of(packed, username, self._realm), self._realms)
        arrival.request.foreign = foreign(arrival.request, identity.has)
        try:
            arrival.replaced = identity.check(arrival.request, replaces=self._section.foreign_from == "replace")
        except Refused as refusal:
            if refusal.code == 403:
                self._note("identity", arrival.request, arrival.source)
            raise

    def addresses(self, account: str) -> tuple[bytes, ...]:
        """Return the canonical addresses of an account; none where it is gone."""
        username = account.encode()
        packed = self._packed(username)
        return () if packed is None else addresses_of(packed, username, self._realm)

    def absorbs(self, request: Message) -> bool:
        """Tell whether an ACK is for a challenge, which no transaction waits for."""
        return request.to_tag[:4] == CHALLENGED and request.to_tag == self._tag(request)

    # --- how it is decided

    def _weighed(self, request: Message, flow: Flow, source: Party, wall: int) -> tuple[Sender, Verdict]:
        """Return who sends a request and what is to become of it, counted."""
        sender = _sender(request, flow, source)
        if not self._must_ask(request, flow, source):
            return sender, Verdict("exempt")
        if self._counts is None:
            self._counts = NonceCounts(wall, self._section.nonce_life)
        verdict = self._verdict(request, source, sender, self._counts, wall)
        if verdict.status and self._core.generation.network.calls_for_help(request):
            # "More important to get an emergency call through" (RFC 6443 §16, RFC 6881 ED-57).
            verdict = Verdict("emergency")
        self._note(verdict.outcome, request, source)
        return sender, verdict

    def _must_ask(self, request: Message, flow: Flow, source: Party) -> bool:
        """Tell whether a sender has to prove anything: phones, and no proxy that has asked them already."""
        if not source.in_access or (self._exempt and self._is_exempt(*flow.peer)):
            return False
        core = self._core
        if request.via.branch not in core.looped:
            return True
        # What we have sent to ourselves (dialogs.md "Nesting") was asked when it came in, and brings no proof any more.
        host, port = flow.peer
        return not core.generation.network.is_us(host.encode(), port)

    def _is_exempt(self, host: str, port: int) -> bool:
        address = ipaddress.ip_address(host.partition("%")[0])
        return any(one.port in (0, port) and address in one.network for one in self._exempt)

    def _verdict(self, request: Message, source: Party, sender: Sender, counts: Counts, wall: int) -> Verdict:
        accounts, refusal = self._accounts, 401 if request.method == b"REGISTER" else 407
        try:
            credentials = self._credentials(request)
        except Malformed:
            return Verdict("malformed", 400)
        if credentials is None and not self._required:
            return Verdict("not-asked")
        if accounts is None or not accounts.are_known:
            return Verdict("unavailable", 503)
        if credentials is None:
            return Verdict("challenged", refusal)
        # An edge proxy may have changed the Request-URI (RFC 3261 §22.4, item 6); a phone speaks for itself.
        if not source.edge and not _is_same(credentials.uri, request.uri):
            return Verdict("uri", 400)
        outcome = self._outcome(credentials, request, sender, counts, wall)
        if outcome == "accepted":
            return Verdict(outcome, 0, credentials.username.decode())
        return Verdict(outcome, refusal)

    def _outcome(self, credentials: Credentials, request: Message, sender: Sender, counts: Counts, wall: int) -> str:
        nonce = credentials.nonce
        issued = self._nonces.judge(nonce, sender.origin, wall, counts.floor)
        if issued < 0:
            return _WORTHLESS[issued]
        username = credentials.username
        blocked = self._attempts.blocks(sender, username, wall)
        packed = self._packed(username) or self._nobody
        ha1 = _ha1(packed, credentials.algorithm) or _ha1(self._nobody, credentials.algorithm)
        right = is_right(credentials, ha1, request.method)
        if blocked:
            return "slowed"
        if not right or packed is self._nobody or is_disabled(packed):
            self._attempts.failed(sender, username, wall)
            return "wrong"
        if not counts.use(nonce, username, credentials.uses, issued, wall):
            return "replayed"
        self._attempts.proved(sender, username)
        return "accepted"

    def _packed(self, username: bytes) -> bytes | None:
        return self._accounts.find(self._realm, username) if self._accounts is not None else None

    def _credentials(self, request: Message) -> Credentials | None:
        """Return the credentials for our realm, under the strongest algorithm that we offer; None without any.

        Raises:
            Malformed: for any that cannot be read, since nobody can tell for whom they are.
        """
        name = b"authorization" if request.method == b"REGISTER" else b"proxy-authorization"
        if name not in request.index:
            return None
        values = request.values(name)
        if len(values) > MOST_VALUES:
            raise Malformed("Too many credentials")
        found: dict[bytes, Credentials] = {}
        for value in values:
            credentials = read(value, self._realm)
            if credentials is not None:  # else a phone that was with another proxy before is asked anew
                found.setdefault(credentials.algorithm, credentials)
        for algorithm in self._offered() if found else ():
            chosen = found.get(algorithm)
            if chosen is not None:
                return self._named(chosen) if chosen.hashed else chosen
        return None

    def _named(self, credentials: Credentials) -> Credentials | None:
        """Return credentials with the username whose hash they have (RFC 7616 §3.4.4); None where nobody may send it.

        An account may have the hash of another for its name: what nobody is found by has no name that anybody has.
        """
        if not self._section.userhash:
            return None
        username = b":"
        if self._accounts is not None:
            hashed = bytes.fromhex(credentials.username.decode("ascii"))
            username = self._accounts.hashes.find(self._realm, credentials.algorithm, hashed) or username
        credentials.username = username
        return credentials

    def _offered(self) -> tuple[bytes, ...]:
        """Return the algorithms of challenges, the strongest first.

        SHA-512-256 where all accounts have that HA1: a phone answers the first that it knows (RFC 8760 §2.6), and what
        is offered may not depend on who asks, or it would tell which accounts there are.
        """
        if len(self._usual) == len(self._algorithms):
            return self._usual
        all_have = self._accounts is None or self._accounts.all_have_sha512_256(self._realm)
        return self._algorithms if all_have else self._usual

    # --- the answers

    def _lines(self, verdict: Verdict, request: Message, sender: Sender, wall: int) -> tuple[bytes, ...]:
        """Return the lines that an answer has besides what it echoes."""
        if verdict.status == 503:
            return (b"Retry-After: %d" % self._core.generation.network.settings.overload.retry_after,)
        if verdict.status not in (401, 407):
            return ()
        floor = self._counts.floor if self._counts is not None else wall
        nonce = self._nonces.make(sender.origin, wall, floor)
        head = b"WWW-Authenticate: " if verdict.status == 401 else b"Proxy-Authenticate: "
        userhash = self._section.userhash and self._accounts is not None and self._accounts.hashes.are_known
        lines = [
            head + challenge(self._realm, nonce, each, stale=verdict.stale, userhash=userhash)
            for each in self._offered()
        ]
        return tuple(lines)

    def _tag(self, request: Message) -> bytes:
        tokens = self._core.generation.tokens
        return CHALLENGED + hexlify(tokens.mac(tokens.current, b"challenge", request.via.branch, request.call_id))

    def _note(self, outcome: str, request: Message, source: Party) -> None:
        self._core.counters.add("authentications", outcome)
        if outcome in _TOLD:
            self._core.event("authentication", self._core.pseudonym(request), source.label, outcome)


def _ha1(packed: bytes, algorithm: bytes) -> bytes:
    """Return what an account has for an algorithm, b"" where it has nothing."""
    if algorithm == SHA_512_256:
        return sha512_256_of(packed)
    return sha256_of(packed) if algorithm == SHA_256 else md5_of(packed)


def _sender(request: Message, flow: Flow, source: Party) -> Sender:
    """Return where a request comes from; behind an edge proxy, what that says in the second Via."""
    host, port = flow.peer
    if source.edge:
        via = _second_via(request)
        if via is not None:
            there = via.params.get(b"received", via.host)
            return Sender(_origin(there), b"%b:%b" % (there, via.params.get(b"rport", b"%d" % via.port)))
    address = host.encode()
    return Sender(_origin(address), b"%b:%d" % (address, port))


def _second_via(request: Message) -> Via | None:
    """Return the Via that an edge proxy found on top, None where there is none to be read."""
    values = request.items(b"via")
    try:
        return parse_via(values[1]) if len(values) > 1 else None
    except Malformed:
        return None


def _origin(address: bytes) -> bytes:
    """Return an IPv4 address as it is, and of an IPv6 address the network of 64 bits that it is in."""
    return _network(address) if COLON in address else address


@remembered
def _network(address: bytes) -> bytes:
    try:
        six = ipaddress.IPv6Address(address.strip(b"[]").decode("ascii", "replace").partition("%")[0])
    except ValueError:
        return address
    return six.packed[:8].hex().encode()


def _is_same(said: bytes, wanted: bytes) -> bool:
    """Tell whether digest-uri is the Request-URI (RFC 7616 §3.4): the same user, host and port, whatever is behind."""
    if said == wanted:
        return True
    try:
        one, other = parse_sip_uri(said), parse_sip_uri(wanted)
    except Malformed:
        return False
    if one is None or other is None:
        return False
    return (one.user, one.host.lower(), one.port or 5060) == (other.user, other.host.lower(), other.port or 5060)
