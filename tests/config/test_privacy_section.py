"""Actions for categories of data."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.privacy_section import STRICT_DEFAULT, Privacy, SubscriberPrivacy
from config.vocabulary import SENSIBLE_ACTIONS, Action, Category


def test_the_strict_default_decides_every_category_and_keeps_none() -> None:
    assert all(STRICT_DEFAULT.of(category) not in (None, Action.KEEP) for category in Category)


def test_part_of_privacy_default_replaces_only_its_keys() -> None:
    default = SubscriberPrivacy.model_validate({"default": {"device": "keep"}}).default
    assert default == STRICT_DEFAULT.model_copy(update={"device": Action.KEEP})


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("action", Action)
def test_only_sensible_actions_are_taken(category: Category, action: Action) -> None:
    """By name, as in a file, and as a value, as in a program."""
    for value in (action.name.lower(), action):
        table = {category.name.lower(): value}
        if action in SENSIBLE_ACTIONS[category]:
            assert Privacy.model_validate(table).of(category) is action
        else:
            with pytest.raises(ValidationError, match=f"is not an action for {category.name.lower()}; write one of"):
                Privacy.model_validate(table)


def test_settings_are_immutable_and_refuse_unknown_keys() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        STRICT_DEFAULT.name = Action.KEEP
    with pytest.raises(ValidationError, match="extra"):
        Privacy.model_validate({"nmae": "keep"})
