"""Trunks that are no longer configured, for the calls that are still up over them.

dialogs.md: "A deleted trunk still serves its dialogs." So every trunk ever configured is remembered in
trunks.json until max_dialog_age after the first start without it; in between it takes no new calls.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from config.settings import Settings, Trunk
from config.statefile import StateFile, StateFileError


class RetiredTrunksError(StateFileError):
    """A trunks.json that cannot be used."""


class _Memory(BaseModel):
    """A trunk as it was last configured."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    trunk: Trunk
    configured: bool
    last_seen: float


class _File(BaseModel):
    """The content of trunks.json."""

    model_config = ConfigDict(extra="forbid")

    trunks: tuple[_Memory, ...]


def trunk_id(name: str) -> int:
    """Return the id that stands for a trunk in dialog records: 32 bits that depend on its name alone, never 0.

    An index would make calls change trunks when the file is edited.
    """
    return int.from_bytes(sha256(name.encode()).digest()[:4]) or 1


def remember(path: Path, settings: Settings, wall: float, max_dialog_age: float) -> tuple[Trunk, ...]:
    """Write down the trunks of settings; return those retired whose dialogs may still be alive.

    path is trunks.json in the state folder, wall the wall clock and max_dialog_age an age, in seconds.
    A retired trunk whose listener is gone as well comes back on the first listener that there is.

    Raises:
        RetiredTrunksError: if the file is not private, malformed or cannot be written.
    """
    file = StateFile(path, RetiredTrunksError)
    with file.locked():
        retired = [
            memory for memory in _retired(_read(file), settings, wall) if wall - memory.last_seen <= max_dialog_age
        ]
        current = [_Memory(trunk=trunk, configured=True, last_seen=wall) for trunk in settings.trunks]
        file.write(_File(trunks=(*current, *retired)).model_dump_json(indent=2).encode() + b"\n")
    return tuple(_reachable(memory.trunk, settings) for memory in retired)


def _retired(memories: tuple[_Memory, ...], settings: Settings, wall: float) -> list[_Memory]:
    """Return the memories of trunks that settings does not have.

    One that was still configured at the last start has served until now, however long ago that start was.
    """
    ids = {trunk_id(trunk.name) for trunk in settings.trunks}
    gone = [memory for memory in memories if trunk_id(memory.trunk.name) not in ids]
    return [
        memory.model_copy(update={"configured": False, "last_seen": wall}) if memory.configured else memory
        for memory in gone
    ]


def _reachable(trunk: Trunk, settings: Settings) -> Trunk:
    """Put the trunk on a listener that exists."""
    if any(listener.name == trunk.listener for listener in settings.listeners):
        return trunk
    return trunk.model_copy(update={"listener": settings.listeners[0].name})


def _read(file: StateFile) -> tuple[_Memory, ...]:
    """Return what the file remembers: nothing on the first start."""
    content = file.read()
    if content is None:
        return ()
    try:
        return _File.model_validate_json(content).trunks
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        reason = f"{where}: {first['msg']}" if where else first["msg"]
    raise RetiredTrunksError(
        f"{file.path}: is malformed ({reason}); restore it, or delete it and lose the calls over deleted trunks"
    )
