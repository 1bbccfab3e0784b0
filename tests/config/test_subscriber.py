"""Words become actions."""

from __future__ import annotations

import pytest

from config.privacy_section import STRICT_DEFAULT
from config.subscriber import EVERYWHERE, STRICT, WORDS, Setting, Subscriber, Value, profile
from config.vocabulary import SENSIBLE_ACTIONS, Action, Category
from proxy.policy import KEEP_ALL, action, pack

DEFAULT = pack({category: STRICT_DEFAULT.of(category) or Action.KEEP for category in Category})


def test_each_word_stands_for_categories_of_its_own_and_only_the_operators_are_left() -> None:
    categories = [category for word in WORDS.values() for category in word.actions]
    assert len(categories) == len(set(categories))
    assert set(Category) - set(categories) == {Category.CREDENTIALS, Category.UNKNOWN}


@pytest.mark.parametrize("word", WORDS)
def test_hide_is_the_strict_default_and_show_keeps(word: str) -> None:
    for category, actions in WORDS[word].actions.items():
        assert actions[Value.HIDE] is STRICT_DEFAULT.of(category)
        assert actions[Value.HIDE] in SENSIBLE_ACTIONS[category]
        assert actions[Value.SHOW] is Action.KEEP


def test_pseudonyms_are_for_names_numbers_and_devices() -> None:
    assert [word for word, each in WORDS.items() if Value.PSEUDONYM in each.values] == ["name", "number", "device"]
    device = WORDS["device"].actions
    assert device[Category.DEVICE][Value.PSEUDONYM] is Action.PSEUDONYMISE
    assert device[Category.SOFTWARE][Value.PSEUDONYM] is Action.REMOVE


def test_what_is_said_replaces_the_default_and_nothing_else() -> None:
    found = profile([Setting(EVERYWHERE, "name", Value.SHOW), Setting(EVERYWHERE, "device", Value.PSEUDONYM)])
    decision = found.towards("carrier", DEFAULT)
    assert action(decision, Category.NAME) is Action.KEEP
    assert action(decision, Category.DEVICE) is Action.PSEUDONYMISE
    left = set(Category) - {Category.NAME, Category.DEVICE}
    assert all(action(decision, category) is STRICT_DEFAULT.of(category) for category in left)


def test_an_exception_holds_for_its_trunk_and_goes_over_what_holds_everywhere() -> None:
    found = profile([
        Setting(EVERYWHERE, "name", Value.HIDE), Setting(EVERYWHERE, "status", Value.SHOW),
        Setting("carrier", "name", Value.SHOW), Setting("carrier", "number", Value.PSEUDONYM),
    ])  # fmt: skip
    special, other = found.towards("carrier", DEFAULT), found.towards("other", DEFAULT)
    assert action(special, Category.NAME) is Action.KEEP
    assert action(special, Category.NUMBER) is Action.PSEUDONYMISE
    assert action(special, Category.STATUS) is Action.KEEP
    assert action(other, Category.NAME) is action(other, Category.NUMBER) is Action.ANONYMISE
    assert found.towards("other", DEFAULT) == found.towards(EVERYWHERE, DEFAULT)


def test_nothing_said_is_the_default() -> None:
    assert profile([]).towards("carrier", DEFAULT) == DEFAULT


def test_flags_are_passed_on() -> None:
    found = profile([], telemarketer=True, reject_anonymous=True)
    assert (found.telemarketer, found.rejects_anonymous) == (True, True)


def test_strict_decides_everything() -> None:
    assert STRICT.towards("carrier", KEEP_ALL) == DEFAULT


def test_a_subscriber_does_not_show_who_it_is() -> None:
    assert "alice" not in repr(Subscriber("alice@example.net"))


def test_whether_data_may_leave_the_region_is_no_decision_of_a_category() -> None:
    """An exception goes over what holds everywhere; who has not said has not said."""
    said = [Setting(EVERYWHERE, "abroad", Value.HIDE), Setting("carrier", "abroad", Value.SHOW)]
    found = profile(said)
    assert (found.may_leave("carrier"), found.may_leave("other")) == (True, False)
    assert found.towards("carrier", DEFAULT) == DEFAULT
    assert profile(said[1:]).may_leave("other") is None
    assert profile([]).may_leave("carrier") is None
    assert STRICT.may_leave("carrier") is False
