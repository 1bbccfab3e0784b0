"""The words whose numbers stand in dialog records."""

from __future__ import annotations

from config.vocabulary import SENSIBLE_ACTIONS, Action, Category


def test_numbers_in_records_never_change() -> None:
    """A record sealed by an older release must mean the same in this one."""
    assert [category.name for category in Category] == [
        "NAME", "NUMBER", "LOCATION", "DEVICE", "STATUS", "SOFTWARE",
        "NETWORK", "CREDENTIALS", "CONTENT", "HISTORY", "RECORDING", "UNKNOWN",
    ]  # fmt: skip
    assert [action.name for action in Action] == [
        "KEEP", "GENERALISE", "INDICATE", "PSEUDONYMISE", "SEAL", "ANONYMISE", "REMOVE",
    ]  # fmt: skip
    assert list(map(int, Action)) == [0, 1, 2, 3, 4, 5, 6]
    assert list(map(int, Category)) == list(range(12))


def test_every_category_may_be_kept_or_hidden() -> None:
    for category in Category:
        assert SENSIBLE_ACTIONS[category][0] is Action.KEEP
        assert len(SENSIBLE_ACTIONS[category]) >= 2


def test_what_a_call_cannot_do_without_cannot_be_removed() -> None:
    assert Action.REMOVE not in SENSIBLE_ACTIONS[Category.NUMBER]
    assert SENSIBLE_ACTIONS[Category.NETWORK] == (Action.KEEP, Action.SEAL)
