"""docs/metrics.md."""

from __future__ import annotations

from proxy.counters import COUNTERS
from tap.metrics_reference import PATH, render


def test_page_is_up_to_date() -> None:
    """If this fails: python -m tap.metrics_reference."""
    assert PATH.read_text(encoding="utf-8") == render()


def test_every_counter_has_its_row() -> None:
    """Name, and all values of its label."""
    page = render()
    for spec in COUNTERS:
        row = next(line for line in page.splitlines() if f"`{spec.name}`" in line)
        assert all(f"`{value}`" in row for value in spec.values)
