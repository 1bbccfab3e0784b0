"""The defaults of `[guard]` suit an operator whose phones share an address."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.guard_section import Guard

BEHIND_ONE_ADDRESS = 1000
"""Phones behind one address of a carrier-grade NAT: RFC 6888 leaves it at that, operators plan with some hundred."""


def test_a_shared_address_is_not_limited_in_ordinary_traffic() -> None:
    """Each phone registers every ten minutes, twice for the challenge, and calls three times an hour at the most."""
    asked = BEHIND_ONE_ADDRESS * (2 / 600 + 3 / 3600)
    assert asked * 10 < Guard().source_rate


def test_a_shared_address_comes_back_after_a_power_failure() -> None:
    """All at once, each with its challenge."""
    assert Guard().source_burst >= 2 * BEHIND_ONE_ADDRESS


def test_nobody_is_denied_by_default() -> None:
    guard = Guard()
    assert guard.enabled
    assert guard.deny == guard.allow == ()
    assert guard.scanners == "silence"


@pytest.mark.parametrize("change", [{"sweep": 501}, {"tools": ["abc"]}, {"deny": ["carrier.example"]}, {"delay": 0.5}])
def test_what_makes_no_sense_is_a_mistake(change: dict[str, object]) -> None:
    """More different names than the map can tell apart, a tool that half of the phones are, a name for a network."""
    with pytest.raises(ValidationError):
        Guard.model_validate(change)
