"""The life of a key (dialogs.md, "Keys"), in the file keys.json of the state folder.

`add` distributes a key that opens but does not seal yet, so that every node has it before the first
token made with it arrives; `use` makes it current and the former one old; `retire` destroys an old one
when no dialog sealed with it can be alive: then nobody can open the tokens in a carrier's records.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from config.keyring import ID_COUNT, SECRET_SIZE, Key, KeyRing, KeyRingError, KeyState, decode, encode
from config.statefile import StateFile

__all__ = ["Key", "KeyRing", "KeyRingError", "KeyState", "add", "load", "load_or_create", "retire", "use"]


def load(path: Path) -> KeyRing:
    """Return the key ring at path.

    Raises:
        KeyRingError: if it is not there, not private or malformed.
    """
    ring = _read(path)
    if ring is None:
        raise KeyRingError(f"{path}: there is no key ring; the first start of sipveil makes one")
    return ring


def load_or_create(path: Path, wall: float) -> KeyRing:
    """Return the key ring at path; on first start make one with a single current key.

    Raises:
        KeyRingError: if it is not private or malformed, or cannot be made.
    """
    with _file(path).locked():
        ring = _read(path)
        if ring is None:
            ring = KeyRing((_fresh(0, wall, KeyState.CURRENT),), next_id=1)
            _write(path, ring)
        return ring


def add(path: Path, wall: float) -> Key:
    """Add a key that opens but does not seal yet; `use` it when every node has it.

    Raises:
        KeyRingError: if all ids are taken, or the ring cannot be used.
    """
    with _file(path).locked():
        ring = load(path)
        free = [(ring.next_id + step) % ID_COUNT for step in range(ID_COUNT)]
        free = [key_id for key_id in free if ring.get(key_id) is None]
        if not free:
            raise KeyRingError(f"{path}: all {ID_COUNT} key ids are taken; retire an old key first")
        key = _fresh(free[0], wall, KeyState.NEW)
        _write(path, KeyRing((*ring.keys, key), next_id=(key.id + 1) % ID_COUNT))
        return key


def use(path: Path, key_id: int, wall: float) -> KeyRing:
    """Make a new key the current one; the former becomes old. Returns the ring as it is then.

    Raises:
        KeyRingError: if the key is not a new one, or the ring cannot be used.
    """
    with _file(path).locked():
        ring = load(path)
        key = _known(path, ring, key_id)
        if key.state is not KeyState.NEW:
            raise KeyRingError(f"{path}: key {key_id} is {key.state}; only a new key can become current")
        changed = {
            ring.current.id: replace(ring.current, state=KeyState.OLD, superseded=wall),
            key_id: replace(key, state=KeyState.CURRENT),
        }
        ring = KeyRing(tuple(changed.get(each.id, each) for each in ring.keys), ring.next_id)
        _write(path, ring)
        return ring


def retire(path: Path, key_id: int, wall: float, max_dialog_age: float, *, force: bool = False) -> KeyRing:
    """Destroy an old key, or a new one that was never used. Returns the ring as it is then.

    An old key goes when max_dialog_age seconds have passed since it was superseded; with force at once,
    and the calls still up that were set up under it are lost.

    Raises:
        KeyRingError: if the key is current, or old and still needed, or the ring cannot be used.
    """
    with _file(path).locked():
        ring = load(path)
        key = _known(path, ring, key_id)
        if key.state is KeyState.CURRENT:
            raise KeyRingError(f"{path}: key {key_id} is the current one; use another first")
        free_at = wall if key.superseded is None else key.superseded + max_dialog_age
        if wall < free_at and not force:
            raise KeyRingError(f"{path}: calls may still need key {key_id} until {_utc(free_at)}; retire it then")
        ring = KeyRing(tuple(each for each in ring.keys if each.id != key_id), ring.next_id)
        _write(path, ring)
        return ring


def _file(path: Path) -> StateFile:
    return StateFile(path, KeyRingError)


def _read(path: Path) -> KeyRing | None:
    """Return the ring at path, None if there is no such file."""
    content = _file(path).read()
    if content is None:
        return None
    try:
        return decode(content)
    except KeyRingError as error:
        raise KeyRingError(f"{path}: {error}; restore it from a backup, for calls that are up need it") from None


def _write(path: Path, ring: KeyRing) -> None:
    _file(path).write(encode(ring))


def _fresh(key_id: int, wall: float, state: KeyState) -> Key:
    return Key(key_id, secrets.token_bytes(SECRET_SIZE), wall, state)


def _known(path: Path, ring: KeyRing, key_id: int) -> Key:
    key = ring.get(key_id)
    if key is None:
        ids = ", ".join(str(each.id) for each in ring.keys)
        raise KeyRingError(f"{path}: there is no key {key_id}; there are {ids}")
    return key


def _utc(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
