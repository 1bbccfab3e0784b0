"""The schema as an operator sees it: which keys a section has, of what type, within which bounds.

Both the messages about mistakes and the reference manual read `settings` through this.
"""

from __future__ import annotations

from types import NoneType
from typing import Annotated, Literal, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo

from config.address import HostPortValue, NetworkValue
from config.lines import Path
from config.section import Section
from config.settings import Settings
from config.vocabulary import SENSIBLE_ACTIONS, Action, Category

_TYPE_WORDS: dict[object, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    HostPortValue: "host or host:port",
    NetworkValue: "network",
    Action: "action",
}
_LOWER = {"ge": "at least", "gt": "more than", "min_length": "at least"}
_UPPER = {"le": "at most", "lt": "less than", "max_length": "at most"}


def section_at(path: Path) -> type[Section] | None:
    """Return the section whose keys stand at path; None where path leads to no section."""
    section: type[Section] | None = Settings
    for part in path:
        if isinstance(part, str):
            field = section.model_fields.get(part) if section else None
            section = section_of(field) if field else None
    return section


def field_at(path: Path) -> FieldInfo | None:
    """Return the field that path, or the array that path is an element of, belongs to."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    section = section_at(path[:-1]) if path else None
    return section.model_fields.get(str(path[-1])) if section else None


def section_of(field: FieldInfo) -> type[Section] | None:
    """Return the section that the field is, or is an array of; None for plain values."""
    bare = _bare(field.annotation)
    if get_origin(bare) is tuple:
        bare = _bare(get_args(bare)[0])
    return bare if isinstance(bare, type) and issubclass(bare, Section) else None


def is_array(field: FieldInfo) -> bool:
    """Tell whether the field takes several values."""
    return get_origin(_bare(field.annotation)) is tuple


def type_words(field: FieldInfo) -> str:
    """Say what to write for a plain field: `list: network`, `whole number`, `"text" or "json"`."""
    if is_array(field):
        (element, *_) = get_args(_bare(field.annotation))
        return f"list: {_words(element)}"
    return field.title or _words(field.annotation)


def bounds_words(field: FieldInfo) -> str:
    """Say which values of a plain field are allowed: `1 to 65535`, `at least 1 value`; empty: all."""
    limits: dict[str, object] = {}
    for item in field.metadata:
        if isinstance(item, annotated_types.BaseMetadata):
            limits |= {key: getattr(item, key) for key in (*_LOWER, *_UPPER) if hasattr(item, key)}
    limits = {key: value for key, value in limits.items() if value is not None and (key, value) != ("min_length", 0)}
    if "ge" in limits and "le" in limits:
        return f"{limits['ge']} to {limits['le']}"
    words = [f"{(_LOWER | _UPPER)[key]} {value}{_unit(key, value)}" for key, value in limits.items()]
    return ", ".join(words)


def action_words(category: Category) -> str:
    """Name the actions that an operator may choose from for category."""
    return ", ".join(action.name.lower() for action in SENSIBLE_ACTIONS[category])


def _unit(key: str, value: object) -> str:
    """Lengths are counted in values; the rest are plain numbers."""
    if key not in ("min_length", "max_length"):
        return ""
    return " value" if value == 1 else " values"


def _words(annotation: object) -> str:
    """Say what one value looks like; a text of a special kind has its title."""
    for item in get_args(annotation)[1:]:
        if isinstance(item, FieldInfo) and item.title:
            return item.title
    bare = _bare(annotation)
    if get_origin(bare) is Literal:
        return " or ".join(f'"{choice}"' for choice in get_args(bare))
    return _TYPE_WORDS[bare]


def _bare(annotation: object) -> object:
    """Strip Annotated and Optional."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    choices = get_args(annotation)
    if NoneType in choices:
        return _bare(next(choice for choice in choices if choice is not NoneType))
    return annotation
