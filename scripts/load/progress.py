"""What is shown while a run goes on: one live line on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import Progress, TextColumn

from scripts.load.run import Load, Snapshot, Watch
from scripts.load.scenario import Scenario

PLAIN_EVERY = 5.0
"""Seconds between two lines where there is no terminal."""


def words(now: Snapshot, before: Snapshot) -> str:
    """Return what happened between two snapshots, and what has gone wrong so far."""
    span = now.seconds - before.seconds
    rate = (_ended(now) - _ended(before)) / span if span > 0 else 0.0
    cpu = (now.cpu - before.cpu) / span / 1e4 if span > 0 else 0.0
    repeated = now.callers.retransmissions + now.trunk.retransmissions
    parts = [f"{rate:.0f} calls/s", f"{now.callers.current} in flight", f"{now.callers.failed} failed"]
    if now.callers.refused:
        parts.append(f"{now.callers.refused} refused")
    parts += [f"{repeated} repeated", f"CPU {cpu:.0f} %"]
    if now.leaks:
        parts.append(f"{now.leaks} LEAKS")
    return ", ".join(parts)


@contextmanager
def shown(console: Console, scenario: Scenario, load: Load) -> Iterator[Watch]:
    """Yield what a run calls with its snapshots."""
    title = f"{scenario.name} at {load.rate:g}/s"
    if not console.is_terminal:
        yield _Plain(console, title, load.calls)
        return
    # 80 columns are the least that a terminal has, and the figures need them: no bar.
    columns = [
        TextColumn(text) for text in ("{task.description}:", "{task.completed}/{task.total},", "{task.fields[words]}")
    ]
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Live(progress, title, load.calls)


class _Recent:
    """Snapshots about a second apart: SIPp writes its statistics that often."""

    def __init__(self) -> None:
        self._kept: list[Snapshot] = []

    def before(self, now: Snapshot) -> Snapshot:
        """Return the snapshot of two seconds before now, as far as there is one."""
        self._kept.append(now)
        while len(self._kept) > 1 and self._kept[1].seconds <= now.seconds - 2:
            del self._kept[0]
        return self._kept[0]


class _Live:
    """A line that is redrawn."""

    def __init__(self, progress: Progress, title: str, calls: int) -> None:
        self._progress, self._recent = progress, _Recent()
        self._task = progress.add_task(title, total=calls, words="")

    def __call__(self, now: Snapshot) -> None:
        """Redraw."""
        text = words(now, self._recent.before(now))
        self._progress.update(self._task, completed=_ended(now), words=text)


class _Plain:
    """A line every PLAIN_EVERY seconds."""

    def __init__(self, console: Console, title: str, calls: int) -> None:
        self._console, self._title, self._calls = console, title, calls
        self._recent, self._next = _Recent(), PLAIN_EVERY

    def __call__(self, now: Snapshot) -> None:
        """Print, if it is time."""
        before = self._recent.before(now)
        if now.seconds >= self._next:
            self._next = now.seconds + PLAIN_EVERY
            text = f"{self._title}: {_ended(now)}/{self._calls}, {words(now, before)}"
            self._console.print(text, soft_wrap=True, highlight=False)


class Lines:
    """A line on standard error every PLAIN_EVERY seconds, for runs that tell how far they are in words."""

    def __init__(self, title: str) -> None:
        """Begin; title stands in front."""
        self._title, self._next = title, PLAIN_EVERY

    def __call__(self, at: float, words: str) -> None:
        """Print, if it is time."""
        if at >= self._next:
            self._next = at + PLAIN_EVERY
            click.echo(f"{self._title}: {at:.0f} s, {words}", err=True)


def _ended(snapshot: Snapshot) -> int:
    return snapshot.callers.succeeded + snapshot.callers.failed
