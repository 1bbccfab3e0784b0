"""Lines that no request reaches."""

from __future__ import annotations

from typing import Any

import pytest

from config.advice_routes import route_advice
from config.settings import Settings


def unreached(order: str, *routes: dict[str, Any]) -> list[tuple[int, int]]:
    """Return each line that is never reached, with the one that takes all of it."""
    settings = Settings.model_validate({
        "listeners": [{"name": "a", "address": "::1"}], "route_order": order,
        "routes": [{"to": ["core"], **route} for route in routes],
    })  # fmt: skip
    return [(int(each.path[1]), int(each.also[1])) for each in route_advice(settings) if each.also]


@pytest.mark.parametrize("order", ["first", "longest"])
def test_what_differs_is_reached(order: str) -> None:
    assert (
        unreached(order, {"emergency": True}, {"source": "core"}, {"methods": ("INVITE",)}, {"prefix": "9"}, {}) == []
    )


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        ({}, {}),
        ({}, {"source": "core", "methods": ("INVITE",)}),
        ({"methods": ("INVITE", "MESSAGE")}, {"methods": ("INVITE",)}),
        ({"prefix": "9"}, {"prefix": "9", "source": "trunk"}),
    ],
)
def test_what_one_takes_the_one_behind_it_never_gets(before: dict[str, Any], behind: dict[str, Any]) -> None:
    for order in ("first", "longest"):
        assert unreached(order, before, behind) == [(1, 0)]
    if before != behind:
        assert unreached("first", behind, before) == []


def test_a_line_for_all_takes_from_one_trunk_to_another_nothing() -> None:
    """So one for trunks behind it is reached; of emergency calls it takes all."""
    open_ = {"to": ["carrier"]}
    for order in ("first", "longest"):
        assert unreached(order, open_, {"source": "trunk"}) == []
        assert unreached(order, open_, {}) == []
        assert unreached(order, open_, {"source": "core"}, {"source": "access"}) == [(1, 0), (2, 0)]
        assert unreached(order, {}, open_) == [(1, 0)]
        assert unreached(order, {**open_, "emergency": True}, {"source": "trunk", "emergency": True}) == [(1, 0)]


def test_a_longer_prefix_is_reached_only_where_it_counts() -> None:
    assert unreached("first", {"prefix": "+49"}, {"prefix": "+4930"}) == [(1, 0)]
    assert unreached("longest", {"prefix": "+49"}, {"prefix": "+4930"}) == []
    assert unreached("longest", {"prefix": "+49", "source": "core"}, {"prefix": "+49"}) == []
