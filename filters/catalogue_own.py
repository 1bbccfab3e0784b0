"""What an operator's own entries do to ours: replace, open, or never match (design.md §2, step 1).

Opening what we hide takes `weaken = true` on the entry, and is said each time the configuration is checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fnmatch import translate
from functools import lru_cache
from typing import NamedTuple

from config.problem import Problem
from filters.catalogue_entry import FUNCTION
from filters.catalogue_file import Merged, Written
from proxy.grammar import COMPACT

_OPEN = (FUNCTION, "unknown")
"""Categories that hide nothing by themselves: a trusted trunk sees what is unknown."""
_BODY_OPEN = frozenset(_OPEN)


class Verdict(NamedTuple):
    """Mistakes in an operator's entries, and what is allowed and yet worth a look."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def judge(merged: Merged) -> Verdict:
    """Hold what operators have written against the catalogue that Sipveil comes with."""
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for section, entries in merged.sections.items():
        ours = merged.ours[section]
        for entry in entries.values():
            if ours.get(entry.key) is entry or section == "lists":
                continue  # lists only grow
            problems += _never_matches(entry, entries, merged) or _not_theirs(entry, ours)
            met = tuple(_opened(entry, ours))
            if met and not _weakens(entry):
                problems.append(_unsaid(entry, met[0]))
            elif met:
                warnings += [_weakened(entry, each) for each in met]
            elif _weakens(entry):
                problems.append(entry.problem("opens nothing that we hide", "leave it out", "weaken"))
    return Verdict(tuple(problems), tuple(warnings))


def _never_matches(entry: Written, entries: dict[str, Written], merged: Merged) -> list[Problem]:
    """Return why no message can ever bring the entry to bear."""
    name = entry.key.encode()
    if entry.section == "headers" and name in COMPACT:
        long = COMPACT[name].decode()
        other = merged.sections["compact"].get(entry.key, entry)
        return [entry.problem(f"never matches: it is read as {long} ({other.place})", f"write {long}")]
    if entry.section == "compact" and (name not in COMPACT or str(entry.raw).lower() != COMPACT[name].decode()):
        known = f" but for {COMPACT[name].decode()} ({_ours(merged, entry)})" if name in COMPACT else ""
        right = "leave it out: compact forms are those of the IANA registry"
        return [entry.problem(f"never matches: nobody writes {entry.key}{known}", right)]
    for other in entries.values() if entry.is_glob else ():
        if other is entry:
            break
        if other.is_glob and _fits(other.key)(entry.key):
            wrong = f"never matches: {other.name} ({other.place}) takes all that it could"
            return [entry.problem(wrong, "put it before that one, or leave it out")]
    return []


def _ours(merged: Merged, entry: Written) -> str:
    other = merged.ours[entry.section].get(entry.key)
    return other.place if other else "RFC 3261 §7.3.3"


def _not_theirs(entry: Written, ours: dict[str, Written]) -> list[Problem]:
    """Return what an operator cannot say: code of ours knows the field, and not what is to become of it."""
    old = ours.get(entry.key)
    if entry.section == "grammars" and old is not None:
        return [entry.problem(f"is a grammar of ours ({old.place})", "give yours a name of its own")]
    if old is not None and _value(old, "core") is True:
        wrong = f"is edited by Sipveil itself ({old.place}), whatever stands here"
        return [entry.problem(wrong, "leave it out; [privacy] of the configuration decides")]
    if _value(entry, "core") is True:
        return [entry.problem("says that Sipveil edits it itself, which it does not", "leave `core` out", "core")]
    return []


def _opened(entry: Written, ours: dict[str, Written]) -> Iterator[Written]:
    """Yield the entries of ours that hide what this one would let pass."""
    if entry.section in ("lists", "grammars", "compact"):
        return
    old = ours.get(entry.key)
    for other in (old,) if old is not None else _met(entry, ours):
        if _value(other, "core") is True:
            continue
        opens = _is_open(entry) and (not _is_open(other) or _besides(other) - _besides(entry))
        if opens or _removed(other) - _removed(entry):
            yield other


def _met(entry: Written, ours: dict[str, Written]) -> Iterator[Written]:
    """Yield our globs that spoke for names that are now this entry's."""
    globs = [other for other in ours.values() if other.is_glob]
    if entry.is_glob:
        yield from (other for other in globs if overlap(entry.key, other.key))
    else:
        yield from [other for other in globs if _fits(other.key)(entry.key)][:1]


def _is_open(entry: Written) -> bool:
    named = _value(entry, "category")
    names = named if isinstance(named, list) else [named]
    return _BODY_OPEN.issuperset(map(str, names))


def _removed(entry: Written) -> set[str]:
    zones = _value(entry, "zones")
    return {zone for zone, action in zones.items() if action == "remove"} if isinstance(zones, dict) else set()


def _besides(entry: Written) -> set[str]:
    """Return what an entry's form keeps out of a field that is a function."""
    named = _value(entry, "besides")
    return set(map(str, named)) if isinstance(named, list) else set()


def _weakens(entry: Written) -> bool:
    return _value(entry, "weaken") is True


def _value(entry: Written, key: str) -> object:
    return entry.raw.get(key) if isinstance(entry.raw, dict) else None


def _what(entry: Written) -> str:
    named = _value(entry, "category")
    words = " and ".join(map(str, named)) if isinstance(named, list) else str(named)
    zones, besides = ", ".join(sorted(_removed(entry))), ", ".join(sorted(_besides(entry)))
    words = f"{words} besides {besides}" if besides else words
    return f"{words}, never towards {zones}" if zones else words


def _unsaid(entry: Written, other: Written) -> Problem:
    wrong = f"is {_what(entry)} and opens {other.name} of ours, which is {_what(other)} ({other.place})"
    return entry.problem(wrong, "keep it as strict, or write weaken = true beside it if that is meant")


def _weakened(entry: Written, other: Written) -> Problem:
    wrong = f"is {_what(entry)} and weakens {other.name} of ours, which is {_what(other)} ({other.place})"
    return entry.problem(wrong, "take it out if that is no longer meant")


@lru_cache(maxsize=1024)
def _fits(glob: str) -> Callable[[str], re.Match[str] | None]:
    return re.compile(translate(glob)).fullmatch


def overlap(one: str, other: str) -> bool:
    """Tell whether some name fits both globs, in which `*` stands for any letters."""
    if not one or not other:
        return not (one + other).strip("*")
    if one[0] == "*":
        return overlap(one[1:], other) or overlap(one, other[1:])
    if other[0] == "*":
        return overlap(other, one)
    return one[0] == other[0] and overlap(one[1:], other[1:])
