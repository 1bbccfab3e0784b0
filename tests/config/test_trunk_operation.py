"""The tables within a trunk."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from config.trunk_operation import TrunkHealth, TrunkLimits


def test_nothing_is_asked_or_limited_by_default() -> None:
    assert TrunkHealth().options == 0
    assert (TrunkLimits().calls, TrunkLimits().rate) == (None, None)


@pytest.mark.parametrize(
    "wrong", [{"calls": 0}, {"rate": 0.0}, {"quiet": 59}, {"options": -1.0}, {"failures": 0}, {"unknown": 1}]
)
def test_bounds(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        (TrunkHealth if wrong.keys() & {"options", "failures"} else TrunkLimits).model_validate(wrong)
