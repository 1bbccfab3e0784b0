"""Trunks and recorders that are no longer configured, for the calls that are still up over them.

dialogs.md: "A deleted trunk still serves its dialogs." So every trunk ever configured is remembered in
trunks.json until max_dialog_age after the first start without it; in between it takes no new calls. Recorders are
trunks here as everywhere, and theirs are recording sessions.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from config.recorder_trunk import RecorderTrunk, recorder_trunks
from config.settings import Settings, Trunk
from config.statefile import StateFile, StateFileError


class RetiredTrunksError(StateFileError):
    """A trunks.json that cannot be used."""


class _Memory(BaseModel):
    """A trunk as it was last configured."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    trunk: Trunk | RecorderTrunk
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
    """Write down the trunks and recorders of settings; return those retired whose dialogs may still be alive.

    path is trunks.json in the state folder, wall the wall clock and max_dialog_age an age, in seconds.
    A retired trunk whose listener is gone as well comes back on the first listener that there is; a recorder on the
    first with TLS.

    Raises:
        RetiredTrunksError: if the file is not private, malformed or cannot be written.
    """
    file = StateFile(path, RetiredTrunksError)
    with file.locked():
        retired = _alive(_read(file), settings, wall, max_dialog_age)
        current = [_Memory(trunk=trunk, configured=True, last_seen=wall) for trunk in _configured(settings)]
        file.write(_File(trunks=(*current, *retired)).model_dump_json(indent=2).encode() + b"\n")
    return _reachable(retired, settings)


def recall(path: Path, settings: Settings, wall: float, max_dialog_age: float) -> tuple[Trunk, ...]:
    """Return what `remember` would, and write nothing: whether settings will run is not known yet.

    Raises:
        RetiredTrunksError: if the file is not private or malformed.
    """
    return _reachable(_alive(_read(StateFile(path, RetiredTrunksError)), settings, wall, max_dialog_age), settings)


def _configured(settings: Settings) -> tuple[Trunk, ...]:
    return (*settings.trunks, *recorder_trunks(settings))


def _alive(memories: tuple[_Memory, ...], settings: Settings, wall: float, max_dialog_age: float) -> list[_Memory]:
    return [memory for memory in _retired(memories, settings, wall) if wall - memory.last_seen <= max_dialog_age]


def _retired(memories: tuple[_Memory, ...], settings: Settings, wall: float) -> list[_Memory]:
    """Return the memories of trunks that settings does not have.

    One that was still configured at the last start has served until now, however long ago that start was.
    """
    ids = {trunk_id(trunk.name) for trunk in _configured(settings)}
    gone = [memory for memory in memories if trunk_id(memory.trunk.name) not in ids]
    return [
        memory.model_copy(update={"configured": False, "last_seen": wall}) if memory.configured else memory
        for memory in gone
    ]


def _reachable(memories: list[_Memory], settings: Settings) -> tuple[Trunk, ...]:
    """Put each on a listener that exists; a recorder for which there is none has lost its sessions."""
    found = [_on_a_listener(memory.trunk, settings) for memory in memories]
    return tuple([trunk for trunk in found if trunk is not None])


def _on_a_listener(trunk: Trunk, settings: Settings) -> Trunk | None:
    is_recorder = isinstance(trunk, RecorderTrunk)
    fitting = [each.name for each in settings.listeners if each.transport == "tls" or not is_recorder]
    if trunk.listener in fitting:
        return trunk
    if not fitting:
        return None
    moved: dict[str, object] = {"listener": fitting[0]}
    if is_recorder:
        moved["believed_on"] = (fitting[0],)  # what it sends is believed where it is connected to
    return trunk.model_copy(update=moved)


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
