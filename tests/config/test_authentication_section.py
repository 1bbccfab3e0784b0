"""What the section may say."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.authentication_section import Authentication
from tests.world import settings


def test_only_the_realm_has_to_be_said() -> None:
    section = Authentication(realm="sip.example.net")
    assert section.required
    assert section.algorithms == ("SHA-256", "MD5")


@pytest.mark.parametrize("realm", ["", 'a"b', "a:b", "a\\b", "a\r\nX: y", " a", "a b", "\u00fc", "a" * 254])
def test_a_realm_that_could_not_stand_in_quotes(realm: str) -> None:
    with pytest.raises(ValidationError):
        Authentication(realm=realm)


@pytest.mark.parametrize("algorithms", [(), ("MD5", "MD5"), ("MD5-sess",), ("SHA-512",)])
def test_algorithms_that_cannot_be(algorithms: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        Authentication.model_validate({"realm": "r", "algorithms": algorithms})


def test_its_realm_is_one_of_ours() -> None:
    """Without anybody having to say so twice."""
    assert settings(authentication={"realm": "other.example"}).own_realms == ("sip.example.net", "other.example")
    assert settings(authentication={"realm": "sip.example.net"}).own_realms == ("sip.example.net",)
    assert settings().own_realms == ("sip.example.net",)
