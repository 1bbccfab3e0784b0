"""The schema of regions."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from config.region_section import Region
from config.settings import Trunk

TRUNK = {"name": "t", "hosts": ["192.0.2.1:5060"], "listener": "a"}


def test_data_stay_unless_said_otherwise() -> None:
    region = Region.model_validate({"countries": ("DE", "FR")})
    assert (region.default, region.bases) == ("stay", ("adequacy",))
    assert Trunk.model_validate(TRUNK).transfer_basis == "none"


@pytest.mark.parametrize(
    "wrong",
    [{"countries": ()}, {"countries": ("UK",)}, {"countries": ("de",)}, {"bases": ("none",)}, {"default": "no"}],
)
def test_bounds(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Region.model_validate({"countries": ("DE",), **wrong})
    with pytest.raises(ValidationError, match="ISO 3166"):
        Trunk.model_validate({**TRUNK, "country": "XX"})
