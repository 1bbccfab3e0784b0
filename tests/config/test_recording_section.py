"""What `[recording]` takes, and what it refuses."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.recording_section import Recording


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
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValidationError):
        Recording.model_validate(change)


def test_what_makes_sense_is_taken() -> None:
    Recording(codes=("*1", "*44"), commands=("record on",), headers=("X-Rec-*",))
