"""Nonces that nobody keeps: what they are for stands in them, under a key of its own from the key ring.

    key id (1 byte) | time in seconds (4) | worker (1) | serial (2) | keyed hash (12)     in base64url, 27 letters

The worker is there so that no two workers make one nonce for two phones behind one address; and where each keeps count
for itself (`proxy/nonce_counts.py`) another's is worth nothing. For which worker a request meets its sender chooses, by
Call-ID or To: each nonce is used up in one place, be it one that all have in common (`tap/shared_nonce_counts.py`).
The hash takes in the realm and the address of whom it is given to. The address, because a wrong answer is counted
against it: nobody can have another one blamed who does not receive what is sent to that one. Not the Call-ID: a phone
goes on with a nonce in its next call (RFC 7616 §3.4), and a proof is of method and Request-URI, whatever call it stands
in. Who has another address by now gets `stale=true`, and asks nobody for a password.
"""

from __future__ import annotations

import secrets
from typing import Final

from proxy.encoding import BYTES, from_base64
from proxy.letters import to_base64
from proxy.tokens import Tokens, same

HASH_SIZE: Final = 12
_STAMP: Final = 8
"""Bytes in front of the hash."""
_SIZE: Final = _STAMP + HASH_SIZE
SKEW: Final = 60
"""Seconds that the clock of another node may be ahead."""


STALE: Final = -1
"""Of a nonce: ours, and too old, or from before we began to keep count."""
FOREIGN: Final = -2
"""Of a nonce: not ours, or another's to count, or given to somebody else."""


class Nonces:
    """Makes and judges nonces of one realm under the keys of one ring."""

    def __init__(self, tokens: Tokens, realm: bytes, life: int, worker: int = 0, *, shared: bool = False) -> None:
        """Make nonces of a worker that hold for life seconds; shared: whether those of others are as good."""
        self._worker = bytes((worker,))
        self._shared = shared
        self._tokens = tokens
        self._realm = realm
        self._life = life
        # Somewhere, so that a worker that is started anew repeats none that was made in this second.
        self._serial = secrets.randbelow(1 << 16)

    def make(self, origin: bytes, wall: int, floor: int) -> bytes:
        """Return a nonce for the requests of an address.

        Args:
            origin: the address that the challenge goes to.
            wall: Unix seconds.
            floor: nonces issued up to then count as old; the new one is younger.
        """
        self._serial = (self._serial + 1) & 0xFFFF
        key_id = self._tokens.current
        stamp = max(wall, floor + 1).to_bytes(4, "big") + self._worker + self._serial.to_bytes(2, "big")
        return to_base64(BYTES[key_id] + stamp + self._hash(key_id, stamp, origin))

    def judge(self, nonce: bytes, origin: bytes, wall: int, floor: int) -> int:
        """Return when a nonce was made that is fresh in a request from this address, Unix seconds; STALE or FOREIGN.

        Arguments are as of `make`.
        """
        raw = from_base64(nonce)
        if len(raw) != _SIZE or self._tokens.ring.get(raw[0]) is None:
            return FOREIGN
        stamp = raw[1:_STAMP]
        if not same(self._hash(raw[0], stamp, origin), raw[_STAMP:]):
            return FOREIGN
        if not self._shared and stamp[4:5] != self._worker:
            return FOREIGN
        issued = int.from_bytes(stamp[:4], "big")
        # A clock that was set back must not make strangers of those who were just challenged: floor stands in for it.
        if issued <= floor or wall - issued > self._life or issued > max(wall, floor + 1) + SKEW:
            return STALE
        return issued

    def _hash(self, key_id: int, stamp: bytes, origin: bytes) -> bytes:
        return self._tokens.mac(key_id, b"nonce", stamp, self._realm, origin, size=HASH_SIZE)
