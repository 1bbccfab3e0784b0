"""A passage: what all crossings between two parties have in common."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from proxy.pack import ANONYMOUS, DERIVED
from proxy.passage import Passage
from tests.proxy.test_crossing import crossing


def passage() -> Passage:
    return crossing()[1].passage


def test_it_does_not_change() -> None:
    """Hundreds of calls share it."""
    with pytest.raises(FrozenInstanceError):
        passage().far_budget = 1  # type: ignore[misc]


def test_addresses_that_a_record_left_out_are_made_again() -> None:
    """They follow from the originals, under the decision of the passage; what the record holds stands."""
    made = crossing()[1]
    record = made.base
    assert record.from_outward in (DERIVED, ANONYMOUS)
    assert made.passage.addresses(record) == (made.from_, made.to)
    assert made.passage.addresses(record.replace(from_outward=ANONYMOUS))[0] == ANONYMOUS


def test_without_originals_there_is_nothing_to_derive() -> None:
    assert passage().outward(None, None) == (None, None)
