"""Tables for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from scripts.benchmark.peers import Turn
from scripts.benchmark.spread import Spread, figure, ratios, verdict

OURS = "sipveil"
GOOD = 0.001
"""Share of failed calls up to which a turn counts as carried."""
OTHERS = 0.05
"""Share of the proxy's core that others may have had before a turn counts as disturbed."""


def console(*, stderr: bool = False) -> Console:
    """Return where tables go; a file is as wide as they are."""
    made = Console(stderr=stderr, soft_wrap=True)
    return made if made.is_terminal else Console(stderr=stderr, soft_wrap=True, width=160)


def show_turn(console: Console, turn: Turn) -> None:
    """Print one line as soon as it is measured."""
    played = turn.played
    notes = []
    if turn.failed > GOOD:
        notes.append(f"[red]{turn.failed:.1%} failed {dict(played.statuses) or ''}[/red]")
    if turn.others > OTHERS:
        notes.append(f"[yellow]others had {turn.others:.0%} of the core[/yellow]")
    console.print(
        f"round {turn.round + 1}  {turn.load:14} {turn.contender:9} {figure(turn.cpu):>7} µs/call "
        f"{played.rate:7,.0f} calls/s  busy {turn.busy:4.0%}  "
        f"p50 {played.setup_p50:.1f} p99 {played.setup_p99:.1f} ms  "
        f"{played.retransmissions} retransmissions  {turn.resident >> 20} MB  {' '.join(notes)}",
        highlight=False,
    )


def peers_tables(turns: Sequence[Turn]) -> list[Table]:
    """Return a table for each load."""
    return [peers_table(load, [turn for turn in turns if turn.load == load]) for load in unique(t.load for t in turns)]


def peers_table(load: str, turns: Sequence[Turn]) -> Table:
    """Return min, median and max of each contender under one load, and the ratios to the others round by round."""
    names = unique(turn.contender for turn in turns)
    table = Table(title=f"{load}: least / median / greatest of {rounds(turns)} rounds", title_justify="left")
    for title in ("", "CPU µs/call", "calls/s", "failed", *(f"to {name}" for name in names if name != OURS)):
        table.add_column(title, justify="left" if not title else "right", no_wrap=True)
    for name in names:
        own = [turn for turn in turns if turn.contender == name]
        failed = sum(turn.played.failed for turn in own)
        cells = [name, str(Spread.of(t.cpu for t in own)), str(Spread.of(t.played.rate for t in own)), f"{failed:,}"]
        table.add_row(*cells, *(str(ratio_of(turns, name, other) or "") for other in names if other != OURS))
    return table


def verdicts(turns: Sequence[Turn]) -> list[str]:
    """Return a sentence for each load and peer."""
    found = []
    for load in unique(turn.load for turn in turns):
        own = [turn for turn in turns if turn.load == load]
        others = [name for name in unique(turn.contender for turn in own) if name != OURS]
        found += [f"{load}: {sentence}" for name in others if (sentence := verdict_on(own, name))]
    return found


def verdict_on(turns: Sequence[Turn], name: str) -> str:
    """Return what may be said about us and one peer under one load; nothing where we were not measured."""
    pair = [turn for turn in turns if turn.contender in (OURS, name)]
    lost = unique(turn.contender for turn in pair if turn.failed > GOOD)
    if lost:
        return f"no comparison of {OURS} with {name}: {' and '.join(lost)} lost calls"
    ratio = ratio_of(turns, OURS, name)
    return verdict(ratio, OURS, name) if ratio is not None else ""


def ratio_of(turns: Sequence[Turn], one: str, other: str) -> Spread | None:
    """Return the ratios of CPU per call, round by round; None for a contender and itself."""
    if one == other:
        return None
    by = {(turn.contender, turn.round): turn.cpu for turn in turns}
    numbers = sorted({turn.round for turn in turns})
    return ratios([by.get((one, n), 0.0) for n in numbers], [by.get((other, n), 0.0) for n in numbers])


def rounds(turns: Sequence[Turn]) -> int:
    """Return how many rounds there were."""
    return len({turn.round for turn in turns})


def unique(names: object) -> list[str]:
    """Return names in the order of their first appearance."""
    return list(dict.fromkeys(names))  # type: ignore[call-overload]
