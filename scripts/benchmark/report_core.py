"""Tables of what was measured in the process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from scripts.benchmark.baseline import Baseline, change, marked, typical
from scripts.benchmark.calls import CALL
from scripts.benchmark.core import TIMERS, WHOLE, Sample, Samples
from scripts.benchmark.growth import Curve
from scripts.benchmark.profiling import OTHER, STAGES, TOTAL, Profile
from scripts.benchmark.spread import Spread, figure

PARTS = (*CALL, TIMERS, WHOLE)
"""What belongs to a call; everything else is shown below it."""


def core_table(samples: Samples, before: Baseline | None) -> Table:
    """Return µs of CPU per message, the same in units of the fixed work, and the change against the baseline."""
    table = Table(title="µs of CPU per message: least / median / greatest of all rounds", title_justify="left")
    for title in ("", "µs", "in calibrated units", "baseline", "change"):
        table.add_column(title, justify="right" if title else "left", no_wrap=True)
    for name, found in samples.of.items():
        table.add_row(*core_row(name, found, before), end_section=name == WHOLE, style="bold" if name == WHOLE else "")
    return table


def core_row(name: str, found: Sequence[Sample], before: Baseline | None) -> tuple[str, str, str, str, str]:
    """Return the cells of one kind of message or stage."""
    relative = Spread.of(each.relative for each in found)
    stored = before.relative.get(name) if before else None
    return (
        name,
        str(Spread.of(each.micros for each in found)),
        str(relative),
        figure(stored) if stored else "",
        change_text(change(typical(found), stored)),
    )


def change_text(found: float | None) -> str:
    """Return a change in per cent, marked with colour where it is more than noise."""
    if found is None:
        return ""
    text = f"{found:+.0%}"
    return (f"[bold red]{text}[/]" if found > 0 else f"[bold green]{text}[/]") if marked(found) else f"[dim]{text}[/]"


def profile_table(profile: Profile) -> Table:
    """Return microseconds: stages down, messages across, and the whole call at the end."""
    table = Table(title="where each microsecond of a message goes (µs of CPU)", title_justify="left")
    for title in ("", *CALL, "call"):
        table.add_column(title, justify="right" if title else "left", no_wrap=True)
    for stage in (*STAGES, OTHER, TOTAL):
        values = [profile.stages[kind].get(stage, 0.0) for kind in CALL]
        cells = [f"{value:.1f}" for value in (*values, sum(values))]
        table.add_row(stage, *cells, style="bold" if stage == TOTAL else "", end_section=stage == OTHER)
    return table


def dearest_table(profile: Profile, kind: str) -> Table:
    """Return the functions that take most of one kind of message."""
    table = Table(title=f"{kind}: the dearest functions, own time", title_justify="left")
    table.add_column("µs", justify="right")
    table.add_column("function", no_wrap=True)
    for name, micros in profile.functions[kind]:
        table.add_row(f"{micros:.1f}", name)
    return table


def growth_table(curve: Curve) -> Table:
    """Return a curve as numbers, each point beside the first."""
    table = Table(title=f"{curve.title}: \N{MICRO SIGN}s of CPU per {curve.of}", title_justify="left")
    for title in (curve.unit, "\N{MICRO SIGN}s", "in calibrated units", "to the first"):
        table.add_column(title, justify="right", no_wrap=True)
    first = next(iter(curve.relative.values()))
    for value, relative in curve.relative.items():
        table.add_row(f"{value:,}", figure(curve.micros[value]), figure(relative), f"{relative / first:.2f}")
    return table


def as_json(samples: Samples) -> Mapping[str, object]:
    """Return everything as it was measured, and what is compared with the baseline."""
    return {
        name: {"micros": [each.micros for each in found], "relative": [each.relative for each in found],
               "typical": typical(found)}
        for name, found in samples.of.items()
    }  # fmt: skip
