"""Keys, the ring that holds them, and the form they have in keys.json.

No secret shows in a repr, in a message or in what led to an exception: what cannot be read is refused
outside of the handler that saw it, so that no traceback carries the file along.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeGuard

from config.statefile import StateFileError

ID_COUNT = 32
"""Key ids are 0 to 31: five bits of a token's first byte."""

SECRET_SIZE = 32
_VERSION = 1


class KeyRingError(StateFileError):
    """A key ring that cannot be used, or a change to it that may not be made."""


class KeyState(StrEnum):
    """What a key may be used for: `new` opens, `current` opens and seals, `old` opens until it is retired."""

    NEW = "new"
    CURRENT = "current"
    OLD = "old"


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the ring. Times are wall-clock seconds; `superseded` is when an old key ceased to be current."""

    id: int
    secret: bytes = field(repr=False)
    created: float
    state: KeyState
    superseded: float | None = None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys, in the order of their making, exactly one of them current. Immutable: a change makes a new ring."""

    keys: tuple[Key, ...]
    next_id: int
    current: Key = field(init=False, repr=False, compare=False)
    _by_id: dict[int, Key] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find the current key once, for it is asked for with every message."""
        by_id = {key.id: key for key in self.keys}
        current = [key for key in self.keys if key.state is KeyState.CURRENT]
        if len(current) != 1 or len(by_id) != len(self.keys):
            raise KeyRingError("a key ring has one current key and no id twice")
        object.__setattr__(self, "current", current[0])
        object.__setattr__(self, "_by_id", by_id)

    def get(self, key_id: int) -> Key | None:
        """Return the key that a token names, None if it was never here or is destroyed."""
        return self._by_id.get(key_id)


def encode(ring: KeyRing) -> bytes:
    """Return the content of keys.json for ring."""
    keys = [
        {
            "id": key.id,
            "secret": base64.b64encode(key.secret).decode(),
            "created": key.created,
            "state": key.state,
            "superseded": key.superseded,
        }
        for key in ring.keys
    ]
    return json.dumps({"version": _VERSION, "next_id": ring.next_id, "keys": keys}, indent=2).encode() + b"\n"


def decode(content: bytes) -> KeyRing:
    """Return the ring that keys.json holds.

    Raises:
        KeyRingError: if it holds none; says what is wrong, not what is there.
    """
    document = _json(content)
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise KeyRingError(f"is not a key ring of version {_VERSION}")
    next_id, keys = document.get("next_id"), document.get("keys")
    if not _is_id(next_id) or not isinstance(keys, list):
        raise KeyRingError("lacks its list of keys or the id of the next one")
    return KeyRing(tuple(_key(place, entry) for place, entry in enumerate(keys, 1)), next_id)


def _json(content: bytes) -> object:
    """Read JSON; None for what is not JSON, whose error would carry the whole text."""
    try:
        document: object = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document


def _key(place: int, entry: object) -> Key:
    """Read the entry at the given place, from 1."""
    if not isinstance(entry, dict):
        raise KeyRingError(f"entry {place} is not a key")
    key_id, secret, state = entry.get("id"), _secret(entry.get("secret")), entry.get("state")
    created, superseded = entry.get("created"), entry.get("superseded")
    if not _is_id(key_id) or secret is None or not _is_time(created) or state not in list(KeyState):
        raise KeyRingError(f"entry {place} lacks a good id, secret, created or state")
    if (state == KeyState.OLD) != _is_time(superseded):
        raise KeyRingError(f"entry {place} must say when it was superseded if, and only if, it is old")
    return Key(key_id, secret, created, KeyState(state), superseded)


def _secret(text: object) -> bytes | None:
    """Decode a secret; None where it is none of the right size."""
    try:
        secret = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        return None
    return secret if len(secret) == SECRET_SIZE else None


def _is_id(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < ID_COUNT


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
