"""Credentials for the requests that go to a trunk: which attempt each is, and which nonces still serve.

A `Login` belongs to one crossing, so to one request on its way to one target. `Logins` is a core's memory: what worked
is used for further requests to the same trunk at once (RFC 3261 §22.3), which saves a round trip for each. It is
bounded, and each worker has its own; what is lost with the process costs a challenge.
"""

from __future__ import annotations

from collections.abc import Mapping
from secrets import token_hex
from typing import TYPE_CHECKING, Final, NamedTuple

from proxy import cseq
from proxy.digest_client import MAX_REALMS, Account, Challenge, read
from proxy.memo import Recent
from proxy.message import Message

if TYPE_CHECKING:
    from proxy.counters import Counters
    from proxy.crossing import Crossing
    from proxy.generation import Generation

CHALLENGES: Final = ((b"www-authenticate", b"Authorization"), (b"proxy-authenticate", b"Proxy-Authorization"))
"""Which header asks, and which one answers (RFC 3261 §22.2, §22.3)."""
MAX_USES = 1_000_000
"""Requests with one nonce; its count has eight hexadecimal digits."""
ONCE_FOR = 300.0
"""Seconds for which no nonce is used twice at a trunk that refused the first second use."""

_ANSWERED = (b"INVITE", b"REFER")
"""Requests that further ones are about."""

Place = tuple[bytes, bytes]
"""The header that answers, and the realm."""


class Nonce:
    """A challenge, and how many requests were made with its nonce."""

    __slots__ = ("challenge", "uses")

    def __init__(self, challenge: Challenge) -> None:
        """Begin with none."""
        self.challenge = challenge
        self.uses = 0


class Login:
    """What a crossing tells a trunk besides what it carries. Its numbers stand in `proxy/cseq.py`."""

    __slots__ = ("_is_invite", "about", "answered", "attempt", "fresh", "lines", "nonces")

    def __init__(self, *, is_invite: bool, answered: int = 0) -> None:
        """Begin with attempt 0.

        Args:
            is_invite: whether the request is one, so that its answers are acknowledged.
            answered: which attempt was answered, of the INVITE that an ACK or PRACK is about, by its token.
        """
        self._is_invite = is_invite
        self.attempt = 0
        self.answered = answered
        self.about = answered
        """Which attempt was answered, of the request that this one is about, as far as anybody knows."""
        self.lines: tuple[bytes, ...] = ()
        """Credentials that were sent, complete header lines."""
        self.nonces: dict[Place, Nonce] = {}
        """What they were made with."""
        self.fresh: frozenset[Place] = frozenset()
        """Those that answered a challenge to this very request: refused again, the password is wrong (§22.2)."""

    @property
    def told(self) -> int:
        """The attempt for the records that answers carry: an ACK brings it back."""
        return self.attempt if self._is_invite else self.answered

    def afresh(self) -> Login:
        """Return what a further target begins with."""
        return Login(is_invite=self._is_invite, answered=self.answered)


class _Answered(NamedTuple):
    attempt: int
    lines: tuple[bytes, ...]


class Logins:
    """What one core knows of the trunks that ask for passwords."""

    def __init__(self, counters: Counters, accounts: Mapping[str, Account]) -> None:
        """Begin with no nonces; accounts are by the names of trunks."""
        self._counters = counters
        self._accounts = dict(accounts)
        self._nonces: dict[str, dict[Place, Nonce]] = {}
        self._once: dict[tuple[str, Place], float] = {}
        """Until when nonces are used once."""
        self._answered: Recent[tuple[object, ...], _Answered] = Recent()
        """Attempts of requests that were answered a moment ago. What is forgotten stands in the tokens too."""

    def adopt(self, accounts: Mapping[str, Account], retired: frozenset[str]) -> None:
        """Go on with other passwords; those of retired trunks serve the calls that are still up."""
        kept = {name: account for name, account in self._accounts.items() if name in retired}
        former, self._accounts = self._accounts, {**kept, **accounts}
        for name in [name for name in self._nonces if former.get(name) != self._accounts.get(name)]:
            del self._nonces[name]

    def prepare(self, generation: Generation, crossing: Crossing) -> None:
        """Find the attempt and the credentials of a crossing's request, before it is written."""
        login, request = crossing.login, crossing.request
        assert login is not None  # noqa: S101 -- asked for crossings to such trunks alone
        method = request.method
        if method == b"ACK":
            # Credentials that the INVITE had are repeated in the ACK, and nobody can challenge it (§22.1).
            known = self._recall(generation, crossing, request.cseq, b"INVITE")
            login.attempt, login.lines = known if known is not None else (login.answered, ())
            return
        if method == b"PRACK":
            known = self._recall(generation, crossing, cseq.acknowledged(request), b"INVITE")
            login.about = known.attempt if known is not None else login.answered
        elif method == b"SUBSCRIBE":
            known = self._recall(generation, crossing, cseq.subscribed(request), b"REFER")
            login.about = known.attempt if known is not None else 0
        self.identify(crossing.hop.party.label, login, method, crossing.target)

    def identify(self, name: str, login: Login, method: bytes, uri: bytes) -> None:
        """Make the credentials of a request to a trunk, of ours or another's: with the nonces that are known to serve.

        Args:
            name: the trunk's.
            login: gets them as lines.
            method: of the request.
            uri: its Request-URI.
        """
        account = self._accounts.get(name)
        if account is None:
            return
        if not login.fresh:
            kept = self._nonces.get(name, {})
            login.nonces = {place: nonce for place, nonce in kept.items() if nonce.uses < MAX_USES}
        lines = []
        for (header, _), nonce in login.nonces.items():
            nonce.uses += 1
            cnonce = token_hex(16).encode()
            value = account.answer(nonce.challenge, method, uri, nonce.uses, cnonce)
            lines.append(header + b": " + value)
        login.lines = tuple(lines)

    def knows(self, name: str) -> bool:
        """Tell whether there is a password for a trunk."""
        return name in self._accounts

    def account(self, name: str) -> Account | None:
        """Return by what a trunk knows us; None where it asks for nothing."""
        return self._accounts.get(name)

    def answer(self, crossing: Crossing, response: Message, now: float) -> Login | None:
        """Return what to repeat a request with that was challenged; None where that is of no use."""
        return self.repeat(crossing.hop.party.label, crossing.login, response, now)

    def repeat(self, name: str, login: Login | None, response: Message, now: float) -> Login | None:
        """Return what to repeat a request with that a trunk has challenged; None where that is of no use."""
        account = self._accounts.get(name)
        if login is None or account is None:
            return self._give_up("unanswerable")
        if login.attempt >= cseq.LAST_ATTEMPT:
            return self._give_up("attempts")
        asked = {
            (header, challenge.realm): challenge
            for asks, header in CHALLENGES
            for challenge in account.choose(read(response.values(asks)))
        }
        if not asked:
            return self._give_up("unanswerable")
        for place, challenge in asked.items():
            if not self._may_answer(name, place, challenge, login, now):
                return self._give_up("rejected")
        following = login.afresh()
        following.attempt = login.attempt + 1
        following.nonces = login.nonces | {place: Nonce(challenge) for place, challenge in asked.items()}
        following.fresh = login.fresh.union(asked)
        stale = all(place in login.nonces for place in asked)
        self._counters.add("trunk_challenges", "stale" if stale else "answered")
        return following

    def _may_answer(self, name: str, place: Place, challenge: Challenge, login: Login, now: float) -> bool:
        """Tell whether a challenge asks for anything that was not given (§22.2: what was rejected is not repeated)."""
        used = login.nonces.get(place)
        if used is None:
            return True
        kept = self._nonces.get(name, {})
        if kept.get(place) is used:
            del kept[place]
            if used.uses <= 2:
                if len(self._once) >= 16 * MAX_REALMS:
                    self._once.clear()
                self._once[name, place] = now + ONCE_FOR
        if used.challenge.nonce == challenge.nonce:
            return False
        # One that had worked before may be too old by now, whether the trunk says so or not.
        return challenge.stale or place not in login.fresh

    def _give_up(self, why: str) -> Login | None:
        self._counters.add("trunk_challenges", why)
        return None

    def worked(self, crossing: Crossing, now: float) -> None:
        """Take note that a trunk has accepted the credentials of a request."""
        if crossing.login is not None:
            self.accepted(crossing.hop.party.label, crossing.login, now)

    def accepted(self, name: str, login: Login, now: float) -> None:
        """Keep the nonces that a trunk has accepted, for further requests."""
        if not login.fresh or name not in self._accounts:
            return
        kept = self._nonces.setdefault(name, {})
        for place, nonce in login.nonces.items():
            if self._once.get((name, place), 0.0) > now:
                continue
            if len(kept) >= 2 * MAX_REALMS and place not in kept:
                kept.clear()  # a trunk that names ever new realms
            kept[place] = nonce

    def note(self, crossing: Crossing, response: Message) -> None:
        """Remember which attempt a response answers: its ACK, PRACK or SUBSCRIBE needs it."""
        login, request = crossing.login, crossing.request
        if login is not None and request.method in _ANSWERED:
            key = (crossing.call_id, crossing.near_is_caller, request.cseq, request.method, response.to_tag)
            self._answered.put(key, _Answered(login.attempt, login.lines))

    def _recall(self, generation: Generation, crossing: Crossing, number: int, method: bytes) -> _Answered | None:
        """Return what `note` remembers of a request that the crossing's is about; None for what is forgotten."""
        tag = generation.identity.open_tag(crossing.request.to_tag, crossing.near.end)
        return self._answered.get((crossing.call_id, crossing.near_is_caller, number, method, tag))
