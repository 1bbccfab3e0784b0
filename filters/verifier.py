"""Verifies signed calls (RFC 8224 §6.2, RFC 8588 §6, ATIS-1000074 §5.3): what the core is told of a caller's number.

A call that was diverted is followed from the PASSporT of its first carrier over `div` ones (RFC 8946 §4.2). One that is
for To needs none: whether the Request-URI still is, such a PASSporT does not say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from config.trust_store import Signatory
from filters.chain import ends, reached
from filters.passport import Passport, read
from filters.said import canonical, fingerprints, uris
from filters.signer import FRESH, stamp
from proxy.errors import Malformed
from proxy.message import Message

MAX_TRIED = 8
"""PASSporTs of one request that are looked at: one by the first carrier, and few by those who diverted it."""


class Result(StrEnum):
    """The values of `verstat` (3GPP TS 24.229 §7.2A.20)."""

    PASSED = "TN-Validation-Passed"
    FAILED = "TN-Validation-Failed"
    NONE = "No-TN-Validation"
    """Nobody signed it, or with a certificate that is not in the store."""


class Verifier:
    """Knows whose signatures count."""

    __slots__ = ("_signatories",)

    def __init__(self, signatories: Mapping[str, Signatory]) -> None:
        """Count those of signatories, by the URL of their certificates."""
        self._signatories = signatories

    def verify(self, request: Message, wall: int) -> tuple[Result, str]:
        """Return what a request's signatures are worth, and the attestation of one that holds; else ""."""
        result = Result.NONE
        passports = []
        for value in request.values(b"identity")[:MAX_TRIED]:
            try:
                passports.append(read(value))
            except Malformed:
                result = Result.FAILED
        for passport in passports:
            if passport.ppt != "shaken":
                continue  # a baseline, `div` or `rcd` one says nothing about the right to the number alone
            found = self._judge(passport, passports, request, wall)
            if found is Result.PASSED:
                return found, passport.attest
            if found is Result.FAILED:
                result = found
        return result, ""

    def _judge(self, passport: Passport, passports: Sequence[Passport], request: Message, wall: int) -> Result:
        """Judge a SHAKEN PASSporT: whether it holds, and is for whom is called, or was before others diverted it."""
        holds = self._holds(passport, request, wall)
        if holds is not Result.PASSED:
            return holds
        if passport.attest not in ("A", "B", "C") or _calling(request) != {passport.orig}:
            return Result.FAILED
        called = {canonical(request.to.uri), canonical(request.uri)} - {b""}
        return holds if called & set(passport.dest) else self._diverted(passport, passports, called, request, wall)

    def _diverted(
        self, first: Passport, passports: Sequence[Passport], called: set[bytes], request: Message, wall: int
    ) -> Result:
        """Follow the `div` PASSporTs from a first one to whom is called (RFC 8946 §4.2): each of them has to hold."""
        judged = [(link, self._holds(link, request, wall)) for link in reached(first, passports)[1:]]
        good = [link for link, holds in judged if holds is Result.PASSED]
        if any(called & set(last.dest) for last in ends(first, good)):
            return Result.PASSED
        # Where somebody whom we do not know diverted it, nothing is said against the caller.
        return Result.NONE if any(holds is Result.NONE for _, holds in judged) else Result.FAILED

    def _holds(self, passport: Passport, request: Message, wall: int) -> Result:
        """Return whether a PASSporT is whole, of this minute, and by whom it says; NONE for whom we do not know."""
        signatory = self._signatories.get(passport.x5u)
        if signatory is None:
            return Result.NONE
        holds = (
            passport.info == passport.x5u.encode()
            and abs(passport.iat - wall) <= FRESH
            and signatory.validity.holds(wall)
            and _is_dated(passport, request)
            and (not passport.keys or passport.keys == fingerprints(request.body))
            and is_signed(passport, signatory)
        )
        return Result.PASSED if holds else Result.FAILED


def _calling(request: Message) -> set[bytes]:
    """Return who calls: P-Asserted-Identity where there is one, all of it, else From (ATIS-1000074)."""
    if b"p-asserted-identity" in request.index:
        return {canonical(uri) for uri in uris(request.values(b"p-asserted-identity"))}
    return {canonical(request.from_.uri)}


def _is_dated(passport: Passport, request: Message) -> bool:
    """Tell whether Date, where there is one, is of the minute that was signed (RFC 8224 §6.2 step 4)."""
    date = request.value(b"date")
    seconds = stamp(date) if date is not None else passport.iat
    return seconds is not None and abs(seconds - passport.iat) <= FRESH


def is_signed(passport: Passport, signatory: Signatory) -> bool:
    """Tell whether a signature is of a key: ES256, r and s as RFC 7518 §3.4 has them."""
    r, s = int.from_bytes(passport.signature[:32], "big"), int.from_bytes(passport.signature[32:], "big")
    try:
        signatory.key.verify(encode_dss_signature(r, s), passport.signed, ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
