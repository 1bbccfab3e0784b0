"""Signs calls: a SHAKEN PASSporT over what the message says as it leaves (RFC 8224 §6.1, RFC 8588, ATIS-1000074).

Only what stands in the message is signed, so that a signature never tells a number that the message hides.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from email.utils import formatdate, parsedate_to_datetime
from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from config.vocabulary import Zone
from filters.said import fingerprints, global_number, request_uri, uris, values_of
from proxy.message import Draft
from proxy.policy import Origin

FRESH = 60
"""Seconds that Date and `iat` may be off (RFC 8224 §6.1 step 3)."""


class Signer:
    """A key, where its certificate is, and what is attested for whom."""

    __slots__ = ("_algorithm", "_attest", "_header", "_info", "_key")

    def __init__(self, key: EllipticCurvePrivateKey, x5u: str, attest: Mapping[Zone, str]) -> None:
        """Prepare.

        Args:
            key: on P-256.
            x5u: where everybody finds the certificate chain.
            attest: the level for calls from each zone (RFC 8588 §4).
        """
        self._key = key
        self._attest = attest
        self._header = b64(_json({"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": x5u}))
        self._info = x5u.encode()
        self._algorithm = _ecdsa()

    def sign(self, draft: Draft, origin: Origin) -> bool:
        """Add Identity, and Date where it is missing or stale; False where there is nothing that can be signed."""
        orig, dest = caller(draft), callee(draft)
        if not orig or not dest:
            return False
        claims: dict[str, object] = {
            "attest": self._attest.get(origin.source.zone, "C"),
            "dest": {"tn": [dest.decode()]},
            "iat": _dated(draft, origin.wall),
            "orig": {"tn": orig.decode()},
            "origid": str(UUID(bytes=origin.call(), version=4)),
        }
        keys = fingerprints(draft.body)
        if keys:
            # RFC 8225 §5.2.2: in the order of algorithm, then digest.
            claims["mky"] = [{"alg": kind.decode(), "dig": digest.decode()} for kind, digest in sorted(keys)]
        signed = self._header + b"." + b64(_json(claims))
        r, s = decode_dss_signature(self._key.sign(signed, self._algorithm))
        signature = b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        draft.bottom.append(b"Identity: %b.%b;info=<%b>;alg=ES256;ppt=shaken" % (signed, signature, self._info))
        draft.note("identity", "signed: what the message says as it leaves (RFC 8588)")
        return True


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


def b64(data: bytes) -> bytes:
    """Return base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _json(value: Mapping[str, object]) -> bytes:
    """Return JSON as it is signed: names in order, no white space (RFC 8225 §9)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _ecdsa() -> ECDSA:
    """Return ECDSA without random numbers (RFC 6979) where the library has it: a bad one would give the key away."""
    try:
        return ECDSA(hashes.SHA256(), deterministic_signing=True)
    except UnsupportedAlgorithm:
        return ECDSA(hashes.SHA256())


def _dated(draft: Draft, wall: int) -> int:
    """Return the time of Date, which the verifier holds against `iat`; a missing or stale Date is set to now."""
    places = draft.find(b"date") if b"date" in draft else []
    if places:
        seconds = stamp(draft.value(places[0]))
        if seconds is not None and abs(seconds - wall) <= FRESH:
            return seconds
    for position in places:
        draft.settle(position, None, "stale (RFC 8224 §6.1)")
    draft.bottom.append(b"Date: " + formatdate(wall, usegmt=True).encode())
    draft.note("date", "when it was signed")
    return wall


def stamp(value: bytes) -> int | None:
    """Return a Date in seconds since the epoch, None for what is none in GMT (RFC 3261 §20.17)."""
    if not value.endswith(b"GMT"):
        return None
    try:
        return int(parsedate_to_datetime(value.decode("ascii")).timestamp())
    except (ValueError, OverflowError):
        return None
