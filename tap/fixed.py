"""What a reload cannot change, because sockets, processes or files hang on it: such a change needs a restart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from config.lines import Path
from config.problem import Mistake, shown
from config.settings import Settings

FIXED = ("state_dir", "workers", "listeners", "registrar", "subscribers", "metrics", "log")
"""Keys and sections that hold from start to end."""
PARTLY = {"registrar": ("mode", "store")}
"""Of these sections that is the case for some keys, and for whether there is one."""

_RIGHT = "restart Sipveil, or set it back and reload the rest"


def fixed_changes(running: Settings, wanted: Settings) -> list[Mistake]:
    """Return what differs of that, each key by itself."""
    before, after = running.model_dump(), wanted.model_dump()
    return [
        Mistake(path, f"changed from {_shown(old)} to {_shown(new)}, which a reload cannot do", _RIGHT)
        for key in FIXED
        for path, old, new in _differences((key,), _held(key, before[key]), _held(key, after[key]))
    ]


def _held(key: str, value: object) -> object:
    """Return what of a section holds from start to end."""
    if key in PARTLY and isinstance(value, Mapping):
        return {each: value[each] for each in PARTLY[key]}
    return value


def _differences(path: Path, before: object, after: object) -> Iterator[tuple[Path, object, object]]:
    """Yield path, former and new value of the smallest parts that differ."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in before:
            yield from _differences((*path, key), before[key], after[key])
    elif (
        isinstance(before, tuple) and isinstance(after, tuple) and len(before) == len(after) and path == ("listeners",)
    ):
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences((*path, place), old, new)
    elif before != after:
        yield path, before, after


def _shown(value: object) -> str:
    """Show a value; the size of a list and whether there is a section say enough of those."""
    if value is None:
        return "nothing"
    if isinstance(value, tuple):
        return f"{len(value)} of them"
    return shown(value)
