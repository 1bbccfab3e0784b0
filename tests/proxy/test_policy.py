"""Decisions as numbers: three bits for each category (design.md §2)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from config.vocabulary import Action, Category
from proxy.policy import KEEP_ALL, action, hides, pack, stricter

decisions = st.dictionaries(st.sampled_from(list(Category)), st.sampled_from(list(Action)))


@given(decisions)
def test_a_decision_gives_back_the_action_of_every_category(actions: dict[Category, Action]) -> None:
    """What is not decided is kept."""
    packed = pack(actions)
    for category in Category:
        assert action(packed, category) is actions.get(category, Action.KEEP)
        assert hides(packed, category) is (actions.get(category, Action.KEEP) is not Action.KEEP)


@given(decisions)
def test_a_decision_fits_the_36_bits_of_a_record(actions: dict[Category, Action]) -> None:
    """dialogs.md: the record holds the action of every category, twice."""
    assert 0 <= pack(actions) < 1 << 36


@given(decisions, decisions)
def test_the_stricter_of_two_wins_in_every_category(one: dict[Category, Action], other: dict[Category, Action]) -> None:
    """dialogs.md "Pinning": where record and catalogue differ, the stricter wins."""
    both = stricter(pack(one), pack(other))
    for category in Category:
        assert action(both, category) == max(one.get(category, Action.KEEP), other.get(category, Action.KEEP))
    assert both == stricter(pack(other), pack(one))
    assert stricter(both, pack(one)) == both


def test_keep_all_hides_nothing() -> None:
    """The decision of a trusted side."""
    assert pack({}) == KEEP_ALL
    assert not any(hides(KEEP_ALL, category) for category in Category)


def test_the_numbers_of_the_vocabulary_never_change() -> None:
    """They stand in records: an order that changed would change the decisions of calls in progress."""
    assert [category.name for category in Category][:12] == [
        "NAME", "NUMBER", "LOCATION", "DEVICE", "STATUS", "SOFTWARE",
        "NETWORK", "CREDENTIALS", "CONTENT", "HISTORY", "RECORDING", "UNKNOWN",
    ]  # fmt: skip
    assert [item.name for item in Action] == [
        "KEEP", "GENERALISE", "INDICATE", "PSEUDONYMISE", "SEAL", "ANONYMISE", "REMOVE",
    ]  # fmt: skip
