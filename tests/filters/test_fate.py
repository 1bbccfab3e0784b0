"""The words for what becomes of a field."""

from __future__ import annotations

from filters.fate import Fate
from tests.filters.test_fates import SETUPS, probe


def test_every_word_is_used_and_says_something_else() -> None:
    """One that no plan ever says would be a promise that nobody holds; PSEUDONYM is a subscriber's wish alone."""
    assert len(set(Fate)) == len(Fate.__members__)
    said = {one.fate for setup in SETUPS for one in probe(setup).fields.values()}
    assert said == set(Fate) - {Fate.PSEUDONYM}
