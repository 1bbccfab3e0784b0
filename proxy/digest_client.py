"""Answers to digest challenges (RFC 3261 §22, RFC 7616, RFC 8760): the client's half, for trunks that want a password.

    WWW-Authenticate lines ─> read ─> choose ─> Account.answer ─> value of Authorization

Nothing here knows a socket, a transaction or a source of randomness. What a challenge says is the trunk's word: it is
read strictly, and what cannot be read counts for nothing. No password reaches a text, an exception or a `repr`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from proxy.digest_hash import HASHES, hashed, response
from proxy.grammar import QUOTED, TOKEN_CLASS

MAX_CHALLENGES = 16
"""Most challenges of one response that are looked at: a proxy that aggregates those of a fork (RFC 3261 §16.7 item 7)
sends one for each of its branches."""
MAX_REALMS = 4
"""Most realms that one request carries credentials for: as many proxies in a row as challenge in practice, and more."""
MAX_VALUE = 1024
"""Longest realm, nonce or opaque, in bytes: it goes back in each request, and over UDP these are small."""

_WS = rb"[ \t]*+"
# challenge = auth-scheme [ 1*SP ( token68 / #auth-param ) ] (RFC 7235 §2.1)
_SCHEME = re.compile(rb"(" + TOKEN_CLASS + rb"++)(?:[ \t]++(?=[^ \t,])|" + _WS + rb"(?=,|\Z))")
# auth-param = token BWS "=" BWS ( token / quoted-string ); RFC 3261 §25.1 says the same with EQUAL
_PARAM = re.compile(
    rb"(" + TOKEN_CLASS + rb"++)" + _WS + rb"=" + _WS + rb"(" + QUOTED + rb"|[^\s,\"]++)" + _WS + rb"(?=,|\Z)",
    re.DOTALL,
)  # fmt: skip
# token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
_TOKEN68 = re.compile(rb"[A-Za-z0-9\-._~+/]++=*+" + _WS + rb"(?=,|\Z)")
_BETWEEN = re.compile(rb"[ \t,]*+")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


class Challenge(NamedTuple):
    """One Digest challenge that can be answered (RFC 7616 §3.3). `domain` means nothing in SIP (RFC 3261 §22.4)."""

    realm: bytes
    """As it stands between its quotes, like the next two: that is what goes back and into the hash (`unq`, §3.4)."""
    nonce: bytes
    opaque: bytes | None
    algorithm: bytes
    """A key of HASHES."""
    names_algorithm: bool
    """Whether it said so; a challenge without means MD5, and its answer says as little."""
    qop: bool
    """Whether it offers `auth`; else it is one of RFC 2069's kind, and has no cnonce and no count."""
    stale: bool
    """Only the nonce was too old: the same credentials may do with this one."""
    userhash: bool


def read(values: Iterable[bytes]) -> list[Challenge]:
    """Return the Digest challenges in the unfolded values of WWW- or Proxy-Authenticate lines, in their order.

    Other schemes, algorithms that nobody here knows, and lines that do not follow the grammar are passed over.
    """
    found: list[Challenge] = []
    for value in values:
        for scheme, params in _split(value) or ():
            if scheme.lower() != b"digest":
                continue
            challenge = _challenge(params)
            if challenge is not None:
                found.append(challenge)
            if len(found) == MAX_CHALLENGES:
                return found
    return found


def _split(value: bytes) -> list[tuple[bytes, dict[bytes, bytes]]] | None:
    """Return schemes with their parameters by lower-case name; None for a line that is none of its grammar."""
    challenges: list[tuple[bytes, dict[bytes, bytes]]] = []
    at = _end(_BETWEEN, value, 0)
    while at < len(value):
        param = _PARAM.match(value, at)
        if param is not None:
            name = param[1].lower()
            if not challenges or name in challenges[-1][1]:
                return None  # of two values nobody knows which one was meant (RFC 7616 §3.3: at most once)
            challenges[-1][1][name] = param[2]
            at = _end(_BETWEEN, value, param.end())
            continue
        scheme = _SCHEME.match(value, at)
        if scheme is None or len(challenges) == MAX_CHALLENGES:
            return None
        challenges.append((scheme[1], {}))
        at = scheme.end()
        if _PARAM.match(value, at) is None:
            other = _TOKEN68.match(value, at)
            at = other.end() if other is not None else at
        at = _end(_BETWEEN, value, at)
    return challenges


def _end(pattern: re.Pattern[bytes], value: bytes, at: int) -> int:
    match = pattern.match(value, at)
    return match.end() if match is not None else at


def _challenge(params: dict[bytes, bytes]) -> Challenge | None:
    """Return what a Digest challenge says; None where it cannot be answered."""
    realm, nonce, opaque = (_quoted(params.get(name)) for name in (b"realm", b"nonce", b"opaque"))
    if realm is None or not nonce or (opaque is None and b"opaque" in params):
        return None
    named = params.get(b"algorithm")
    algorithm = b"MD5" if named is None else named.strip(b'"').upper()  # quoted by many, though it is a token
    offered = params.get(b"qop")
    options = [] if offered is None else [option.strip(b" \t").lower() for option in offered.strip(b'"').split(b",")]
    if algorithm not in HASHES or (offered is not None and b"auth" not in options):
        return None
    stale, userhash = (params.get(name, b"").strip(b'"').lower() == b"true" for name in (b"stale", b"userhash"))
    return Challenge(realm, nonce, opaque, algorithm, named is not None, offered is not None, stale, userhash)


def _quoted(text: bytes | None) -> bytes | None:
    """Return what stands between the quotes of a quoted-string; None for what is none, or should not go back."""
    if text is None or text[:1] != b'"' or len(text) > MAX_VALUE + 2 or _CONTROL.search(text):
        return None
    return text[1:-1]


class Account:
    """User and password at one trunk; they never show in a `repr`."""

    __slots__ = ("_algorithms", "_password", "_realm", "_secrets", "_user")

    def __init__(
        self, user: bytes, password: bytes, realm: bytes | None = None,
        algorithms: Sequence[bytes] = (b"SHA-512-256", b"SHA-256", b"MD5"),
    ) -> None:  # fmt: skip
        """Hold an account.

        Args:
            user: without quotes, backslashes and colons.
            password: any bytes.
            realm: the only one to answer; None: any.
            algorithms: those that may be used, keys of HASHES, the best at the head. By RFC 8760 §2.4 the trunk's
                order counts unless local policy says otherwise: this is it.
        """
        self._user = user
        self._password = password
        self._realm = realm
        self._algorithms = tuple(algorithms)
        self._secrets: dict[tuple[bytes, bytes], bytes] = {}
        """HA1 by realm and algorithm."""

    def __eq__(self, other: object) -> bool:
        """Tell whether both are the same account with the same password; to see whether a reload has changed it."""
        if not isinstance(other, Account):
            return NotImplemented
        mine = (self._user, self._password, self._realm, self._algorithms)
        return mine == (other._user, other._password, other._realm, other._algorithms)

    def __hash__(self) -> int:
        """Return a hash that tells nothing of the password."""
        return hash((self._user, self._realm))

    def answers_realm(self, realm: bytes) -> bool:
        """Tell whether a realm is one that this account is for."""
        return self._realm is None or self._realm == realm

    def choose(self, challenges: Iterable[Challenge]) -> list[Challenge]:
        """Return the challenge to answer for each realm: of the algorithm that is preferred here."""
        best: dict[bytes, Challenge] = {}
        for challenge in challenges:
            if not self.answers_realm(challenge.realm) or challenge.algorithm not in self._algorithms:
                continue
            known = best.get(challenge.realm)
            if known is None:
                if len(best) < MAX_REALMS:
                    best[challenge.realm] = challenge
            elif self._algorithms.index(challenge.algorithm) < self._algorithms.index(known.algorithm):
                best[challenge.realm] = challenge
        return list(best.values())

    def answer(self, challenge: Challenge, method: bytes, uri: bytes, count: int, cnonce: bytes) -> bytes:
        """Return the value of the Authorization for a request (RFC 7616 §3.4).

        Args:
            challenge: one that `choose` returned.
            method: of the request.
            uri: its Request-URI, as it is sent.
            count: how many requests have used this nonce, this one included.
            cnonce: fresh random text, hexadecimal.

        Raises:
            ValueError: for a URI that no header can quote; there is none in a request that was parsed.
        """
        if b'"' in uri or _CONTROL.search(uri):
            raise ValueError("not a Request-URI")
        nc = b"%08x" % count
        counted = (nc, cnonce) if challenge.qop else None
        proof = response(challenge.algorithm, self._secret(challenge), challenge.nonce, (method, uri), counted)
        user = self._user
        if challenge.userhash:
            user = hashed(challenge.algorithm, b"%b:%b" % (user, challenge.realm))
        said = [
            b'Digest username="%b"' % user, b'realm="%b"' % challenge.realm, b'nonce="%b"' % challenge.nonce,
            b'uri="%b"' % uri, b'response="%b"' % proof,
        ]  # fmt: skip
        if challenge.names_algorithm:
            said.append(b"algorithm=" + challenge.algorithm)
        if challenge.opaque is not None:
            said.append(b'opaque="%b"' % challenge.opaque)
        if challenge.qop:
            said += [b"qop=auth", b"nc=" + nc, b'cnonce="%b"' % cnonce]
        if challenge.userhash:
            said.append(b"userhash=true")
        return b", ".join(said)

    def _secret(self, challenge: Challenge) -> bytes:
        """Return HA1, H(username ":" realm ":" password), which is worked out once for a realm."""
        key = (challenge.realm, challenge.algorithm)
        secret = self._secrets.get(key)
        if secret is None:
            if len(self._secrets) >= 4 * MAX_REALMS:
                self._secrets.clear()  # a trunk that names ever new realms
            text = b"%b:%b:%b" % (self._user, challenge.realm, self._password)
            secret = self._secrets[key] = hashed(challenge.algorithm, text)
        return secret


NO_ACCOUNTS: Mapping[str, Account] = MappingProxyType({})
"""Of who has no password at any trunk."""
