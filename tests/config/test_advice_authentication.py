"""Doors that stand open."""

from __future__ import annotations

from typing import Any

import pytest

from config.advice_authentication import authentication_advice
from tests.world import SETTINGS, settings


def told(networks: list[str], **changes: Any) -> list[tuple[object, ...]]:
    access = SETTINGS["access"] | {"networks": networks}
    return [each.path for each in authentication_advice(settings(access=access, **changes))]


@pytest.mark.parametrize("everywhere", ["0.0.0.0/0", "::/0"])
def test_all_the_world_is_asked_who_it_is(everywhere: str) -> None:
    assert told(["10.9.9.9", everywhere]) == [("access", "networks")]
    assert told([everywhere], authentication={"realm": "r"}) == []
    assert told([everywhere], authentication={"realm": "r", "required": False}) == [("authentication", "required")]


def test_networks_of_ones_own_need_no_passwords() -> None:
    assert told(["10.0.0.0/8"]) == []
    assert [*authentication_advice(settings(access=None))] == []


def test_a_trunk_that_gets_credentials_and_no_realm() -> None:
    trunk = SETTINGS["trunks"][0] | {"privacy": {"credentials": "keep"}}
    assert told(["10.0.0.0/8"], realms=[], trunks=[trunk]) == [("realms",)]
    assert told(["10.0.0.0/8"], realms=["r"], trunks=[trunk]) == []
    assert told(["10.0.0.0/8"], realms=[], trunks=[trunk], authentication={"realm": "r"}) == []


@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_browsers_know_no_other_algorithm_than_md5(transport: str) -> None:
    web = SETTINGS["listeners"][0] | {"name": "web", "port": 8080, "transport": transport}
    if transport == "wss":
        web |= {"certificates": ["a.pem"], "keys": ["a.key"]}
    listeners = [*SETTINGS["listeners"], web]
    asked = {"realm": "r"}
    assert told(["10.0.0.0/8"], listeners=listeners, authentication=asked) == [("authentication", "algorithms")]
    assert told(["10.0.0.0/8"], listeners=listeners, authentication=asked | {"algorithms": ["MD5"]}) == []
    assert told(["10.0.0.0/8"], listeners=listeners) == []
