"""Verifies signed calls (RFC 8224 §6.2, RFC 8588 §6, ATIS-1000074 §5.3): what the core is told of a caller's number."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from config.trust_store import Signatory
from filters.passport import Passport, read
from filters.said import canonical, fingerprints, uris
from filters.signer import FRESH, stamp
from proxy.errors import Malformed
from proxy.message import Message

MAX_TRIED = 4
"""PASSporTs of one request that are looked at: one by the first carrier, few by those who diverted it."""


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
        for value in request.values(b"identity")[:MAX_TRIED]:
            found, attest = self._look_at(value, request, wall)
            if found is Result.PASSED:
                return found, attest
            if found is Result.FAILED:
                result = found
        return result, ""

    def _look_at(self, value: bytes, request: Message, wall: int) -> tuple[Result, str]:
        try:
            passport = read(value)
        except Malformed:
            return Result.FAILED, ""
        if passport.ppt != "shaken":
            return Result.NONE, ""  # a baseline, `div` or `rcd` one says nothing about the right to the number alone
        signatory = self._signatories.get(passport.x5u)
        if signatory is None:
            return Result.NONE, ""
        holds = (
            passport.info == passport.x5u.encode()
            and passport.attest in ("A", "B", "C")
            and abs(passport.iat - wall) <= FRESH
            and signatory.begins <= wall <= signatory.ends
            and _says_the_same(passport, request)
            and _is_signed(passport, signatory)
        )
        return (Result.PASSED, passport.attest) if holds else (Result.FAILED, "")


def _says_the_same(passport: Passport, request: Message) -> bool:
    """Tell whether the request says what was signed.

    Who calls is P-Asserted-Identity where there is one, all of it, else From (ATIS-1000074); who is called is To.
    """
    date = request.value(b"date")
    if date is not None:
        seconds = stamp(date)
        if seconds is None or abs(seconds - passport.iat) > FRESH:
            return False
    asserted = {canonical(uri) for uri in uris(request.values(b"p-asserted-identity"))}
    if b"p-asserted-identity" not in request.index:
        asserted = {canonical(request.from_.uri)}
    return (
        asserted == {passport.orig}
        and canonical(request.to.uri) in passport.dest
        and (not passport.keys or passport.keys == fingerprints(request.body))
    )


def _is_signed(passport: Passport, signatory: Signatory) -> bool:
    r, s = int.from_bytes(passport.signature[:32], "big"), int.from_bytes(passport.signature[32:], "big")
    try:
        signatory.key.verify(encode_dss_signature(r, s), passport.signed, ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
