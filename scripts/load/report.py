"""A result in words, and results as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scripts.load import layout
from scripts.load.looks import MEGABYTE
from scripts.load.result import Reloading, Result


def text(result: Result) -> str:
    """Return a result for a person."""
    head = f"{result.scenario}: {result.calls} calls, {result.rate:g}/s offered"
    extras = [f"at most {result.limit} in flight"] if result.limit else []
    extras += [f"{result.sources} sources"] if result.sources > 1 else []
    extras += [f"{result.ports} ports"] if result.ports > 1 else []
    extras += [f"{result.workers} workers"] if result.workers > 1 else []
    return layout.text(", ".join([head, *extras]), dict(_rows(result)), _leaks(result))


def as_json(results: Sequence[Result]) -> str:
    """Return all results as one JSON object."""
    return layout.as_json([result.as_json() for result in results], leaking=any(result.leaks for result in results))


def _rows(result: Result) -> Iterator[tuple[str, str]]:
    yield "calls/s", f"{result.achieved:.1f}"
    yield "completed", str(result.completed)
    yield "refused (503)", str(result.refused)
    yield "failed", _failed(result)
    yield "retransmissions", str(result.retransmissions)
    yield "lost (full buffer)", str(result.dropped)
    times = ", ".join(f"{name} {_number(value)}" for name, value in result.set_up_ms.items())
    yield "set-up time, ms", f"{times} (rings {result.ring_ms})" if result.ring_ms else times
    per_call = f"{_number(result.cpu_us_per_call)} µs a call, {result.cpu_percent:.0f} % of a core"
    if len(result.cpu_us_by_process) > 1:
        all_of_it = max(1, sum(result.cpu_us_by_process))
        per_call += f" ({', '.join(f'{100 * used / all_of_it:.0f} %' for used in result.cpu_us_by_process)})"
    yield "CPU of the proxy", per_call
    before, after = (size / MEGABYTE for size in (result.resident_before, result.resident_after))
    yield "its memory, MB", f"{after:.1f}, before the first call {before:.1f}"
    if result.reloads is not None:
        yield "reloads", _reloads(result.reloads)
    yield "searched", f"{result.searched} messages at the trunk, {result.searched_decoded} of them decoded too"


def _failed(result: Result) -> str:
    if not result.failed:
        return "0"
    reasons = ", ".join(f"{name} {number}" for name, number in result.reasons.items())
    return f"{result.failed} ({'; '.join(part for part in (reasons, result.surprise) if part)})"


def _reloads(told: Reloading) -> str:
    """Return what came of them, the first reason of a refusal too."""
    refused = f"{len(told.refused)} refused" + (f" ({told.refused[0]})" if told.refused else "")
    gaps = f"longest pause {told.gap_ms:.0f} ms while reloading, {told.other_gap_ms:.0f} otherwise"
    return f"{told.made} made in up to {told.longest_ms:.0f} ms, {refused}; {gaps}"


def _leaks(result: Result) -> list[str]:
    if not result.leaks:
        return ["  no leaks"]
    arrived: dict[str, list[str]] = {}
    for leak in result.leaks:
        arrived.setdefault(leak.place, []).append(f"{leak.message} {leak.messages}")
    return ["  LEAKS; planted in the caller's …, arrived in so many of the trunk's messages:",
            *(f"    {place}: {', '.join(messages)}" for place, messages in arrived.items())]  # fmt: skip


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
