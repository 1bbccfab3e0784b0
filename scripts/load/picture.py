"""A picture in a file; the name's ending says which format, SVG if there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure


@contextmanager
def picture(path: Path, width: float, height: float) -> Iterator[Figure]:
    """Yield a figure of so many inches, and write it."""
    # Text stays text, and a picture of the same figures is the same file.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "sipveil"}):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        kind = path.suffix[1:] or "svg"
        figure.savefig(path, format=kind, metadata={"Date": None} if kind == "svg" else None)
