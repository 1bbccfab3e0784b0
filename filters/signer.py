"""Signs calls: a SHAKEN PASSporT over what the message says as it leaves (RFC 8224 §6.1, RFC 8588, ATIS-1000074).

Only what stands in the message is signed, so that a signature never tells a number that the message hides.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate, parsedate_to_datetime
from enum import StrEnum
from uuid import UUID

from config.vocabulary import Zone
from filters.credential import Credential
from filters.said import fingerprints, global_number, request_uri, uris, values_of
from proxy.message import Draft
from proxy.policy import Origin

FRESH = 60
"""Seconds that Date and `iat` may be off (RFC 8224 §6.1 step 3)."""


class Signed(StrEnum):
    """What became of a call that is to be signed, as it is counted."""

    SIGNED = "signed"
    NO_NUMBER = "no-number"
    """One of the two numbers is missing, hidden, or without its country code."""
    EXPIRED = "expired"
    """The certificate does not hold today, by this machine's clock: it goes on unsigned."""


class Signer:
    """What signs, and what is attested for whom."""

    __slots__ = ("_attest", "credential")

    def __init__(self, credential: Credential, attest: Mapping[Zone, str]) -> None:
        """Sign with credential; attest has the level for calls from each zone (RFC 8588 §4)."""
        self.credential = credential
        self._attest = attest

    def sign(self, draft: Draft, origin: Origin, *, relayed: bool = False) -> Signed:
        """Add Identity, and Date where it is missing or stale, if there is something that can be signed.

        Of a relayed call, which others had signed, nothing is attested but that it came through here.
        """
        orig, dest = caller(draft), callee(draft)
        if not orig or not dest:
            return Signed.NO_NUMBER
        if not self.credential.holds(origin.wall):
            return Signed.EXPIRED
        claims: dict[str, object] = {
            "attest": "C" if relayed else self._level(origin.source.zone, orig),
            "dest": {"tn": [dest.decode()]},
            "iat": _dated(draft, origin.wall),
            "orig": {"tn": orig.decode()},
            "origid": str(UUID(bytes=origin.call(), version=4)),
        }
        keys = fingerprints(draft.body)
        if keys:
            # RFC 8225 §5.2.2: in the order of algorithm, then digest.
            claims["mky"] = [{"alg": kind.decode(), "dig": digest.decode()} for kind, digest in sorted(keys)]
        draft.bottom.append(self.credential.identity("shaken", claims))
        draft.note("identity", "signed: what the message says as it leaves (RFC 8588)")
        return Signed.SIGNED

    def _level(self, zone: Zone, orig: bytes) -> str:
        """Return what is attested: A only of the operator's numbers, where it has said which they are."""
        level = self._attest.get(zone, "C")
        foreign = self.credential.is_bounded and not self.credential.answers_for(orig)
        return "B" if level == "A" and foreign else level


def caller(draft: Draft) -> bytes:
    """Return the number that calls: the first that is asserted, else From's (ATIS-1000074 §5.2.1); b"" for none."""
    asserted = [uri for value in values_of(draft, b"p-asserted-identity") for uri in uris([value])]
    for uri in asserted or uris(values_of(draft, b"from")):
        number = global_number(uri)
        if number:
            return number
    return b""


def callee(draft: Draft) -> bytes:
    """Return the number that is called: To's, which verifiers look at (RFC 8224 §6.2), else the Request-URI's."""
    to = uris(values_of(draft, b"to"))
    return (global_number(to[0]) if to else b"") or global_number(request_uri(draft))


def _dated(draft: Draft, wall: int) -> int:
    """Return the time of Date, which the verifier holds against `iat`; a missing or stale Date is set to now."""
    if is_fresh(draft, wall):
        return stamp(draft.first(b"date") or b"") or wall
    for position in draft.find(b"date"):
        draft.settle(position, None, "stale (RFC 8224 §6.1)")
    date(draft, wall)
    return wall


def is_fresh(draft: Draft, wall: int) -> bool:
    """Tell whether a message has a Date of this minute."""
    seconds = stamp(draft.first(b"date") or b"")
    return seconds is not None and abs(seconds - wall) <= FRESH


def date(draft: Draft, wall: int) -> None:
    """Add a Date."""
    draft.bottom.append(b"Date: " + formatdate(wall, usegmt=True).encode())
    draft.note("date", "when it was signed")


def stamp(value: bytes) -> int | None:
    """Return a Date in seconds since the epoch, None for what is none in GMT (RFC 3261 §20.17)."""
    if not value.endswith(b"GMT"):
        return None
    try:
        return int(parsedate_to_datetime(value.decode("ascii")).timestamp())
    except (ValueError, OverflowError):
        return None
