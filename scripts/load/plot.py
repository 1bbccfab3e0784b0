"""A sweep of rates as a picture: what comes out of what is offered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from scripts.load.picture import picture
from scripts.load.result import Result

Panel = tuple[str, Callable[[Result], float | None]]

PANELS: tuple[Panel, ...] = (
    ("calls/s set up", lambda result: result.achieved),
    ("proxy's CPU, µs a call", lambda result: result.cpu_us_per_call),
    ("set-up time, 99th percentile, ms", lambda result: result.set_up_ms["p99"]),
    ("calls failed or refused, %", lambda result: 100 * (result.failed + result.refused) / result.calls),
)


def plot(results: Sequence[Result], path: Path) -> None:
    """Write the picture."""
    with picture(path, 9, 6.5) as figure:
        for axes, (title, value) in zip(figure.subplots(2, 2).flat, PANELS, strict=True):
            for name in dict.fromkeys(result.scenario for result in results):
                points = [(result.rate, value(result)) for result in results if result.scenario == name]
                known = [(rate, figure_) for rate, figure_ in points if figure_ is not None]
                axes.plot([rate for rate, _ in known], [figure_ for _, figure_ in known], marker="o", label=name)
            axes.set(title=title, xlabel="calls/s offered")
            axes.set_ylim(0, max(1.0, axes.get_ylim()[1]))  # a line of zeros has no scale of its own
            axes.grid(visible=True, alpha=0.3)
        figure.axes[0].legend()
