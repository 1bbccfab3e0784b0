"""Microseconds of the core for each kind of message, without sockets.

Batches of calls go through the core step by step, as if so many were in flight. Then simulated time passes until
nothing of them is left, so that what timers cost belongs to the calls that set them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple

from scripts.benchmark.calibration import measure, timed
from scripts.benchmark.calls import CALL, Step, extras, full_world, lines, spare_world, whole_calls
from scripts.benchmark.stages import STAGES
from scripts.benchmark.world import World

LINGER = 40.0
"""Simulated seconds after which nothing of a call is left: more than timers B, D, F, J, L and M."""
WHOLE = "whole call"
TIMERS = "timers of a call"


class Options(NamedTuple):
    """How much to measure."""

    rounds: int = 15
    batch: int = 100
    subscribers: int = 1000


class Sample(NamedTuple):
    """What one message cost in one round."""

    micros: float
    """Microseconds of CPU."""
    relative: float
    """The same in units of the fixed piece of work at that moment: machines drift, ratios do not."""


class Samples(NamedTuple):
    """What was measured, with one sample for each round."""

    of: Mapping[str, list[Sample]]
    missing: Mapping[str, str]
    """Stage that cannot be measured in this tree → why."""


def run(options: Options, progress: Callable[[], None] = lambda: None) -> Samples:
    """Measure everything; the first round warms up and does not count."""
    # What is no part of an ordinary call has cores of its own: nothing of it lingers beside the calls.
    world, spare, full, code = World(), spare_world(), full_world(), secrets.token_hex(4)
    samples: dict[str, list[Sample]] = {}
    stages, missing = ready_stages(world)
    for number in range(options.rounds + 1):
        batch = lines(code, options.batch, options.subscribers, number * options.batch)
        found = steps(whole_calls(world, batch))
        found[TIMERS] = timers(world, options.batch)
        found[WHOLE] = total(found[kind] for kind in (*CALL, TIMERS))
        found |= steps(extras(spare, full, batch))
        found |= {name: sample(partial(repeat, stage, options.batch), options.batch) for name, stage in stages.items()}
        for name, value in found.items() if number else ():
            samples.setdefault(name, []).append(value)
        progress()
    return Samples(samples, missing)


def sample(work: Callable[[], object], messages: int) -> Sample:
    """Return what work costs for each of so many messages."""
    before = measure()
    micros = timed(work) / messages
    return Sample(micros, micros / ((before + measure()) / 2))


def total(samples: Iterable[Sample]) -> Sample:
    """Return the sum of samples."""
    micros, relative = zip(*samples, strict=True)
    return Sample(sum(micros), sum(relative))


def steps(found: Iterable[Step]) -> dict[str, Sample]:
    """Return what a message of each step costs."""
    return {step.kind: sample(partial(receive_all, step), len(step.messages)) for step in found}


def receive_all(step: Step) -> None:
    """Let the core receive every message of a step."""
    receive, flow, now = step.world.core.receive, step.flow, step.world.now
    for data in step.messages:
        receive(data, flow, now)


def timers(world: World, calls: int) -> Sample:
    """Return what the timers of a call cost, from its end until nothing of it is left."""
    used = sample(partial(world.wait, LINGER), calls)
    world.sent.clear()
    empty = sample(partial(world.wait, LINGER), calls)  # what a wheel costs that turns with nothing on it
    return Sample(max(0.0, used.micros - empty.micros), max(0.0, used.relative - empty.relative))


def repeat(work: Callable[[], object], times: int) -> None:
    """Call work so often."""
    for _ in range(times):
        work()


def ready_stages(world: World) -> tuple[dict[str, Callable[[], object]], dict[str, str]]:
    """Return the stages that this tree has, and why others are missing."""
    ready: dict[str, Callable[[], object]] = {}
    missing: dict[str, str] = {}
    for name, make in STAGES.items():
        try:
            work = make(world)
            work()
        except (ImportError, AttributeError, TypeError, LookupError) as error:
            missing[name] = f"{type(error).__name__}: {error}"
        else:
            ready[name] = work
    return ready, missing
