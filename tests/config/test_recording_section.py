"""What `[recording]` takes, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from config.recording_section import MetadataExtension, Recording


def test_nothing_is_recognised_that_nobody_wrote() -> None:
    assert Recording() == Recording(codes=(), commands=(), headers=())


@pytest.mark.parametrize(
    "change",
    [
        {"codes": ("1a",)},
        {"codes": ("",)},
        {"commands": ("record\ton",)},
        {"commands": (" record",)},
        {"headers": ("*",)},
        {"headers": ("X Rec",)},
        {"codes": ("*1",) * 65},
        {"code": ("*1",)},
        {"metadata_extensions": ({"texts": ("queue",)},)},
        {"metadata_extensions": ({"namespace": "acd", "texts": ("queue",)},)},
        {"metadata_extensions": ({"namespace": "urn:a b", "texts": ("queue",)},)},
        {"metadata_extensions": ({"namespace": "urn:a", "texts": ("a:b",)},)},
        {"metadata_extensions": ({"namespace": "urn:a", "texts": ("",)},)},
        {"metadata_extensions": ({"namespace": "urn:a", "texts": ("a" * 65,)},)},
        {"metadata_extensions": ({"namespace": "urn:a", "elements": ("a",)},)},
        {"metadata_extensions": ({"namespace": "urn:a"},) * 17},
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Recording.model_validate(change)


def test_what_makes_sense_is_taken() -> None:
    Recording(codes=("*1", "*44"), commands=("record on",), headers=("X-Rec-*",))
    made = MetadataExtension(
        namespace="http://acd.example/ns#1", structure=("a",), texts=("b", "c-d.e_f"), calls=("g",)
    )
    assert made.elements == ("a", "b", "c-d.e_f", "g")
