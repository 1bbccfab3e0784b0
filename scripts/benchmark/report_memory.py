"""What was measured of memory, in tables and sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rich.status import Status
from rich.table import Table

from scripts.benchmark.lingering import KINDS, Kept
from scripts.benchmark.memory import SETTLING, Flatness, Ringing
from scripts.benchmark.spread import Spread, figure


def starts(name: str, seconds: Sequence[float]) -> str:
    """Return the sentence about the start."""
    found = Spread.of(value * 1000 for value in seconds)
    return f"{name}: start to first answer {found} ms (least / median / greatest of {len(seconds)})"


def ringing(name: str, found: Ringing) -> str:
    """Return the sentence about ringing calls."""
    return (
        f"{name}: {kilobytes(found.each)} KB resident per ringing call "
        f"({found.calls:,} calls; {megabytes(found.idle)} MB before them, {megabytes(found.held)} MB with them)"
    )


def flat(name: str, found: Flatness) -> str:
    """Return the sentence about memory over very many calls."""
    played, sizes = found.played, [size for _, size in found.settled]
    calls = f"{name}: {played.completed:,} calls, {played.failed:,} failed, {played.rate:,.0f} calls/s"
    if found.growth is None:
        return f"{calls}: too short to tell whether memory stays flat (it may grow for {SETTLING:.0f} s)"
    return (
        f"{calls}: after {SETTLING:.0f} s {megabytes(min(sizes))} to {megabytes(max(sizes))} MB, "
        f"growing by {figure(found.growth)} bytes a call"
    )


def progress(status: Status) -> Callable[[int], None]:
    """Return what shows the size while calls are played."""
    return lambda size: status.update(f"playing: {megabytes(size)} MB")


def lingering(found: Mapping[str, Kept]) -> Table:
    """Return what transactions keep that wait for a timer."""
    table = Table(title="lingering transactions", title_justify="left")
    for title in ("timer", "transactions", "KB each", "what"):
        table.add_column(title, justify="left" if title in ("timer", "what") else "right", no_wrap=True)
    for kind, kept in found.items():
        table.add_row(kind, f"{kept.transactions:,}", kilobytes(kept.each), KINDS[kind][0])
    return table


def kilobytes(size: float) -> str:
    """Return a size in KB with three digits."""
    return figure(size / 1024)


def megabytes(size: int) -> str:
    """Return a size in whole MB."""
    return f"{size / (1 << 20):,.0f}"
