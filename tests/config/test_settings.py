"""The schema's own rules, apart from any file."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.privacy_section import ACCESS_DEFAULT
from config.settings import Access, Host, Trunk
from config.vocabulary import Action, Category, Zone


def test_part_of_access_privacy_replaces_only_its_keys() -> None:
    privacy = Access.model_validate({"listener": "a", "privacy": {"history": "remove"}}).privacy
    assert privacy == ACCESS_DEFAULT.model_copy(update={"history": Action.REMOVE})


def test_elsewhere_a_category_left_out_is_not_decided() -> None:
    trunk = Trunk.model_validate({"name": "t", "hosts": ["a.example"], "listener": "l", "privacy": {"name": "remove"}})
    assert trunk.privacy.of(Category.NAME) is Action.REMOVE
    assert trunk.privacy.of(Category.NUMBER) is None


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
