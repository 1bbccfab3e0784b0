"""Bounds on connections."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.streams_section import Streams


def test_defaults_let_phones_be() -> None:
    """Two minutes between keep-alives (RFC 5626 §4.4.1) are not idle, and connecting is given up before timer B."""
    bounds = Streams()
    assert bounds.idle > 4 * 120
    assert bounds.connect_time < 32
    assert bounds.write_buffer >= 16 * 65_535


@pytest.mark.parametrize("key", ["connections", "per_source", "per_source_rate", "greeting", "message_time", "idle",
                                 "connect_time", "write_buffer", "stalled", "rate"])  # fmt: skip
def test_nothing_is_unbounded(key: str) -> None:
    with pytest.raises(ValidationError):
        Streams.model_validate({key: 0})
