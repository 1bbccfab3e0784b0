"""Few numbers, and what may be concluded from them."""

from __future__ import annotations

import pytest

from scripts.benchmark.spread import Spread, figure, ratios, verdict


def test_spread() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == (1.0, 2.0, 3.0)
    assert str(Spread.of([4.0])) == "4.00 / 4.00 / 4.00"


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "0.123"), (1.234, "1.23"), (12.34, "12.3"), (1234.5, "1,234"), (0.0, "0.000")]
)
def test_three_digits(value: float, text: str) -> None:
    assert figure(value) == text


def test_ratios_round_by_round() -> None:
    """Not of medians: drift of the machine is in both numbers of a round. A round without a figure is left out."""
    assert ratios([2.0, 40.0, 9.0], [1.0, 10.0, 0.0]) == (2.0, 3.0, 4.0)
    assert ratios([0.0], [1.0]) is None


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ((1.2, 1.3, 1.4), "we costs 1.30 times them"),
        ((0.6, 0.7, 0.8), "we costs 0.700 of them"),
        ((0.9, 1.0, 1.1), "no conclusion"),
        ((1.1, 1.3, 1.5), "no conclusion"),
        ((0.5, 0.7, 0.9), "no conclusion"),
    ],
)
def test_no_conclusion_from_noise(found: tuple[float, float, float], text: str) -> None:
    """One round within 15 % is enough to say nothing."""
    assert verdict(Spread(*found), "we", "them").startswith(text)
