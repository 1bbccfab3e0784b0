"""Curves as one SVG file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scripts.benchmark.growth import Curve

FILE = "growth.svg"


def draw(curves: Sequence[Curve], folder: Path) -> Path:
    """Write all curves into folder, and return the file."""
    # Half a second to import, which nobody waits for who wants no plot.
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("svg")
    from matplotlib import pyplot  # noqa: PLC0415

    # The same curves make the same bytes: a file in the repository changes only when a figure does.
    mpl.rcParams.update({"svg.hashsalt": "sipveil", "svg.fonttype": "none", "font.size": 9})
    figure, places = pyplot.subplots(
        1, len(curves), figsize=(3.4 * len(curves), 3), squeeze=False, layout="constrained"
    )
    for curve, axes in zip(curves, places[0], strict=True):
        values = list(curve.micros)
        axes.plot(values, list(curve.micros.values()), marker="o", color="#1f5f8b")
        axes.set_title(curve.title)
        axes.set_xlabel(curve.unit)
        axes.set_ylabel(f"\N{MICRO SIGN}s of CPU per {curve.of}")
        axes.set_ylim(bottom=0)
        if values[-1] > 50 * max(1, values[0]):
            axes.set_xscale("symlog" if values[0] == 0 else "log")
        axes.grid(visible=True, alpha=0.3)
    file = folder / FILE
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
    return file
