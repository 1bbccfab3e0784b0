"""The schema of numbers."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from config.numbering_section import Numbering, TrunkNumbers


def test_defaults() -> None:
    assert Numbering(home="DE").short == 6
    assert (TrunkNumbers().form, TrunkNumbers().prefix, TrunkNumbers().add) == ("e164", "00", "")


@pytest.mark.parametrize(
    "wrong", [{"home": "UK"}, {"short": 2}, {"form": "dialled"}, {"prefix": "a"}, {"add": "9" * 17}, {"strip": "+ "}]
)
def test_bounds(wrong: dict[str, Any]) -> None:
    section, rest = (Numbering, {"home": "DE"}) if wrong.keys() & {"home", "short"} else (TrunkNumbers, {})
    with pytest.raises(ValidationError):
        section.model_validate({**rest, **wrong})
