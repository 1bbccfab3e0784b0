"""Nonces that nobody keeps: what they are for stands in them, under a key of its own from the key ring.

    key id (1 byte) | time in seconds (4) | serial (2) | keyed hash (12)      in base64url, 26 letters

The hash takes in the realm, the worker, the Call-ID and the address of whom it is given to. The Call-ID, because all
requests of one meet the same worker (`matching.owner`): so each nonce is used up in one place, whichever node made it.
The worker, because REGISTERs meet that of their address of record (`proxy/registration_owner.py`): what was proved to
one proves nothing to another.
The address, because a wrong answer is counted against it: nobody can have another one blamed who does not receive
what is sent to that one. Whose Call-ID or address has changed gets `stale=true`, and asks nobody for a password.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from proxy.encoding import from_base64, to_base64
from proxy.tokens import Tokens, same

HASH_SIZE: Final = 12
_SIZE: Final = 7 + HASH_SIZE
SKEW: Final = 60
"""Seconds that the clock of another node may be ahead."""


class Freshness(Enum):
    """What a nonce is worth."""

    FRESH = "fresh"
    STALE = "stale"
    """Ours, and too old, or from before we began to keep count."""
    FOREIGN = "foreign"
    """Not ours, or given to somebody else, or for another Call-ID."""


class Judged(NamedTuple):
    """A nonce that came back."""

    freshness: Freshness
    issued: int = 0
    """Unix seconds."""


class Nonces:
    """Makes and judges nonces of one realm under the keys of one ring."""

    def __init__(self, tokens: Tokens, realm: bytes, life: int, worker: int = 0) -> None:
        """Make nonces of a worker that hold for life seconds."""
        self._worker = bytes((worker,))
        self._tokens = tokens
        self._realm = realm
        self._life = life
        self._serial = 0

    def make(self, call_id: bytes, origin: bytes, wall: int, floor: int) -> bytes:
        """Return a nonce for the requests of a Call-ID from an address.

        Args:
            call_id: of the request that is challenged.
            origin: the address that the challenge goes to.
            wall: Unix seconds.
            floor: nonces issued up to then count as old; the new one is younger.
        """
        self._serial = (self._serial + 1) & 0xFFFF
        key_id = self._tokens.current
        stamp = max(wall, floor + 1).to_bytes(4, "big") + self._serial.to_bytes(2, "big")
        return to_base64(bytes((key_id,)) + stamp + self._hash(key_id, stamp, call_id, origin))

    def judge(self, nonce: bytes, call_id: bytes, origin: bytes, wall: int, floor: int) -> Judged:
        """Return what a nonce is worth in a request of this Call-ID from this address; arguments as in `make`."""
        raw = from_base64(nonce)
        if len(raw) != _SIZE or self._tokens.ring.get(raw[0]) is None:
            return Judged(Freshness.FOREIGN)
        stamp = raw[1:7]
        if not same(self._hash(raw[0], stamp, call_id, origin), raw[7:]):
            return Judged(Freshness.FOREIGN)
        issued = int.from_bytes(stamp[:4], "big")
        # A clock that was set back must not make strangers of those who were just challenged: floor stands in for it.
        if issued <= floor or wall - issued > self._life or issued > max(wall, floor + 1) + SKEW:
            return Judged(Freshness.STALE, issued)
        return Judged(Freshness.FRESH, issued)

    def _hash(self, key_id: int, stamp: bytes, call_id: bytes, origin: bytes) -> bytes:
        return self._tokens.mac(key_id, b"nonce", self._worker, stamp, self._realm, call_id, origin, size=HASH_SIZE)
