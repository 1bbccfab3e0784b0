"""The schema's own rules, apart from any file."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.settings import ACCESS_DEFAULT, STRICT_DEFAULT, Access, Host, Privacy, SubscriberPrivacy, Trunk
from config.vocabulary import SENSIBLE_ACTIONS, Action, Category, Zone


def test_the_strict_default_decides_every_category_and_keeps_none() -> None:
    assert all(STRICT_DEFAULT.of(category) not in (None, Action.KEEP) for category in Category)


def test_part_of_privacy_default_replaces_only_its_keys() -> None:
    default = SubscriberPrivacy.model_validate({"default": {"device": "keep"}}).default
    assert default == STRICT_DEFAULT.model_copy(update={"device": Action.KEEP})


def test_part_of_access_privacy_replaces_only_its_keys() -> None:
    privacy = Access.model_validate({"listener": "a", "privacy": {"history": "remove"}}).privacy
    assert privacy == ACCESS_DEFAULT.model_copy(update={"history": Action.REMOVE})


def test_elsewhere_a_category_left_out_is_not_decided() -> None:
    trunk = Trunk.model_validate({"name": "t", "hosts": ["a.example"], "listener": "l", "privacy": {"name": "remove"}})
    assert trunk.privacy.of(Category.NAME) is Action.REMOVE
    assert trunk.privacy.of(Category.NUMBER) is None


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


def test_a_trunk_counts_as_psap_for_emergency_calls_only() -> None:
    trunk = Trunk.model_validate({"name": "t", "hosts": ["a.example"], "listener": "l", "emergency": True})
    assert trunk.zone(emergency_call=True) is Zone.PSAP
    assert trunk.zone(emergency_call=False) is Zone.TRUNK
    assert trunk.model_copy(update={"emergency": False}).zone(emergency_call=True) is Zone.TRUNK


@pytest.mark.parametrize("name", ["192.0.2.1", "", "a b", "sip..example", "sip.example:5060", "bücher.example"])
def test_a_listed_host_is_a_name(name: str) -> None:
    """An address needs no look-up, and what no trunk could have for a name is a slip."""
    with pytest.raises(ValidationError, match="is not a host name"):
        Host(name=name, addresses=("192.0.2.1",))
    assert Host(name="Sip_1.example.", addresses=("192.0.2.1", "2001:db8::1")).addresses[0] == "192.0.2.1"
