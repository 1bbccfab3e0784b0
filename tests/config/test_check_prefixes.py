"""Prefixes that contradict each other, or an emergency number."""

from __future__ import annotations

import tomllib

import pytest

from config.check_prefixes import prefix_mistakes
from config.problem import key_text


def found(text: str) -> list[tuple[str, str]]:
    return [(key_text(each.path), key_text(each.also or ())) for each in prefix_mistakes(tomllib.loads(text))]


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("", []),
        ('[privacy]\nwithhold = ["*67", "1167"]\nshow = ["*82", "*6"]', []),
        ('[privacy]\nwithhold = ["*67"]\nshow = ["*82", "*67"]', [("privacy.show[1]", "privacy.withhold[0]")]),
        ('[privacy]\nwithhold = ["11"]', [("privacy.withhold[0]", "")]),
        (
            '[privacy]\nshow = ["9"]\n[emergency]\nnumbers = ["112", "999"]',
            [("privacy.show[0]", "emergency.numbers[1]")],
        ),
        ('[privacy]\nwithhold = ["11"]\n[emergency]\nnumbers = ["999"]', []),
        ('[privacy]\nwithhold = [5, ""]\nshow = "x"', []),
    ],
)
def test_mistakes_name_both_places(text: str, mistakes: list[tuple[str, str]]) -> None:
    """Also where the emergency numbers are those that nobody had to write."""
    assert found(text) == mistakes
