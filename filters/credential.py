"""The key that PASSporTs are signed with: ES256, for which numbers, and between which days (RFC 8225 §8, RFC 8226)."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping, Sequence

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def _unheard() -> None:
    """Tell nobody."""


class Credential:
    """A key, where its certificate is, and what that certificate is good for."""

    __slots__ = ("_algorithm", "_begins", "_ends", "_heads", "_info", "_key", "_lapsed", "_numbers", "_tell", "_x5u")

    def __init__(
        self, key: EllipticCurvePrivateKey, x5u: str, numbers: Sequence[str] = (), begins: float = -math.inf,
        ends: float = math.inf, tell: Callable[[], None] = _unheard,
    ) -> None:  # fmt: skip
        """Prepare.

        Args:
            key: on P-256.
            x5u: where everybody finds the certificate chain.
            numbers: how the numbers begin that the operator answers for, with country code, without `+`.
            begins: Unix seconds from which on the certificate holds.
            ends: its end.
            tell: called when it turns out at a call that it does not hold, once until it holds again.
        """
        self._key = key
        self._x5u = x5u
        self._info = x5u.encode()
        self._numbers = tuple(number.encode() for number in numbers)
        self._begins = begins
        self._ends = ends
        self._tell = tell
        self._lapsed = False
        self._algorithm = _ecdsa()
        self._heads: dict[str, bytes] = {}

    @property
    def is_bounded(self) -> bool:
        """Whether it is known which numbers are the operator's."""
        return bool(self._numbers)

    def answers_for(self, number: bytes) -> bool:
        """Tell whether a number, digits with country code, is one of the operator's."""
        return number.isdigit() and number.startswith(self._numbers)

    def holds(self, wall: int) -> bool:
        """Tell whether the certificate holds at a time: a signature under one that does not is worth nothing."""
        good = self._begins <= wall <= self._ends
        if not good and not self._lapsed:
            self._tell()
        self._lapsed = not good
        return good

    def identity(self, ppt: str, claims: Mapping[str, object]) -> bytes:
        """Return the Identity header, full form, with a PASSporT of a type and these claims."""
        head = self._heads.get(ppt)
        if head is None:
            head = b64(_json({"alg": "ES256", "ppt": ppt, "typ": "passport", "x5u": self._x5u}))
            self._heads[ppt] = head
        signed = head + b"." + b64(_json(claims))
        r, s = decode_dss_signature(self._key.sign(signed, self._algorithm))
        signature = b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        return b"Identity: %b.%b;info=<%b>;alg=ES256;ppt=%b" % (signed, signature, self._info, ppt.encode())


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
