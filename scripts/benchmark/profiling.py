"""Where each microsecond of a message goes: time by stage of the core, for each kind of message.

cProfile tells each function's own time, and makes functions dearer than they are: the table takes its shares from the
profile and its totals from calls without it. What libraries and functions in C take counts for the file of ours that
called them.
"""

from __future__ import annotations

import cProfile
import pstats
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from scripts.benchmark.calibration import timed
from scripts.benchmark.calls import CALL, lines, whole_calls
from scripts.benchmark.core import LINGER, receive_all
from scripts.benchmark.world import World
from scripts.load.proxy import ROOT

STAGES: Mapping[str, tuple[str, ...]] = {
    "parse": ("proxy/parse", "proxy/grammar", "proxy/headers", "proxy/uri", "proxy/message", "proxy/shape"),
    "transaction": (
        "proxy/core", "proxy/matching", "proxy/transaction", "proxy/machines", "proxy/timers", "proxy/handle_",
        "proxy/forking", "proxy/launch", "proxy/parking", "proxy/breadth", "proxy/counters", "proxy/sinks",
    ),
    "checks and routing": (
        "proxy/validation", "proxy/routing", "proxy/initial", "proxy/without_record", "config/", "proxy/generation",
        "proxy/rate", "proxy/overload",
    ),
    "decision": ("filters/policy", "filters/request", "filters/engine", "proxy/policy"),
    "identity and records": (
        "proxy/identity", "proxy/references", "proxy/tokens", "proxy/record", "proxy/pack", "proxy/encoding",
        "proxy/crossing", "proxy/in_dialog", "proxy/derive",
    ),
    "plan": ("filters/",),
    "serialise": ("proxy/serialise", "proxy/forward_", "proxy/reply", "proxy/via"),
}  # fmt: skip
"""Stage → how the names of its files begin; the first stage that matches has the file."""
OTHER = "other"
TOTAL = "total"
NOTEWORTHY = 0.5
"""Microseconds from which a file that no stage has is named."""


class Profile(NamedTuple):
    """Microseconds of one message."""

    stages: Mapping[str, Mapping[str, float]]
    """Kind of message → stage → microseconds."""
    functions: Mapping[str, list[tuple[str, float]]]
    """Kind of message → the dearest functions, `file:line name` and their own microseconds."""
    others: frozenset[str]
    """Files that no stage has."""


def run(calls: int = 300, batch: int = 50, top: int = 10) -> Profile:
    """Play calls, half of them under the profiler."""
    plain, profiled = totals(calls, batch), own_times(calls, batch)
    stages: dict[str, dict[str, float]] = {}
    functions: dict[str, list[tuple[str, float]]] = {}
    others: set[str] = set()
    for kind in CALL:
        measured = sum(profiled[kind].values())
        scale = plain[kind] / measured if measured else 0.0
        by_stage: defaultdict[str, float] = defaultdict(float)
        for (file, _line, _name), seconds in profiled[kind].items():
            stage = stage_of(file)
            by_stage[stage] += seconds * scale
            if stage == OTHER and seconds * scale > NOTEWORTHY:
                others.add(short(file))
        dearest = sorted(profiled[kind].items(), key=lambda item: -item[1])[:top]
        functions[kind] = [(f"{short(f)}:{line} {name}", seconds * scale) for (f, line, name), seconds in dearest]
        stages[kind] = {**by_stage, TOTAL: plain[kind]}
    return Profile(stages, functions, frozenset(others))


def stage_of(file: str) -> str:
    """Return the stage that a file belongs to."""
    name = short(file)
    return next((stage for stage, starts in STAGES.items() if name.startswith(starts)), OTHER)


def short(file: str) -> str:
    """Return a path from our root, or the last two parts of a foreign one."""
    path = Path(file)
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else "/".join(path.parts[-2:])


def totals(calls: int, batch: int) -> dict[str, float]:
    """Return microseconds per message of each kind, without a profiler."""
    found: dict[str, float] = dict.fromkeys(CALL, 0.0)
    for step, messages in rounds(calls, batch):
        found[step] += timed(messages)
    return {kind: value / calls for kind, value in found.items()}


Function = tuple[str, int, str]
"""File, line and name, as pstats has it."""


def own_times(calls: int, batch: int) -> dict[str, dict[Function, float]]:
    """Return each Python function's own seconds, C functions that it calls included, for each kind of message."""
    profiles = {kind: cProfile.Profile() for kind in CALL}
    for kind, messages in rounds(calls, batch):
        profiles[kind].runcall(messages)
    return {kind: attribute(pstats.Stats(profile).stats) for kind, profile in profiles.items()}  # type: ignore[attr-defined]


def attribute(stats: Mapping[Function, Any], depth: int = 8) -> dict[Function, float]:
    """Return own time of our functions, that of everything foreign added to whoever of ours called it.

    A foreign function's time is shared among its callers as it was spent for them; what foreign functions called by
    foreign ones took wanders up the same way, so many levels at most.
    """
    found = {function: entry[2] for function, entry in stats.items()}
    for _ in range(depth):
        for function in [each for each, seconds in found.items() if seconds and not is_ours(each)]:
            callers = {caller: entry[3] for caller, entry in stats[function][4].items() if caller != function}
            whole = sum(callers.values())
            for caller, share in callers.items() if whole else ():
                found[caller] += found[function] * share / whole
            if whole:
                found[function] = 0.0
    return {each: seconds for each, seconds in found.items() if seconds and "scripts/benchmark" not in each[0]}


def is_ours(function: Function) -> bool:
    """Tell whether a function stands in a file of ours."""
    return Path(function[0]).is_relative_to(ROOT) and "/.venv/" not in function[0]


def rounds(calls: int, batch: int) -> Iterable[tuple[str, Callable[[], None]]]:
    """Yield each step of calls as something to call; the first batch warms up."""
    world, code = World(), secrets.token_hex(4)
    for first in range(0, calls + batch, batch):
        for step in whole_calls(world, lines(code, batch, 1000, first)):
            if first:
                yield step.kind, lambda step=step: receive_all(step)  # type: ignore[misc]
            else:
                receive_all(step)
        world.wait(LINGER)
