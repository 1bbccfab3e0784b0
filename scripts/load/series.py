"""What a run that lasts looked like second by second, and the same as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.load.looks import Sample
from scripts.load.picture import picture


def plot_series(samples: Sequence[Sample], path: Path, marks: Mapping[str, float] = {}) -> None:
    """Write a picture with a panel for each value; marks: what happened when, drawn into each."""
    titles = list(dict.fromkeys(title for sample in samples for title in sample.values))
    with picture(path, 9, 2.2 * max(1, len(titles))) as figure:
        panels = figure.subplots(max(1, len(titles)), 1, sharex=True, squeeze=False).flat
        for axes, title in zip(panels, titles, strict=False):
            points = [(sample.at, sample.values[title]) for sample in samples if title in sample.values]
            axes.plot([at for at, _ in points], [value for _, value in points])
            for text, at in marks.items():
                axes.axvline(at, color="grey", linestyle=":")
                axes.annotate(text, (at, 1.0), xycoords=("data", "axes fraction"), rotation=90, va="top", fontsize=7)
            axes.set(title=title, xlabel="seconds")
            axes.set_ylim(0, max(1.0, axes.get_ylim()[1]))
            axes.grid(visible=True, alpha=0.3)
